"""What a run is: one training or lesson, in a folder of its own, and where it stands; and which runs there are."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import psutil

from mnist_core.errors import RunError
from mnist_core.files import runs_dir
from mnist_core.images.datasets import DataName
from mnist_core.recipes import Recipe
from mnist_core.runs.assignments import Lesson
from mnist_core.runs.folder import (
    CANCEL_FILE,
    CHECKPOINT_FILE,
    ENDINGS,
    RUN_FILE,
    Event,
    Facts,
    read_events,
    read_facts,
    unreadable,
)
from mnist_core.training import checkpoints
from mnist_core.versions.registry import RECORD_FILE

State = Literal["queued", "running", "finished", "failed", "cancelled", "interrupted"]


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands, read from its folder."""

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
    """The process that does it, or did; of a queued run, one that waits for its turn, or None where none does yet."""
    lesson: Lesson | None = None
    """What it teaches; None where it trains."""

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Everything that has happened so far."""
        return read_events(self.folder)

    def of(self, kind: str) -> list[Event]:
        """The events of one kind, in order.

        Kinds: download, loaded, resumed, step, epoch, teaching, evaluating, finished, failed, cancelled.
        """
        return [event for event in self.events if event["event"] == kind]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen unless somebody asks for it."""
        return self.state not in ("queued", "running")

    @property
    def stopping(self) -> bool:
        """Whether it still goes on though it was asked to end."""
        return self.state == "running" and (self.folder / CANCEL_FILE).exists()

    @cached_property
    def resumable_epoch(self) -> int:
        """The epoch that an unfinished run can go on from; 0 where it cannot."""
        return 0 if self.state == "finished" else checkpoints.epoch_of(self.folder / CHECKPOINT_FILE)

    @property
    def message(self) -> str:
        """Why the run failed or ended early, in a sentence; empty where it did not."""
        if self.state == "failed":
            return str(self.of("failed")[-1]["message"])
        if self.state == "interrupted":
            return "The training process ended without a word, as after a crash or a power cut."
        if self.state == "cancelled":
            return "Cancelled before it was finished; nothing was changed."
        return ""


def read_run(folder: Path) -> RunStatus:
    """Where the run in `folder` stands.

    Raises:
        RunError: there is no run in it, or what describes it is damaged.
    """
    try:
        facts = read_facts(folder)
        noted = facts.noted
        return RunStatus(
            id=folder.name,
            folder=folder,
            state=_state(folder, facts),
            recipe=facts.recipe,
            data=noted["data"],
            created=noted["created"],
            place=float(noted.get("place", 0)),
            pid=noted["pid"],
            lesson=facts.lesson,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unreadable(folder, error) from error


def all_runs() -> list[RunStatus]:
    """Every run that can be read, the latest first."""
    runs = []
    for path in runs_dir().glob(f"*/{RUN_FILE}"):
        with suppress(RunError):
            runs.append(read_run(path.parent))
    return sorted(runs, key=lambda run: run.id, reverse=True)


def find_run(identifier: str) -> RunStatus:
    """The run of that id.

    Raises:
        RunError: there is none.
    """
    for run in all_runs():
        if run.id == identifier.removeprefix("runs/"):
            return run
    raise RunError(f"There is no run called {identifier!r}. `mnist-core runs` lists them.")


def latest_run() -> RunStatus | None:
    """The run that began last; None where there was none."""
    begun = [run for run in all_runs() if run.state != "queued"]
    return max(begun, key=lambda run: run.place, default=None)


def running_run() -> RunStatus | None:
    """The run that is going on now."""
    return next((run for run in all_runs() if run.state == "running"), None)


def queued_runs() -> list[RunStatus]:
    """The runs that wait for their turn, the next one first."""
    return sorted((run for run in all_runs() if run.state == "queued"), key=lambda run: (run.place, run.id))


def _state(folder: Path, facts: Facts) -> State:
    for ending in ENDINGS:
        if facts.last_event == ending:
            too_late = ending == "cancelled" and (folder / RECORD_FILE).exists()
            return "finished" if too_late else ending
    noted = facts.noted
    if noted.get("queued") and noted["pid"] is None:
        return "queued"
    if noted["pid"] is not None and _is_alive(noted["pid"], noted["process_started"]):
        return "queued" if noted.get("queued") else "running"
    if (folder / RECORD_FILE).exists():  # saved, and killed before it could say so
        return "finished"
    return "cancelled" if (folder / CANCEL_FILE).exists() else "interrupted"


def _is_alive(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
