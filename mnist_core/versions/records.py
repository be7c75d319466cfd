"""The record that travels with a version's weights: where they come from, what they score, how to train them again."""

import dataclasses
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from typing import Annotated, Any, Self

import pydantic_core
from pydantic import (
    AfterValidator,
    BeforeValidator,
    FailFast,
    Field,
    FiniteFloat,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    WrapSerializer,
    model_serializer,
)

from mnist_core.evaluation.evaluation import Evaluation
from mnist_core.evaluation.pen_strokes import DrawingsEvaluation
from mnist_core.evaluation.statistics import Count, Share
from mnist_core.images.datasets import DataName
from mnist_core.network.calibration import SHARES, Calibration
from mnist_core.recipes import Recipe

FORMAT = 5
READABLE = (4, FORMAT)
"""Releases up to 0.2.0 wrote format 4. What such a record says of non-digits is not read: it names no kind."""

MAX_EPOCHS_IN_CURVE = 200
"""Of a longer training, every second, third, … epoch is recorded."""

MAX_KEYS = 100
MAX_WORDS = 200  # letters of a message, which may quote what the file holds


def _check_size(values: Any) -> Any:
    """Refuse a dictionary with so many entries that listing what is wrong with them would take minutes."""
    if isinstance(values, dict) and len(values) > MAX_KEYS:
        raise ValueError("too many entries")
    return values


Names = Annotated[tuple[str, ...], FailFast()]
Figures = Annotated[tuple[FiniteFloat, ...], FailFast()]


@dataclass(frozen=True)
class Curve:
    """How a training went, epoch by epoch; empty where it was not recorded.

    Raises:
        ValueError: the lists differ in length.
    """

    epoch: Annotated[tuple[Count, ...], FailFast()] = ()
    train_loss: Figures = ()
    train_accuracy: Figures = ()
    """Empty for the shipped versions, which were trained before it was measured."""
    validation_loss: Figures = ()
    validation_accuracy: Figures = ()

    def __post_init__(self) -> None:
        lengths = {len(self.epoch), len(self.train_loss), len(self.validation_loss), len(self.validation_accuracy)}
        if len(lengths) > 1 or len(self.train_accuracy) not in {0, *lengths}:
            raise ValueError("a curve whose lists differ in length")

    @classmethod
    def of(cls, epochs: Sequence[Mapping[str, Any]]) -> Self:
        """Return the curve of a training from the figures of each epoch; the last epoch is always part of it."""
        every = len(epochs) // MAX_EPOCHS_IN_CURVE + 1
        kept = [figures for place, figures in enumerate(reversed(epochs)) if place % every == 0][::-1]
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(*(tuple(round(figures[name], 5) for figures in kept if name in figures) for name in names))


@dataclass(frozen=True)
class Teaching:
    """What a version was fine-tuned with, and what that did to drawings it was not fine-tuned with."""

    base: str
    """The version it began as."""
    writers: Names
    """Whose drawings these are; empty: everybody's."""
    taught_with: Count
    """Drawings."""
    skipped: Annotated[Count, Field(alias="passed_over")]
    """Of these, the ones with doubtful labels."""
    before: Evaluation
    """Of the base, on the other drawings."""
    after: Evaluation
    """Of this version, on the same."""
    test_before: Evaluation
    """Of the base, on the test images of this version's `evaluation`."""
    newly_right: Names
    """Ids of those drawings that only this version classifies correctly."""
    newly_wrong: Names
    """Ids of those that only the base classifies correctly."""
    learned: Names = ()
    """Ids of all drawings that this version or its base was fine-tuned with; they cannot judge what comes of it."""


def _read_recipe(values: Any) -> Recipe:
    if not isinstance(values, dict):
        raise ValueError("not a recipe")
    return Recipe.from_dict(values)


def _check_shares(values: Any) -> Any:
    if isinstance(values, dict):
        if values.get("accepted_shares") != list(SHARES):
            raise ValueError("thresholds for other shares than this program's")
        if not isinstance(values.get("thresholds"), list) or len(values["thresholds"]) != len(SHARES):
            raise ValueError("damaged thresholds")
    return values


def _check_calibration(calibration: Calibration) -> Calibration:
    if not 0 < calibration.temperature < math.inf:
        raise ValueError("a temperature that is not positive")
    if any(map(math.isnan, calibration.thresholds)):
        raise ValueError("damaged thresholds")
    return calibration


def _write_calibration(calibration: Calibration, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
    return {**fields(calibration), "accepted_shares": list(SHARES)}


def _check_time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


@dataclass(frozen=True)
class Record:
    """Where a version's weights come from and what they score; enough to rebuild and to train it again."""

    recipe: Annotated[Recipe, PlainValidator(_read_recipe), PlainSerializer(Recipe.to_dict)]
    command: str
    """Trains it again."""
    data: DataName
    images: Annotated[Mapping[str, Count], BeforeValidator(_check_size)]
    """How many it was trained, validated and tested on; under `drawings`, how many of the first are people's."""
    checksums: Annotated[Mapping[str, str], BeforeValidator(_check_size)]
    """MD5 of the data files."""
    epoch: Count
    """The one whose weights these are."""
    validation_accuracy: Share
    """After that epoch."""
    curve: Curve
    calibration: Annotated[
        Calibration,
        BeforeValidator(_check_shares),
        AfterValidator(_check_calibration),
        WrapSerializer(_write_calibration),
    ]
    """Fitted on the validation images."""
    evaluation: Evaluation
    """On the test images, made once, after training."""
    duration_seconds: FiniteFloat
    device: str
    created: Annotated[str, AfterValidator(_check_time)]
    """UTC, ISO 8601."""
    libraries: Annotated[Mapping[str, str], BeforeValidator(_check_size)]
    weights_sha256: str = ""
    """Filled in on saving; ties this record to its weights."""
    drawings: Annotated[tuple[DrawingsEvaluation, ...], FailFast()] = ()
    """On people's drawings, one for each setting, if they were evaluated."""
    teaching: Teaching | None = None
    """For a fine-tuned version."""

    @property
    def learned_from_drawings(self) -> bool:
        """Whether people's corrected drawings were among what it learned from."""
        return self.teaching is not None or self.images.get("drawings", 0) > 0

    def to_json(self) -> str:
        """Return the record as JSON text, as `from_json` reads it."""
        return json.dumps(_ADAPTER.dump_python(self, by_alias=True), indent=1) + "\n"

    @model_serializer(mode="wrap")
    def _with_figures(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Add the format, and figures for readers of the file that loading ignores."""
        recipe = self.recipe
        derived = {"layer_sizes": list(recipe.layer_sizes), "parameters": recipe.parameter_count}
        return {"format": FORMAT, **fields(self), **derived}

    @classmethod
    def from_json(cls, content: bytes | str) -> Self:
        """Read and check a record.

        Raises:
            ValueError: it is damaged or not a record; the message says in a few words what is wrong.
        """
        values = pydantic_core.from_json(content)
        found = values.get("format") if isinstance(values, dict) else None
        if found not in READABLE:
            raise ValueError(f"its format is {found!r:.20}, this program reads {' and '.join(map(str, READABLE))}")
        try:
            record: Self = _ADAPTER.validate_python(values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            words = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise ValueError(words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]} …") from error
        return record


_ADAPTER: TypeAdapter[Any] = TypeAdapter(Record)


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that decide the outcome of a training."""
    packages = ("mnist-core", "torch", "torchvision", "numpy", "safetensors")
    return {"python": platform.python_version(), **{name: installed_version(name) for name in packages}}


def now() -> str:
    """Return the time in UTC, as records hold it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
