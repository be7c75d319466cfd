"""What happens in a run, as typed events, and the file that holds them: one line of JSON for each event.

The process that does the run appends events; pages and commands read them, at any time and as often as they like.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from mnist_core.files import read_when_changed, write_atomically
from mnist_core.recipes import Recipe

EVENTS_FILE = "events.jsonl"
TAIL_BYTES = 8192
"""Longer than any event."""


@dataclass(frozen=True, kw_only=True)
class _Event:
    time: float = field(default_factory=time.time, compare=False)
    """Seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class Download(_Event):
    """How much of a file has been downloaded."""

    event: Literal["download"] = "download"
    file: str
    bytes: int
    bytes_total: int
    """0 if the server does not say."""


@dataclass(frozen=True, kw_only=True)
class Loaded(_Event):
    """The images have been read."""

    event: Literal["loaded"] = "loaded"
    images: dict[str, int]
    """How many there are for training, validation and test, and how many drawings."""


@dataclass(frozen=True, kw_only=True)
class Resumed(_Event):
    """An interrupted run continues after this epoch."""

    event: Literal["resumed"] = "resumed"
    epoch: int


@dataclass(frozen=True, kw_only=True)
class Step(_Event):
    """How far training is, a few times a second; see `training.progress.StepProgress`."""

    event: Literal["step"] = "step"
    epoch: int
    images_seen: int
    images_total: int
    loss: float
    images_per_second: float
    seconds_left: float


@dataclass(frozen=True, kw_only=True)
class Epoch(_Event):
    """The figures after one epoch; see `training.progress.EpochProgress`."""

    event: Literal["epoch"] = "epoch"
    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    validation_confusion: tuple[tuple[int, ...], ...]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TeachingStep(_Event):
    """How far fine-tuning is; see `training.finetune.TeachProgress`."""

    event: Literal["teaching"] = "teaching"
    step: int
    steps: int
    loss: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class TeachingEnded(_Event):
    """Fine-tuning is done; the result is evaluated next."""

    event: Literal["taught"] = "taught"
    drawings: int
    skipped: Annotated[int, Field(alias="passed_over")]
    """Drawings whose labels are doubtful."""


@dataclass(frozen=True, kw_only=True)
class Evaluating(_Event):
    """The evaluation on test images begins."""

    event: Literal["evaluating"] = "evaluating"
    on: str


@dataclass(frozen=True)
class BeforeAndAfter:
    """How many images were classified correctly before and after fine-tuning."""

    images: int
    right_before: int
    right_after: int


@dataclass(frozen=True)
class TeachingResult:
    """What fine-tuning achieved."""

    drawings: BeforeAndAfter
    test: BeforeAndAfter
    newly_right: int
    newly_wrong: int
    p_value: float
    """McNemar's exact test on the drawings."""


@dataclass(frozen=True, kw_only=True)
class Finished(_Event):
    """The version is saved."""

    event: Literal["finished"] = "finished"
    version: str
    teaching: TeachingResult | None = None


@dataclass(frozen=True, kw_only=True)
class Failed(_Event):
    """The run ended with an error."""

    event: Literal["failed"] = "failed"
    kind: str
    """Name of the exception."""
    message: str


@dataclass(frozen=True, kw_only=True)
class Cancelled(_Event):
    """Somebody ended the run."""

    event: Literal["cancelled"] = "cancelled"


Ending = Finished | Failed | Cancelled
RunEvent = Download | Loaded | Resumed | Step | Epoch | TeachingStep | TeachingEnded | Evaluating | Ending
Emit = Callable[[RunEvent], None]

_ADAPTER: TypeAdapter[RunEvent] = TypeAdapter(Annotated[RunEvent, Field(discriminator="event")])


def to_json(event: RunEvent) -> str:
    """Return an event as a line of JSON, without the line's end."""
    values: dict[str, Any] = _ADAPTER.dump_python(event, mode="json", by_alias=True, exclude_none=True)
    return json.dumps(values)  # a loss that is not a number stays NaN; pydantic would write null


def append_event(folder: Path, event: RunEvent) -> None:
    """Append an event to the events of the run in `folder`, in one write, since readers may come at any time."""
    with (folder / EVENTS_FILE).open("a", encoding="utf-8") as file:
        file.write(to_json(event) + "\n")


@read_when_changed(EVENTS_FILE, maxsize=4)  # a long run has many
def read_events(folder: Path) -> tuple[RunEvent, ...]:
    """Return all events of the run in `folder`, in order."""
    return _read_end(folder)


@read_when_changed(EVENTS_FILE, maxsize=4096)
def last_event(folder: Path) -> RunEvent | None:
    """Return the latest event of the run in `folder`; None if nothing has happened yet."""
    events = _read_end(folder, TAIL_BYTES)
    return events[-1] if events else None


@read_when_changed(EVENTS_FILE, maxsize=4096)
def best_epoch(folder: Path) -> Epoch | None:
    """Return the epoch with the highest validation accuracy; None if no epoch has ended."""
    epochs = (event for event in read_events(folder) if isinstance(event, Epoch))
    return max(epochs, key=lambda event: event.validation_accuracy, default=None)


def drop_events_after(folder: Path, epoch: int) -> None:
    """Remove the events after an epoch: a run that is resumed there repeats them."""
    events = (event for event in read_events(folder) if not isinstance(event, Evaluating | Ending))
    kept = (event for event in events if getattr(event, "epoch", 0) <= epoch)
    write_atomically(folder / EVENTS_FILE, "".join(to_json(event) + "\n" for event in kept))


def describe(event: RunEvent, recipe: Recipe | None = None) -> str:
    """Return the line for a log; empty if the event is not worth one."""
    match event:
        case Download() if event.bytes == event.bytes_total:
            return f"downloaded {event.file} ({event.bytes / 1e6:.1f} MB)"
        case Loaded():
            return ", ".join(f"{count:,} {part}" for part, count in event.images.items()) + " images"
        case TeachingEnded():
            return f"taught with {event.drawings:,} drawings, {event.skipped:,} skipped"
        case Resumed():
            return f"resumed after epoch {event.epoch}"
        case Epoch():
            of = f"/{recipe.epochs}" if recipe else ""
            return (
                f"epoch {event.epoch}{of}: loss {event.train_loss:.4f}, "
                f"validation loss {event.validation_loss:.4f}, "
                f"validation accuracy {event.validation_accuracy:.2%}, {event.seconds:.1f} s"
            )
        case Evaluating():
            return f"evaluating on {event.on}"
        case Finished() | Cancelled():
            return event.event
        case Failed():
            return f"failed: {event.message}"
    return ""


def _read_end(folder: Path, most: int | None = None) -> tuple[RunEvent, ...]:
    """Read the events in the last `most` bytes of the file, or all; skip half a line and foreign ones."""
    try:
        with (folder / EVENTS_FILE).open("rb") as file:
            if most is not None:
                file.seek(max(0, file.seek(0, 2) - most))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return ()
    events = []
    for line in lines:
        with suppress(ValidationError):
            events.append(_ADAPTER.validate_json(line))
    return tuple(events)
