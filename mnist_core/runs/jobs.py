"""What is asked of a run: that it starts, goes on, or is cancelled; or that the process which asks may do it."""

import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from mnist_core.errors import RunError
from mnist_core.files import runs_dir
from mnist_core.runs.assignments import Assignment
from mnist_core.runs.folder import CANCEL_FILE, RUN_FILE, append_event, forget_after, update_run, write_run
from mnist_core.runs.queue import has_turns, starting, tend_queue
from mnist_core.runs.status import RunStatus, read_run
from mnist_core.versions.registry import RECORD_FILE


def start(assignment: Assignment) -> RunStatus:
    """Start a run as a process that outlives this one; where another run is going on, it waits in the queue.

    Raises:
        RunError: the folder of runs cannot be written.
    """
    with starting():
        folder = _new_folder(assignment.recipe.name)
        try:
            write_run(folder, assignment, None, queued=True)
        except OSError as error:
            raise RunError(f"{folder} cannot be written ({error}). Make room, and try again.") from error
    tend_queue()
    return read_run(folder)


def resume(run: RunStatus) -> RunStatus:
    """Let an unfinished run go on after the last epoch it finished, in its own folder; queued like a new one.

    Raises:
        RunError: it is not at an end, or has finished no epoch.
    """
    with starting():
        run = read_run(run.folder)
        if not run.ended or not run.resumable_epoch:
            raise RunError(f"{run.id} cannot be gone on with: it is {run.state}. Start it again instead.")
        forget_after(run.folder, run.resumable_epoch)
        update_run(run.folder, None, queued=True, place=time.time())
    tend_queue()
    return read_run(run.folder)


def claim(assignment: Assignment, folder: Path | None = None) -> RunStatus:
    """For a process that is to do a run in the foreground: make `folder` (where None, a new one in `runs_dir()`) its
    place.

    Raises:
        RunError: the folder is taken, or cannot be written.
    """
    with starting():
        if folder is None:
            folder = _new_folder(assignment.recipe.name)
        elif (folder / RECORD_FILE).exists() or (folder / RUN_FILE).exists():
            raise RunError(f"{folder} already holds a run or a version. Choose a new folder, or delete this one.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_run(folder, assignment, os.getpid(), queued=has_turns(folder))
        except OSError as error:
            raise RunError(f"{folder} cannot be written ({error}). Choose another folder.") from error
    return read_run(folder)


def cancel(run: RunStatus, *, wait_seconds: float = 0) -> None:
    """Take a run out of the queue, or ask its process to end; one that does not is killed after a while.

    Comes back at once unless told to wait for the end. A run that has ended already is left as it is.
    """
    with starting():
        run = read_run(run.folder)
        if run.state == "queued":
            append_event(run.folder, {"event": "cancelled"})
    if run.ended or run.pid is None:
        return
    with suppress(OSError):  # on a full disk it can still be stopped
        (run.folder / CANCEL_FILE).touch()
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(run.pid)
        process.terminate()
        if wait_seconds:
            try:
                process.wait(wait_seconds)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(wait_seconds)


def _new_folder(title: str) -> Path:
    """An empty folder whose name sorts by time."""
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for attempt in range(1, 1000):
        folder = runs_dir() / (f"{stamp}-{name}" if attempt == 1 else f"{stamp}-{name}-{attempt}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise RunError(f"{folder} cannot be made ({error}). Make room, and try again.") from error
        return folder
    raise RunError(f"{runs_dir()} is full of runs of this second. Try again.")
