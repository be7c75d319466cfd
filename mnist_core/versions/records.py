"""The record that travels with a version's weights: where they come from, what they are worth, how to repeat them."""

import dataclasses
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from typing import Any, Self

from mnist_core.evaluation.evaluation import Evaluation
from mnist_core.evaluation.pen_strokes import DrawingsEvaluation
from mnist_core.network.calibration import Calibration
from mnist_core.recipes import Recipe

FORMAT = 4
MOST_EPOCHS = 200
"""Kept in a record's curve; of longer trainings, every so many."""


@dataclass(frozen=True)
class Curve:
    """How a training went, epoch by epoch; empty where nobody wrote that down."""

    epoch: tuple[int, ...] = ()
    train_loss: tuple[float, ...] = ()
    train_accuracy: tuple[float, ...] = ()
    """Empty in records of old."""
    validation_loss: tuple[float, ...] = ()
    validation_accuracy: tuple[float, ...] = ()

    @classmethod
    def of(cls, epochs: Sequence[Mapping[str, Any]]) -> Self:
        """From what was told of each epoch; the last one is always kept."""
        every = len(epochs) // MOST_EPOCHS + 1
        kept = [figures for place, figures in enumerate(reversed(epochs)) if place % every == 0][::-1]
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(*(tuple(round(figures[name], 5) for figures in kept if name in figures) for name in names))


@dataclass(frozen=True)
class Teaching:
    """What a version was taught, and what that did to drawings that it was not taught with."""

    base: str
    """The version it began as."""
    writers: tuple[str, ...]
    """Whose drawings these are; empty: everybody's."""
    taught_with: int
    """Drawings."""
    passed_over: int
    """Of these, as their labels are doubtful."""
    before: Evaluation
    """Of the base, on the other drawings."""
    after: Evaluation
    """Of this version, on the same."""
    test_before: Evaluation
    """Of the base, on the test images that this version's `evaluation` is on."""
    newly_right: tuple[str, ...]
    """Ids of those drawings that only this version reads rightly."""
    newly_wrong: tuple[str, ...]
    """And of those that only the base did."""
    learned: tuple[str, ...] = ()
    """Ids of all drawings that it or what it began as was taught with: these cannot judge what comes of it."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value.to_dict() if isinstance(value, Evaluation) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote down."""
        known = {"learned": (), **values}
        for name in ("before", "after", "test_before"):
            known[name] = Evaluation.from_dict(known[name])
        for name in ("writers", "newly_right", "newly_wrong", "learned"):
            known[name] = tuple(known[name])
        return cls(**known)


@dataclass(frozen=True)
class Record:
    """Where a version's weights come from and what they are worth; enough to rebuild and to repeat it."""

    recipe: Recipe
    command: str
    """Trains it again."""
    data: str
    """`mnist` or `sample`."""
    images: Mapping[str, int]
    """How many were trained on, validated on and tested on; and how many of the first are people's drawings."""
    checksums: Mapping[str, str]
    """md5 of the data files."""
    epoch: int
    """The one whose weights these are."""
    validation_accuracy: float
    """After that epoch."""
    curve: Curve
    calibration: Calibration
    """Fitted on the validation images."""
    evaluation: Evaluation
    """On the test images, made once, after training."""
    duration_seconds: float
    device: str
    created: str
    """UTC, ISO 8601."""
    libraries: Mapping[str, str]
    weights_sha256: str = ""
    """Filled in on saving; ties this record to its weights."""
    drawings: tuple[DrawingsEvaluation, ...] = ()
    """On people's drawings, one for each setting, where somebody measured that."""
    teaching: Teaching | None = None
    """Where it was not trained but taught."""

    @property
    def learned_from_drawings(self) -> bool:
        """Whether drawings that people corrected were among what it learned from."""
        return self.teaching is not None or self.images.get("drawings", 0) > 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            "format": FORMAT,
            **values,
            "recipe": self.recipe.to_dict(),
            "layer_sizes": list(self.recipe.layer_sizes),
            "parameters": self.recipe.parameter_count,
            "curve": dataclasses.asdict(self.curve),
            "calibration": self.calibration.to_dict(),
            "evaluation": self.evaluation.to_dict(),
            "drawings": [evaluation.to_dict() for evaluation in self.drawings],
            "teaching": self.teaching.to_dict() if self.teaching else None,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The record that `to_dict` wrote down.

        Raises:
            KeyError, TypeError, ValueError: it is not such a record.
        """
        if values["format"] not in range(1, FORMAT + 1):
            raise ValueError(f"its format is {values['format']!r}, this program knows {FORMAT}")
        recipe = Recipe.from_dict(values["recipe"])
        if values["format"] == 1:  # before there was calibration; such a version accepts everything
            values = {**values, "calibration": Calibration().to_dict(), "drawings": ()}
        if values["format"] <= 2:  # before the best epoch could be kept
            values = {**values, "epoch": recipe.epochs, "curve": {}}
        if values["format"] <= 3:  # before versions were taught
            values = {**values, "teaching": None}
        known = {field.name: values[field.name] for field in dataclasses.fields(cls)}
        known["recipe"] = recipe
        known["curve"] = Curve(**{name: tuple(figures) for name, figures in values["curve"].items()})
        known["calibration"] = Calibration.from_dict(values["calibration"])
        known["evaluation"] = Evaluation.from_dict(values["evaluation"])
        known["teaching"] = Teaching.from_dict(values["teaching"]) if values["teaching"] else None
        known["drawings"] = tuple(map(DrawingsEvaluation.from_dict, values["drawings"]))
        return cls(**known)


def library_versions() -> dict[str, str]:
    """The versions of what decides a training's outcome."""
    packages = ("mnist-core", "torch", "torchvision", "numpy", "safetensors")
    return {"python": platform.python_version(), **{name: installed_version(name) for name in packages}}


def now() -> str:
    """The time in UTC as records hold it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
