"""A recipe: everything that decides how a training goes."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from typing import Any, Literal, Self, get_args

from mnist_core.errors import RecipeError

Loss = Literal["bce", "ce"]
Schedule = Literal["constant", "one-cycle"]

CLASSES = 10
PIXELS = 28 * 28


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
    """Adam's step size; with the one-cycle schedule, its peak."""
    schedule: Schedule = "constant"
    """`constant`, or `one-cycle`: warm up, then down to zero (Smith & Topin 2018)."""
    batch_size: int = 32
    """Images per step."""
    epochs: int = 10
    """Passes over the training images."""
    shift: int = 0
    """Each batch is moved by up to this many pixels, sideways and up or down; 0 leaves images alone."""
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
        rate = self.learning_rate
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 10:
            raise RecipeError(f"learning_rate: {rate!r} does not work. Give a number above 0 and at most 10.")

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
        return replace(changed, name=f"{self.name} (changed)")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {**asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The recipe that `to_dict` wrote down.

        Raises:
            RecipeError: unknown fields, or values that are refused.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
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


def _check_choice(field: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise RecipeError(f"{field}: there is no {value!r}. Choose one of: {', '.join(choices)}.")


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
    )
}
"""The recipes that have a name: `article` as the article trains; `quick`, the same network in seconds."""


def named_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        RecipeError: there is none.
    """
    if name not in RECIPES:
        raise RecipeError(f"recipe: there is no {name!r}. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
