"""A run: one training by a recipe, in a folder of its own that tells everything about it.

`run.json` says what was asked for and which process does it; `events.jsonl` grows by a line whenever something happens,
`log.txt` by a line for people; `checkpoint.safetensors` is where it can go on from, `first_layer.png` what the first
layer looks like. `model.safetensors` and `model.json`, the version, appear when it is finished. Whoever follows a run
reads these files, so it makes no difference which program started it, and nothing is lost when a reader goes away.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import psutil

from mnist_core import checkpoints
from mnist_core.assignments import Assignment, Lesson, keep_drawings
from mnist_core.datasets import DataName
from mnist_core.errors import RunError
from mnist_core.files import write_atomically
from mnist_core.recipes import Recipe
from mnist_core.records import now
from mnist_core.registry import RECORD_FILE

RUN_FILE, EVENTS_FILE, LOG_FILE, CANCEL_FILE = "run.json", "events.jsonl", "log.txt", "cancel"
CHECKPOINT_FILE, FIRST_LAYER_FILE = "checkpoint.safetensors", "first_layer.png"
TAIL_BYTES = 8192
"""Longer than any event."""

State = Literal["queued", "running", "finished", "failed", "cancelled", "interrupted"]
ENDINGS: tuple[State, ...] = ("finished", "failed", "cancelled")
Event = Mapping[str, Any]
Emit = Callable[[Event], None]


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
        return _read_events(self.folder)

    def of(self, kind: str) -> list[Event]:
        """The events of one kind, in order.

        Kinds: download, loaded, resumed, step, epoch, teaching, evaluating, finished, failed, cancelled.
        """
        return [event for event in self.events if event["event"] == kind]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen unless somebody asks for it."""
        return self.state not in ("queued", "running")

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


def write_run(folder: Path, assignment: Assignment, pid: int | None, *, queued: bool = False) -> None:
    """Note in `folder` what is run there, by which process, and whether it has to wait for its turn."""
    keep_drawings(folder, assignment.drawings)  # first: whoever finds a run finds all that it needs
    values = {
        "recipe": assignment.recipe.to_dict(),
        "data": assignment.data,
        "created": now(),
        "lesson": asdict(assignment.lesson) if assignment.lesson else None,
        "queued": queued,
        "place": time.time(),
    }
    _write(folder, values, pid)


def update_run(folder: Path, pid: int | None, **changes: object) -> None:
    """Change what `write_run` noted: the process, whether it is queued, its place in the queue.

    Raises:
        RunError: there is no run in `folder`.
    """
    try:
        values = json.loads((folder / RUN_FILE).read_text())
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error
    _write(folder, values | changes, pid)


def _write(folder: Path, values: Mapping[str, object], pid: int | None) -> None:
    # a process number is used again after a while; with its starting time it is unique
    started = psutil.Process(pid).create_time() if pid is not None else None
    run = {**values, "pid": pid, "process_started": started}
    write_atomically(folder / RUN_FILE, json.dumps(run, indent=1) + "\n")


def append_event(folder: Path, event: Event) -> None:
    """Add a line to the run's events; whole lines only, as readers may come at any time."""
    with (folder / EVENTS_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"time": time.time(), **event}) + "\n")


def append_log(folder: Path, text: str) -> None:
    """Add a line, or several, to the run's log."""
    with (folder / LOG_FILE).open("a", encoding="utf-8") as file:
        file.write(text.rstrip("\n") + "\n")


def read_log(run: RunStatus, *, most: int = 20_000) -> str:
    """The end of a run's log."""
    try:
        return (run.folder / LOG_FILE).read_text(errors="replace")[-most:]
    except OSError:
        return "Nothing was logged."


def forget_after(folder: Path, epoch: int) -> None:
    """Take out of the events what came after an epoch: a resumed run does that again."""
    kept = []
    for event in _read_events(folder):
        if event["event"] in (*ENDINGS, "evaluating") or event.get("epoch", 0) > epoch:
            continue
        kept.append(json.dumps(event) + "\n")
    write_atomically(folder / EVENTS_FILE, "".join(kept))
    (folder / CANCEL_FILE).unlink(missing_ok=True)


def read_run(folder: Path) -> RunStatus:
    """Where the run in `folder` stands.

    Raises:
        RunError: there is no run in it, or what describes it is damaged.
    """
    try:
        facts = _facts(folder, _stamp(folder / RUN_FILE), _stamp(folder / EVENTS_FILE))
        run = facts.run
        return RunStatus(
            id=folder.name,
            folder=folder,
            state=_state(folder, facts),
            recipe=facts.recipe,
            data=run["data"],
            created=run["created"],
            place=float(run.get("place", 0)),
            pid=run["pid"],
            lesson=Lesson(lesson["base"], tuple(lesson["writers"])) if (lesson := run.get("lesson")) else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(folder, error) from error


@dataclass(frozen=True)
class _Facts:
    """What a run's files say, whether or not its process is still there."""

    run: Mapping[str, Any]
    recipe: Recipe
    last_event: str


@lru_cache(maxsize=4096)
def _facts(folder: Path, _run_stamp: object, _events_stamp: object) -> _Facts:
    """Read again only when the files have changed: pages ask twice a second, of all runs there are."""
    run = json.loads((folder / RUN_FILE).read_text())
    events = _read_events(folder, TAIL_BYTES)
    return _Facts(run, Recipe.from_dict(run["recipe"]), events[-1]["event"] if events else "")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _state(folder: Path, facts: _Facts) -> State:
    for ending in ENDINGS:
        if facts.last_event == ending:
            too_late = ending == "cancelled" and (folder / RECORD_FILE).exists()
            return "finished" if too_late else ending
    run = facts.run
    if run.get("queued") and run["pid"] is None:
        return "queued"
    if run["pid"] is not None and _is_alive(run["pid"], run["process_started"]):
        return "queued" if run.get("queued") else "running"
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


def _read_events(folder: Path, most: int | None = None) -> tuple[Event, ...]:
    """The events, or those in the last `most` bytes."""
    try:
        with (folder / EVENTS_FILE).open("rb") as file:
            if most is not None:
                file.seek(max(0, file.seek(0, 2) - most))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return ()
    events = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:  # half a line: being written, or cut off by a crash
            continue
        if isinstance(event, dict) and "event" in event:
            events.append(event)
    return tuple(events)


def _unreadable(folder: Path, error: Exception) -> RunError:
    return RunError(f"{folder} holds no run that can be read ({error!r}). Start a new one.")
