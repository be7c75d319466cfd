"""A run's folder: what was requested, which process does it, its log, and the drawings it trains on.

    run.json                   what was requested, and by which process it is done
    events.jsonl               what happened, a line for each event; see `runs.events`
    log.txt                    the same for people
    drawings.safetensors       drawings to train on, as they were when the run was requested
    checkpoint.safetensors     the state after the last epoch, from which the run can be resumed
    first_layer.png            the weights of the first layer as a picture
    model.safetensors, .json   the version, when the run has finished

Whoever follows a run reads these files, so it makes no difference which program started it, and nothing is lost when a
reader goes away.
"""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import psutil
from pydantic import Field, PlainSerializer, PlainValidator, TypeAdapter
from safetensors import SafetensorError
from safetensors.numpy import load as arrays_from_bytes
from safetensors.numpy import save as bytes_from_arrays

from mnist_core.errors import CheckpointError, RunError
from mnist_core.files import read_when_changed, write_atomically
from mnist_core.images.datasets import DataName, LabelledImages
from mnist_core.recipes import Recipe
from mnist_core.versions.records import now

RUN_FILE, LOG_FILE, CANCEL_FILE = "run.json", "log.txt", "cancel"
CHECKPOINT_FILE, FIRST_LAYER_FILE, DRAWINGS_FILE = "checkpoint.safetensors", "first_layer.png", "drawings.safetensors"
LOG_LETTERS = 20_000
"""How much of the end of a log is shown."""


@dataclass(frozen=True)
class FineTuneRequest:
    """A request to fine-tune a version with stored drawings."""

    base: str
    """The version whose copy is fine-tuned."""
    writers: tuple[str, ...] = ()
    """Whose drawings to use; empty: everybody's."""


@dataclass(frozen=True)
class RunRequest:
    """A request to train by `recipe` on the images of `data`, or to fine-tune while replaying them."""

    recipe: Recipe
    data: DataName
    fine_tune: FineTuneRequest | None = None
    """None for a training from scratch."""
    drawings: LabelledImages | None = None
    """Drawings to train on besides `data`."""


@dataclass(frozen=True)
class RunNote:
    """What `run.json` says."""

    recipe: Annotated[Recipe, PlainValidator(Recipe.from_dict), PlainSerializer(Recipe.to_dict)]
    data: DataName
    created: str
    """UTC, ISO 8601."""
    fine_tune: Annotated[FineTuneRequest | None, Field(alias="lesson")]
    queued: bool
    """Whether the run waits for its turn."""
    place: float
    """Queued runs are done in the order of this."""
    pid: int | None
    """The process that does the run, or waits to do it; None while no process has been started."""
    process_started: float | None
    """`process_start` of it: the operating system uses a process number again, but not with the same start."""


_NOTE: TypeAdapter[RunNote] = TypeAdapter(RunNote)


def write_run(folder: Path, request: RunRequest, pid: int | None, *, queued: bool = False) -> None:
    """Write a request into `folder`, with the process that does it and whether it waits for its turn."""
    save_drawings(folder, request.drawings)  # first: whoever finds a run finds all that it needs
    note = RunNote(request.recipe, request.data, now(), request.fine_tune, queued, time.time(), pid, _started(pid))
    _write_note(folder, note)


def update_run(folder: Path, pid: int | None, *, queued: bool | None = None, place: float | None = None) -> None:
    """Change the process of the run in `folder`, and, if given, whether it is queued and its place in the queue.

    Raises:
        RunError: there is no run in `folder`, or `run.json` is damaged.
    """
    note = read_note(folder)
    queued = note.queued if queued is None else queued
    place = note.place if place is None else place
    _write_note(folder, replace(note, queued=queued, place=place, pid=pid, process_started=_started(pid)))


def read_note(folder: Path) -> RunNote:
    """Read `run.json` in `folder`; again only after it has changed, since pages ask for all runs twice a second.

    Raises:
        RunError: it is missing or damaged.
    """
    try:
        return _read_note(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = "missing" if isinstance(error, FileNotFoundError) else "damaged"
        raise RunError(f"{folder} holds no run that can be read: {RUN_FILE} is {what}. Start a new one.") from error


@read_when_changed(RUN_FILE, maxsize=4096)
def _read_note(folder: Path) -> RunNote:
    return _NOTE.validate_json((folder / RUN_FILE).read_bytes())


def _write_note(folder: Path, note: RunNote) -> None:
    values: dict[str, Any] = _NOTE.dump_python(note, mode="json", by_alias=True)
    write_atomically(folder / RUN_FILE, json.dumps(values, indent=1) + "\n")


def process_start(pid: int) -> float:
    """Return when a process started, in seconds, as a number that stays the same when the clock is set.

    Linux counts from when the machine was booted, and works out the time of day from that and the clock of now.

    Raises:
        psutil.NoSuchProcess: there is no such process.
    """
    created = psutil.Process(pid).create_time()
    return created - psutil.boot_time() if psutil.LINUX else created


def _started(pid: int | None) -> float | None:
    return process_start(pid) if pid is not None else None


def append_log(folder: Path, text: str) -> None:
    """Append a line, or several, to the log of the run in `folder`."""
    with (folder / LOG_FILE).open("a", encoding="utf-8") as file:
        file.write(text.rstrip("\n") + "\n")


def read_log(folder: Path) -> str:
    """Return the end of the log of the run in `folder`."""
    try:
        return (folder / LOG_FILE).read_text(errors="replace")[-LOG_LETTERS:]
    except OSError:
        return "Nothing was logged."


def save_drawings(folder: Path, drawings: LabelledImages | None) -> None:
    """Save the drawings that the run in `folder` trains on, if any, so that they stay the same until its end."""
    if drawings is not None and len(drawings):
        content = bytes_from_arrays({"images": drawings.images, "labels": drawings.labels})
        write_atomically(folder / DRAWINGS_FILE, content)


def load_drawings(folder: Path) -> LabelledImages | None:
    """Load what `save_drawings` saved; None if the run trains on no drawings.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = folder / DRAWINGS_FILE
    if not path.exists():
        return None
    try:
        arrays = arrays_from_bytes(path.read_bytes())
        return LabelledImages("corrected drawings", arrays["images"], arrays["labels"])
    except (OSError, KeyError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}). Start the run again instead.") from error
