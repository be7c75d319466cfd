"""The files in a run's folder: how they are written by whoever does the run, and read by whoever follows it.

`run.json` says what was asked for and which process does it; `events.jsonl` grows by a line whenever something happens,
`log.txt` by a line for people; `checkpoint.safetensors` is where it can go on from, `first_layer.png` what the first
layer looks like. `model.safetensors` and `model.json`, the version, appear when it is finished. Whoever follows a run
reads these files, so it makes no difference which program started it, and nothing is lost when a reader goes away.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import psutil

from mnist_core.errors import RunError
from mnist_core.files import file_stamp, write_atomically
from mnist_core.recipes import Recipe
from mnist_core.runs.assignments import Assignment, Lesson, keep_drawings
from mnist_core.versions.records import now

RUN_FILE, EVENTS_FILE, LOG_FILE, CANCEL_FILE = "run.json", "events.jsonl", "log.txt", "cancel"
CHECKPOINT_FILE, FIRST_LAYER_FILE = "checkpoint.safetensors", "first_layer.png"
TAIL_BYTES = 8192
"""Longer than any event."""

ENDINGS: tuple[Literal["finished", "failed", "cancelled"], ...] = ("finished", "failed", "cancelled")
"""Events after which nothing more happens."""
Event = Mapping[str, Any]
Emit = Callable[[Event], None]


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
        raise unreadable(folder, error) from error
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


def read_events(folder: Path, most: int | None = None) -> tuple[Event, ...]:
    """The run's events, or those in the last `most` bytes."""
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


def read_log(folder: Path, *, most: int = 20_000) -> str:
    """The end of the run's log."""
    try:
        return (folder / LOG_FILE).read_text(errors="replace")[-most:]
    except OSError:
        return "Nothing was logged."


def forget_after(folder: Path, epoch: int) -> None:
    """Take out of the events what came after an epoch: a resumed run does that again."""
    kept = []
    for event in read_events(folder):
        if event["event"] in (*ENDINGS, "evaluating") or event.get("epoch", 0) > epoch:
            continue
        kept.append(json.dumps(event) + "\n")
    write_atomically(folder / EVENTS_FILE, "".join(kept))
    (folder / CANCEL_FILE).unlink(missing_ok=True)


@dataclass(frozen=True)
class Facts:
    """What a run's files say, whether or not its process is still there."""

    noted: Mapping[str, Any]
    """As `write_run` and `update_run` noted it."""
    recipe: Recipe
    lesson: Lesson | None
    last_event: str


def read_facts(folder: Path) -> Facts:
    """What the files of the run in `folder` say.

    Raises:
        OSError, ValueError, KeyError, TypeError: they are missing or damaged.
    """
    return _facts(folder, file_stamp(folder / RUN_FILE), file_stamp(folder / EVENTS_FILE))


@lru_cache(maxsize=4096)
def _facts(folder: Path, _run_stamp: object, _events_stamp: object) -> Facts:
    """Read again only when the files have changed: pages ask twice a second, of all runs there are."""
    noted = json.loads((folder / RUN_FILE).read_text())
    recipe = Recipe.from_dict(noted["recipe"])
    lesson = Lesson(lesson["base"], tuple(lesson["writers"])) if (lesson := noted.get("lesson")) else None
    events = read_events(folder, TAIL_BYTES)
    return Facts(noted, recipe, lesson, events[-1]["event"] if events else "")


def unreadable(folder: Path, error: Exception) -> RunError:
    """What to raise where a run's files are missing or damaged."""
    return RunError(f"{folder} holds no run that can be read ({error!r}). Start a new one.")
