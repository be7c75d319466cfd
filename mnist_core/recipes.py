"""Recipes: everything that decides how a training goes. Each field is declared once, with its bounds and its help."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, Literal, Self, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mnist_core.errors import RecipeError
from mnist_core.images.datasets import CLASSES

Loss = Literal["bce", "ce"]
Precision = Literal["float32", "bfloat16"]
CHANGED, TAUGHT = " (changed)", " (taught)"
"""Suffixes of the name of a recipe that was made from a named one."""
PIXELS = 28 * 28
MOST_LAYERS = 8


@dataclass(frozen=True)
class FieldInfo:
    """What a field of a recipe takes, and how a form shows it."""

    kind: type[Any]  # int, float, str or tuple (of layers)
    group: str
    label: str
    help: str
    least: float = 0  # bounds of a number, or of the units in a layer
    most: float = 0
    form_most: float | None = None  # upper bound in the form, where that is lower
    step: float = 0  # by which the form's buttons change a number; 0: by 1, or by 0.05
    choices: tuple[str, ...] = ()  # from the field's annotation
    needs: tuple[str, ...] = ()  # a field without which this one has no effect, then which of its values will do

    @property
    def takes(self) -> str:
        """Return a sentence that says which values the field takes."""
        if self.kind is str:
            return f"Choose one of: {', '.join(self.choices)}." if self.choices else "Give the name of a version."
        bounds = f"from {self.least:.10g} to {self.most:.10g}"
        if self.kind is tuple:
            return f"Give 1 to {MOST_LAYERS} layers, such as 100,100; units {bounds}."
        return f"Give a whole number {bounds}." if self.kind is int else f"Give a number {bounds}."

    def accepts(self, value: Any) -> bool:
        """Return whether the field takes `value`."""
        if self.kind is str:
            return isinstance(value, str) and (not self.choices or value in self.choices)
        if self.kind is tuple:
            layers = isinstance(value, tuple | list) and 1 <= len(value) <= MOST_LAYERS
            return layers and all(replace(self, kind=int).accepts(units) for units in value)
        return isinstance(value, (int, self.kind)) and not isinstance(value, bool) and self.least <= value <= self.most

    def parse(self, text: str) -> Any:
        """Return the value that a person typed; text that cannot be parsed is returned as it is."""
        try:
            return tuple(map(int, text.strip("[]").split(","))) if self.kind is tuple else self.kind(text)
        except ValueError:
            return text


def _field(group: str, default: Any, label: str, help: str, *bounds: Any, **form: Any) -> Any:
    return field(default=default, metadata={"info": FieldInfo(type(default), group, label, help, *bounds, **form)})


_learn, _regularize, _distort = (partial(_field, name) for name in ("Learning", "Regularization", "Distorted images"))
_DECAYING = ("optimizer", "adamw", "sgd", "muon")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training; checked when it is made.

    A field is declared by its default, label, help and, if it is a number, the least and the most that it may be.

    Raises:
        RecipeError: a value does not work; the message names the field and says what it takes.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: str = "article"
    hidden: tuple[int, ...] = _field(
        "Network", (100, 100), "Hidden layers", "Units in each hidden layer, such as 100,100.", 1, 8192, form_most=2048
    )
    loss: Loss = _learn(
        "bce", "Loss", "What training minimizes: ten yes-or-no questions (bce), or one choice among ten digits (ce)."
    )
    optimizer: Literal["adam", "adamw", "sgd", "muon"] = _learn(
        "adam", "Optimizer", "How the weights follow the gradient of each batch."
    )
    learning_rate: float = _learn(
        0.001, "Learning rate", "Step size; with the one-cycle schedule, its peak.", 1e-9, 10, step=0.001, form_most=1
    )
    schedule: Literal["constant", "one-cycle"] = _learn(
        "constant", "Schedule", "Whether the learning rate stays, or warms up and then falls to zero."
    )
    momentum: float = _learn(
        0.9, "Momentum", "Share of its last step that SGD repeats in the next.", 0, 0.999, needs=("optimizer", "sgd")
    )
    batch_size: int = _learn(32, "Batch size", "Images per step.", 1, 60_000, step=32, form_most=4096)
    epochs: int = _learn(10, "Epochs", "Passes over the training images.", 1, 10_000, form_most=1000)
    patience: int = _learn(
        0, "Stop early after", "Epochs without better validation accuracy; 0 never stops.", 0, 10_000, form_most=1000
    )
    keep: Literal["best", "last"] = _learn("best", "Keep", "The best epoch on the validation images, or the last.")
    teacher: str = _learn("", "Teacher", "Version whose probabilities are learned instead of the labels.")
    precision: Precision = _learn("float32", "Precision", "bfloat16 computes with fewer digits, and often faster.")
    seed: int = _learn(0, "Seed", "Starts every random choice; the same seed repeats a training.", 0, 2**32 - 1)
    weight_decay: float = _regularize(
        0.0, "Weight decay", "Pulls weights to zero; Adam has none.", 0, 10, step=0.01, form_most=1, needs=_DECAYING
    )
    dropout: float = _regularize(0.0, "Dropout", "Share of the hidden units left out at random in each step.", 0, 0.9)
    label_smoothing: float = _regularize(
        0.0, "Label smoothing", "Share of each target spread over all ten digits.", 0, 0.9, step=0.01, form_most=0.5
    )
    averaging: float = _regularize(
        0.0, "Averaging", "Share that the mean of all weights so far keeps in each step.", 0, 0.99999, step=0.001
    )
    shift: int = _distort(0, "Shift", "Each batch moves by up to this many pixels.", 0, 4)
    rotation: float = _distort(0.0, "Rotation", "Largest turn of an image, in degrees.", 0, 180, step=1, form_most=90)
    shear: float = _distort(0.0, "Slant", "Largest slant, in pixels per row.", 0, 2, step=0.02, form_most=1)
    stretch: float = _distort(0.0, "Stretch", "Largest logarithm of width to height.", 0, 2, step=0.02, form_most=1)
    elastic: float = _distort(0.0, "Bend", "About the largest bend of a stroke, in pixels.", 0, 10, form_most=5)
    scale: float = _distort(0.0, "Size", "Standard deviation of the size, as a share.", 0, 1, step=0.01, form_most=0.5)
    translation: float = _distort(0.0, "Move", "Standard deviation of place, in pixels.", 0, 10, step=0.1, form_most=5)
    thickness: float = _distort(0.0, "Thickness", "Share of the images with thicker or thinner strokes.", 0, 1)
    redrawn: float = _distort(0.0, "Redrawn", "Share of the digits redrawn with an even pen, as on the canvas.", 0, 1)
    variants: float = _distort(
        0.0, "Variants", "Share of redrawn 0, 1, 7, 8, 9 with a slash, foot, bar or gap.", 0, 1, needs=("redrawn",)
    )
    non_digits: float = _distort(0.0, "Non-digits", "Share of the images replaced by shapes that are no digit.", 0, 0.9)
    untouched: float = _distort(0.0, "Untouched", "Share of the digits left as they are.", 0, 1)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise RecipeError(refusal("name", self.name))
        for name, info in FIELDS.items():
            if not info.accepts(value := getattr(self, name)):
                raise RecipeError(refusal(name, value))
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if self.weight_decay and self.optimizer == "adam":
            raise RecipeError("weight_decay: adam has none. Choose another optimizer, such as adamw, or leave it out.")
        if self.variants and not self.redrawn:
            raise RecipeError("variants: only redrawn digits have any. Give redrawn a share as well.")

    @property
    def augments(self) -> bool:
        """Return whether images are distorted one by one; `shift` moves whole batches."""
        group = (name for name, info in FIELDS.items() if info.group == FIELDS["shift"].group)
        return any(getattr(self, name) for name in group if name not in ("shift", "untouched"))

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Return the units of every layer, input and output included, such as (784, 100, 100, 10)."""
        return (PIXELS, *self.hidden, CLASSES)

    @property
    def parameter_count(self) -> int:
        """Return the number of weights and biases."""
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.layer_sizes))

    def steps_per_epoch(self, images: int) -> int:
        """Return the steps of one pass over `images` images; the last batch may be short."""
        return math.ceil(images / self.batch_size)

    def override(self, **changes: Any) -> Self:
        """Return the recipe with the fields changed that are not None; other than the seed, that shows in the name."""
        given = {name: value for name, value in changes.items() if value is not None}
        changed = replace(self, **given)
        if changed == replace(self, seed=changed.seed) or "name" in given:
            return changed
        return replace(changed, name=f"{self.name.removesuffix(CHANGED)}{CHANGED}")

    @property
    def named_after(self) -> "Recipe":
        """Return the named recipe that this one is, or was made from by changing fields."""
        return RECIPES.get(self.name.removesuffix(TAUGHT).removesuffix(CHANGED), RECIPES["article"])

    @property
    def changes(self) -> dict[str, Any]:
        """Return the fields that differ from `named_after`, as plain values."""
        original = self.named_after.to_dict()
        return {name: value for name, value in self.to_dict().items() if name in FIELDS and value != original[name]}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {**asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """Return the recipe that `to_dict` wrote.

        Raises:
            RecipeError: a field is unknown, or its value does not work.
        """
        try:
            return _READER.validate_json(json.dumps(values), strict=True)
        except ValidationError as error:
            problem = error.errors()[0]
            if problem["type"] == "value_error":  # from the check above, in words
                raise RecipeError(str(problem["ctx"]["error"])) from error
            raise RecipeError(refusal(str((*problem["loc"], "recipe")[0]), problem["input"])) from error


FIELDS: Mapping[str, FieldInfo] = {
    each.name: replace(each.metadata["info"], choices=get_args(each.type) if get_origin(each.type) is Literal else ())
    for each in fields(Recipe)
    if each.metadata
}
"""Every field but the name, in the form's order."""
_READER = TypeAdapter(Recipe)


def refusal(name: str, value: object) -> str:
    """Return a sentence that says why a field does not take `value`, and another that says what to do."""
    takes = {"name": "Give the recipe a short name.", "recipe": "Give its fields with their values."}
    takes |= {known: info.takes for known, info in FIELDS.items()}
    return f"{name}: {value!r} does not work. {takes.get(name, 'No recipe has such a field. Remove it.')}"


_OURS: dict[str, Any] = {"schedule": "one-cycle", "keep": "last", "averaging": 0.999, "thickness": 0.5, "variants": 0.5}
_OURS |= {"rotation": 14.0, "shear": 0.22, "stretch": 0.18, "elastic": 0.85, "scale": 0.03, "translation": 0.4}
_QUICK: dict[str, Any] = {"loss": "ce", "learning_rate": 0.012, "schedule": "one-cycle", "label_smoothing": 0.05}
_ROBUST: dict[str, Any] = {"optimizer": "muon", "learning_rate": 0.004, "batch_size": 256, "epochs": 300}
_BEST: dict[str, Any] = {"optimizer": "adamw", "learning_rate": 0.0015, "batch_size": 512, "epochs": 240}
_BEST |= {"weight_decay": 0.05, "label_smoothing": 0.01}
_NAMED = (
    Recipe("article", keep="last"),
    Recipe("quick", batch_size=192, epochs=5, shift=1, **_QUICK),
    Recipe("robust", teacher="best", redrawn=0.25, non_digits=0.25, untouched=0.25, **_ROBUST, **_OURS),
    Recipe("best", hidden=(1024, 1024), redrawn=0.4, non_digits=0.45, untouched=0.15, **_BEST, **_OURS),
)
RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in _NAMED}
"""The named recipes.

`article`: exactly as the article trains. `quick`: the same network in seconds. `robust`: the same network, as accurate
as it gets on people's drawings too. `best`: the largest network that still answers at once.
"""


def named_recipe(name: str) -> Recipe:
    """Return the recipe of that name, or raise a RecipeError that lists the names."""
    if name not in RECIPES:
        raise RecipeError(f"recipe: there is no {name!r}. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
