"""A recipe: everything that decides how a training goes."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from typing import Any, Self

from mnist_core.errors import RecipeError
from mnist_core.fields import Keep, Loss, Optimizer, Precision, Schedule, check_fields
from mnist_core.images.datasets import CLASSES

CHANGED, TAUGHT = " (changed)", " (taught)"
"""Ends the name of a recipe that differs from the one it is named after."""
PIXELS = 28 * 28

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
    patience: int = 0
    """Stop early after this many epochs that read the validation images no better (Prechelt 1998); 0: never."""
    keep: Keep = "best"
    """Which epoch's weights become the version: the `best` on the validation images, or the `last`."""
    optimizer: Optimizer = "adam"
    """`adam` (Kingma & Ba 2015); `adamw`: with decoupled weight decay (Loshchilov & Hutter 2019); `sgd`: with
    momentum (Polyak 1964); `muon`: orthogonalized momentum for the hidden layers (Jordan et al. 2024), AdamW for the
    rest."""
    momentum: float = 0.9
    """The share of its last move that `sgd` makes again; other optimizers have their own."""
    weight_decay: float = 0.0
    """How strongly weights are drawn to zero, biases excepted; `adam` takes none."""
    dropout: float = 0.0
    """Share of the hidden units left out at random in each step (Srivastava et al. 2014)."""
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
        if not isinstance(self.name, str) or not self.name:
            raise RecipeError(f"name: {self.name!r} is not a name. Give the recipe a short name.")
        check_fields(vars(self))
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if not isinstance(self.teacher, str):
            raise RecipeError(f"teacher: {self.teacher!r} is not the name of a version. Give one, or leave it out.")
        if self.weight_decay and self.optimizer == "adam":
            raise RecipeError(
                "weight_decay: adam takes none. Choose another optimizer, such as adamw, or leave it out."
            )
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

    @property
    def named_after(self) -> "Recipe":
        """The named recipe that this one is, or was made from by changing fields."""
        return RECIPES.get(self.name.removesuffix(TAUGHT).removesuffix(CHANGED), RECIPES["article"])

    @property
    def changes(self) -> dict[str, Any]:
        """The fields that differ from `named_after`, as plain values."""
        plain = self.named_after.to_dict()
        return {field: value for field, value in self.to_dict().items() if field != "name" and value != plain[field]}

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
        # recipes of old knew no other way than to keep the last epoch
        return cls(**{"keep": "last", **values})


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
        Recipe(name="article", keep="last"),
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
            keep="last",
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
            keep="last",
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
