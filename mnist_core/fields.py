"""What the fields of a recipe may hold."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from mnist_core.errors import RecipeError

Loss = Literal["bce", "ce"]
Schedule = Literal["constant", "one-cycle"]
Optimizer = Literal["adam", "adamw", "sgd", "muon"]
Keep = Literal["best", "last"]
Precision = Literal["float32", "bfloat16"]

CHOICES: Mapping[str, tuple[str, ...]] = {
    "loss": get_args(Loss),
    "schedule": get_args(Schedule),
    "optimizer": get_args(Optimizer),
    "keep": get_args(Keep),
    "precision": get_args(Precision),
}
"""What each of these fields may be."""
WHOLE_NUMBERS: Mapping[str, tuple[int, int]] = {
    "batch_size": (1, 60_000),
    "epochs": (1, 10_000),
    "patience": (0, 10_000),
    "shift": (0, 4),
    "seed": (0, 2**32 - 1),
}
"""The least and the most that each of these fields takes."""
NUMBERS: Mapping[str, tuple[float, float]] = {
    "learning_rate": (1e-9, 10),
    "momentum": (0, 0.999),
    "weight_decay": (0, 10),
    "dropout": (0, 0.9),
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
"""The same for these."""
MOST_LAYERS, MOST_UNITS = 8, 8192


def check_fields(values: Mapping[str, Any]) -> None:
    """Refuse nonsense in any field that has bounds or choices.

    Raises:
        RecipeError: the message names the field and what it takes.
    """
    _check_layers(values["hidden"])
    for field, choices in CHOICES.items():
        _check_choice(field, values[field], choices)
    for field, (fewest, most) in WHOLE_NUMBERS.items():
        _check_whole(field, values[field], fewest, most)
    for field, (least, greatest) in NUMBERS.items():
        _check_number(field, values[field], least, greatest)


def _check_layers(hidden: Any) -> None:
    if not isinstance(hidden, tuple | list) or not 1 <= len(hidden) <= MOST_LAYERS:
        raise RecipeError(f"hidden: {hidden!r} does not work. Give 1 to {MOST_LAYERS} layers, such as 100,100.")
    for units in hidden:
        _check_whole("hidden", units, 1, MOST_UNITS)


def _check_whole(field: str, value: Any, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RecipeError(f"{field}: {value!r} does not work. Give a whole number from {least} to {most}.")


def _check_number(field: str, value: Any, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise RecipeError(f"{field}: {value!r} does not work. Give a number from {least:g} to {most:g}.")


def _check_choice(field: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise RecipeError(f"{field}: there is no {value!r}. Choose one of: {', '.join(choices)}.")
