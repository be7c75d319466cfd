"""A recipe: everything that decides how a training goes."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from typing import Any, Literal, Self, get_args

from mnist_core.errors import RecipeError

Loss = Literal["bce", "ce"]
Schedule = Literal["constant", "one-cycle"]
Optimizer = Literal["adam", "adamw", "muon"]
Precision = Literal["float32", "bfloat16"]

CHANGED = " (changed)"
"""Ends the name of a recipe that differs from the one it is named after."""
CLASSES = 10
PIXELS = 28 * 28


NUMBERS: Mapping[str, tuple[float, float]] = {
    "learning_rate": (1e-9, 10),
    "weight_decay": (0, 10),
    "label_smoothing": (0, 0.9),
    "averaging": (0, 0.99999),
    "rotation": (0, 180),
    "shear": (0, 2),
    "stretch": (0, 2),
    "elastic": (0, 10),
    "scale": (0, 1),
    "translation": (0, 10),
    "thickness": (0, 1),
    "redrawn": (0, 1),
    "variants": (0, 1),
    "non_digits": (0, 0.9),
    "untouched": (0, 1),
}
"""The least and the most that each of these fields takes."""
DISTORTIONS = (
    *("rotation", "shear", "stretch", "elastic", "scale", "translation"),
    *("thickness", "redrawn", "variants", "non_digits"),
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training; checked when it is made.

    Raises:
        RecipeError: a field holds nonsense; the message names the field and what it takes.
    """

    name: str = "article"
    """What people call it."""
    hidden: tuple[int, ...] = (100, 100)
    """Units in each hidden layer, from the image to the answer."""
    loss: Loss = "bce"
    """`bce`: binary cross-entropy on one-hot targets, as in the article; `ce`: softmax cross-entropy."""
    learning_rate: float = 0.001
    """The step size; with the one-cycle schedule, its peak."""
    schedule: Schedule = "constant"
    """`constant`, or `one-cycle`: warm up, then down to zero (Smith & Topin 2018)."""
    batch_size: int = 32
    """Images per step."""
    epochs: int = 10
    """Passes over the training images."""
    optimizer: Optimizer = "adam"
    """`adam` (Kingma & Ba 2015); `adamw`: with decoupled weight decay (Loshchilov & Hutter 2019); `muon`:
    orthogonalized momentum for the hidden layers (Jordan et al. 2024), AdamW for the rest."""
    weight_decay: float = 0.0
    """How strongly weights are drawn to zero, biases excepted; `adam` takes none."""
    label_smoothing: float = 0.0
    """This share of each target is spread evenly over the ten digits (Szegedy et al. 2016)."""
    averaging: float = 0.0
    """The version is a running mean of the weights, each step keeping this share of it; 0: the last weights."""
    teacher: str = ""
    """The version whose probabilities are learned instead of the labels (Hinton, Vinyals & Dean 2015)."""
    precision: Precision = "float32"
    """`bfloat16` multiplies matrices with 8 bits of mantissa: faster where the processor has instructions for it."""
    shift: int = 0
    """Each batch is moved by up to this many pixels, sideways and up or down; costs next to nothing."""
    rotation: float = 0.0
    """Each image is turned by up to this many degrees, either way."""
    shear: float = 0.0
    """Each image is slanted by up to this many pixels a pixel of height, either way."""
    stretch: float = 0.0
    """Width and height change by up to this much against each other (the logarithm of their ratio)."""
    elastic: float = 0.0
    """Each image is bent by up to about this many pixels (Simard, Steinkraus & Platt 2003)."""
    scale: float = 0.0
    """Standard deviation of the change in size, after framing, as a share."""
    translation: float = 0.0
    """Standard deviation of the move in each direction, after framing, in pixels."""
    thickness: float = 0.0
    """Share of images whose strokes get another thickness: up to twice as much ink, rarely less."""
    redrawn: float = 0.0
    """Share of digits drawn anew along the middle of their strokes, with an even pen as on the canvas."""
    variants: float = 0.0
    """Share of redrawn 0, 1 and 7 written as many people write them: slashed, with a foot, crossed."""
    non_digits: float = 0.0
    """Share of images replaced by shapes that are no digit, to be answered with none."""
    untouched: float = 0.0
    """Share of digits left as they are."""
    seed: int = 0
    """Starts every random choice, so that a run can be repeated."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", _layer_sizes(self.hidden))
        if not isinstance(self.name, str) or not self.name:
            raise RecipeError(f"name: {self.name!r} is not a name. Give the recipe a short name.")
        _check_choice("loss", self.loss, get_args(Loss))
        _check_choice("schedule", self.schedule, get_args(Schedule))
        _check_whole("batch_size", self.batch_size, 1, 60_000)
        _check_whole("epochs", self.epochs, 1, 10_000)
        _check_whole("shift", self.shift, 0, 4)
        _check_whole("seed", self.seed, 0, 2**32 - 1)
        _check_choice("optimizer", self.optimizer, get_args(Optimizer))
        _check_choice("precision", self.precision, get_args(Precision))
        for field, (least, most) in NUMBERS.items():
            _check_number(field, getattr(self, field), least, most)
        if not isinstance(self.teacher, str):
            raise RecipeError(f"teacher: {self.teacher!r} is not the name of a version. Give one, or leave it out.")
        if self.weight_decay and self.optimizer == "adam":
            raise RecipeError("weight_decay: adam takes none. Choose the optimizer adamw, or leave it out.")
        if self.variants and not self.redrawn:
            raise RecipeError("variants: only redrawn digits have any. Give redrawn a share as well.")

    @property
    def augments(self) -> bool:
        """Whether images are distorted one by one (`shift` moves whole batches)."""
        return any(getattr(self, field) for field in DISTORTIONS)

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Units of every layer, input and output included, such as (784, 100, 100, 10)."""
        return (PIXELS, *self.hidden, CLASSES)

    @property
    def parameter_count(self) -> int:
        """Weights and biases of the network."""
        sizes = self.layer_sizes
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))

    def steps_per_epoch(self, images: int) -> int:
        """Steps that one pass over `images` images takes; the last batch may be short."""
        return math.ceil(images / self.batch_size)

    def override(self, **changes: Any) -> Self:
        """The same recipe with some fields changed; `None` leaves a field as it is.

        A change other than of the seed shows in the name, so that figures are not taken for the original's.
        """
        given = {field: value for field, value in changes.items() if value is not None}
        changed = replace(self, **given)
        if changed == replace(self, seed=changed.seed) or "name" in given:
            return changed
        return replace(changed, name=f"{self.name.removesuffix(CHANGED)}{CHANGED}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """What a recipe consists of, but for its name."""
        return tuple(field.name for field in fields(cls) if field.name != "name")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The recipe that `to_dict` wrote down.

        Raises:
            RecipeError: unknown fields, or values that are refused.
        """
        unknown = set(values) - {"name", *cls.field_names()}
        if unknown:
            raise RecipeError(f"{', '.join(sorted(unknown))}: no recipe has such a field. Remove it.")
        return cls(**values)


def _layer_sizes(hidden: Any) -> tuple[int, ...]:
    if not isinstance(hidden, tuple | list) or not 1 <= len(hidden) <= 8:
        raise RecipeError(f"hidden: {hidden!r} does not work. Give 1 to 8 layers, such as 100,100.")
    for units in hidden:
        _check_whole("hidden", units, 1, 8192)
    return tuple(hidden)


def _check_whole(field: str, value: Any, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RecipeError(f"{field}: {value!r} does not work. Give a whole number from {least} to {most}.")


def _check_number(field: str, value: Any, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise RecipeError(f"{field}: {value!r} does not work. Give a number from {least:g} to {most:g}.")


def _check_choice(field: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise RecipeError(f"{field}: there is no {value!r}. Choose one of: {', '.join(choices)}.")


_DISTORTED: dict[str, Any] = {
    "rotation": 14.0,
    "shear": 0.22,
    "stretch": 0.18,
    "elastic": 0.85,
    "scale": 0.03,
    "translation": 0.4,
    "thickness": 0.5,
}
RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(name="article"),
        Recipe(
            name="quick",
            loss="ce",
            learning_rate=0.01,
            schedule="one-cycle",
            batch_size=128,
            epochs=4,
            shift=1,
        ),
        Recipe(
            name="robust",
            learning_rate=0.004,
            schedule="one-cycle",
            batch_size=256,
            epochs=800,
            optimizer="muon",
            averaging=0.999,
            teacher="best",
            precision="bfloat16",
            redrawn=0.2,
            variants=0.4,
            non_digits=0.1,
            untouched=0.25,
            **_DISTORTED,
        ),
        Recipe(
            name="best",
            hidden=(1024, 1024),
            learning_rate=0.001,
            schedule="one-cycle",
            batch_size=256,
            epochs=300,
            optimizer="adamw",
            weight_decay=0.05,
            label_smoothing=0.01,
            averaging=0.999,
            precision="bfloat16",
            redrawn=0.25,
            variants=0.4,
            non_digits=0.15,
            untouched=0.15,
            **_DISTORTED,
        ),
    )
}
"""The recipes that have a name.

`article` as the article trains; `quick`, the same network in seconds; `robust`, the same network as good as it gets,
for people's drawings too; `best`, the largest network that still answers at once.
"""


def named_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        RecipeError: there is none.
    """
    if name not in RECIPES:
        raise RecipeError(f"recipe: there is no {name!r}. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
