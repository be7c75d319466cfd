"""The status of a run, read from its folder, and the lists of runs."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

import psutil

from mnist_core.errors import RunError
from mnist_core.files import runs_dir
from mnist_core.images.datasets import DataName, LabelledImages
from mnist_core.recipes import Recipe
from mnist_core.runs import events
from mnist_core.runs.events import Ending, Epoch, Failed, RunEvent
from mnist_core.runs.folder import (
    CANCEL_FILE,
    CHECKPOINT_FILE,
    FIRST_LAYER_FILE,
    RUN_FILE,
    FineTuneRequest,
    RunNote,
    load_drawings,
    process_start,
    read_log,
    read_note,
)
from mnist_core.training import checkpoints
from mnist_core.versions.records import Curve
from mnist_core.versions.registry import RECORD_FILE

State = Literal["queued", "running", "finished", "failed", "cancelled", "interrupted"]
E = TypeVar("E", bound=RunEvent)


@dataclass(frozen=True)
class RunStatus:
    """The status of one run: a training or fine-tuning in a folder of its own."""

    id: str
    folder: Path
    state: State
    recipe: Recipe
    data: DataName
    created: str
    """UTC, ISO 8601."""
    place: float
    """Queued runs are done in the order of this."""
    pid: int | None
    """The process that does the run, did it, or waits to do it; None while no process has been started."""
    fine_tune: FineTuneRequest | None = None
    """None for a training from scratch."""

    @cached_property
    def events(self) -> tuple[RunEvent, ...]:
        """Return everything that has happened so far."""
        return events.read_events(self.folder)

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def ended(self) -> bool:
        """Return whether nothing more will happen unless somebody asks for it."""
        return self.state not in ("queued", "running")

    @property
    def stopping(self) -> bool:
        """Return whether the run was asked to end and has not ended yet."""
        return self.state == "running" and (self.folder / CANCEL_FILE).exists()

    @cached_property
    def resumable_epoch(self) -> int:
        """Return the epoch after which an unfinished run can be resumed; 0 if it cannot."""
        return 0 if self.state == "finished" else checkpoints.epoch_of(self.folder / CHECKPOINT_FILE)

    @property
    def best_epoch(self) -> Epoch | None:
        """Return the epoch with the highest validation accuracy so far; None if no epoch has ended."""
        return events.best_epoch(self.folder)

    @property
    def curve(self) -> Curve:
        """Return the figures of all epochs so far."""
        return Curve.of([asdict(epoch) for epoch in self.of(Epoch)])

    @property
    def first_layer_picture(self) -> bytes | None:
        """Return the weights of the first layer as a PNG picture; None if it has not been drawn yet."""
        try:
            return (self.folder / FIRST_LAYER_FILE).read_bytes()
        except OSError:
            return None

    @property
    def log(self) -> str:
        """Return the end of the log."""
        return read_log(self.folder)

    @property
    def drawings(self) -> LabelledImages | None:
        """Return the drawings that the run trains on; None if there are none.

        Raises:
            CheckpointError: the file that holds them is damaged.
        """
        return load_drawings(self.folder)

    @property
    def message(self) -> str:
        """Return why the run failed or ended early, in a sentence; empty for other runs."""
        if self.state == "failed":
            return self.of(Failed)[-1].message
        if self.state == "interrupted":
            return "The training process ended without a message, as after a crash or a power cut."
        if self.state == "cancelled":
            return "Cancelled before it was finished. Nothing was changed."
        return ""


def read_run(folder: Path) -> RunStatus:
    """Return the status of the run in `folder`.

    Raises:
        RunError: there is no run in it, or `run.json` is damaged.
    """
    note = read_note(folder)
    return RunStatus(
        id=folder.name,
        folder=folder,
        state=_state(folder, note),
        recipe=note.recipe,
        data=note.data,
        created=note.created,
        place=note.place,
        pid=note.pid,
        fine_tune=note.fine_tune,
    )


def all_runs() -> list[RunStatus]:
    """Return every run that can be read, the latest first."""
    runs = []
    for path in runs_dir().glob(f"*/{RUN_FILE}"):
        with suppress(RunError):
            runs.append(read_run(path.parent))
    return sorted(runs, key=lambda run: run.id, reverse=True)


def find_run(identifier: str) -> RunStatus:
    """Return the run with that id.

    Raises:
        RunError: there is none.
    """
    for run in all_runs():
        if run.id == identifier.removeprefix("runs/"):
            return run
    raise RunError(f"There is no run called {identifier!r}. `mnist-core runs` lists them.")


def latest_run() -> RunStatus | None:
    """Return the run that began last; None if there was none."""
    begun = [run for run in all_runs() if run.state != "queued"]
    return max(begun, key=lambda run: run.place, default=None)


def running_run() -> RunStatus | None:
    """Return the run that is being done now; None if there is none."""
    return next((run for run in all_runs() if run.state == "running"), None)


def queued_runs() -> list[RunStatus]:
    """Return the runs that wait for their turn, the next one first."""
    return sorted((run for run in all_runs() if run.state == "queued"), key=lambda run: (run.place, run.id))


def _state(folder: Path, note: RunNote) -> State:
    last = events.last_event(folder)
    if isinstance(last, Ending):
        too_late = last.event == "cancelled" and (folder / RECORD_FILE).exists()
        return "finished" if too_late else last.event
    if note.queued and note.pid is None:
        return "queued"
    if _is_alive(note):
        return "queued" if note.queued else "running"
    if (folder / RECORD_FILE).exists():  # killed after the version was saved, before the event
        return "finished"
    return "cancelled" if (folder / CANCEL_FILE).exists() else "interrupted"


def _is_alive(note: RunNote) -> bool:
    if note.pid is None or note.process_started is None:
        return False
    try:
        same = abs(process_start(note.pid) - note.process_started) < 1
        return same and psutil.Process(note.pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
