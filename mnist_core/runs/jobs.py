"""Starting, resuming and cancelling runs, and claiming a folder for a run in the foreground."""

import os
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from mnist_core.errors import RunError
from mnist_core.files import runs_dir
from mnist_core.runs.events import Cancelled, append_event, drop_events_after
from mnist_core.runs.folder import CANCEL_FILE, RUN_FILE, RunRequest, update_run, write_run
from mnist_core.runs.queue import has_turns, starting, tend_queue
from mnist_core.runs.status import RunStatus, read_run
from mnist_core.versions.registry import RECORD_FILE


def start(request: RunRequest) -> RunStatus:
    """Start a run as a process that outlives this one; while another run is going on, it waits in the queue.

    Raises:
        RunError: the folder of runs cannot be written.
    """
    with starting():
        folder = _new_folder(request.recipe.name)
        try:
            write_run(folder, request, None, queued=True)
        except OSError as error:
            raise RunError(f"{folder} cannot be written ({error}). Make room, and try again.") from error
    tend_queue()
    return read_run(folder)


def resume(run: RunStatus) -> RunStatus:
    """Resume an unfinished run after its last finished epoch, in its own folder; it is queued like a new one.

    Raises:
        RunError: it has not ended, or has finished no epoch.
    """
    with starting():
        run = read_run(run.folder)
        if not run.ended or not run.resumable_epoch:
            raise RunError(f"{run.id} cannot be resumed: it is {run.state}. Start it again instead.")
        drop_events_after(run.folder, run.resumable_epoch)
        (run.folder / CANCEL_FILE).unlink(missing_ok=True)
        update_run(run.folder, None, queued=True, place=time.time())
    tend_queue()
    return read_run(run.folder)


def claim(request: RunRequest, folder: Path | None = None) -> RunStatus:
    """Make `folder` (without it, a new one in `runs_dir()`) the folder of a run that this process does itself.

    Raises:
        RunError: the folder is taken, or cannot be written.
    """
    with starting():
        if folder is None:
            folder = _new_folder(request.recipe.name)
        elif (folder / RECORD_FILE).exists() or (folder / RUN_FILE).exists():
            raise RunError(f"{folder} already holds a run or a version. Choose a new folder, or delete this one.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_run(folder, request, os.getpid(), queued=has_turns(folder))
        except OSError as error:
            raise RunError(f"{folder} cannot be written ({error}). Choose another folder.") from error
    return read_run(folder)


def cancel(run: RunStatus, *, wait_seconds: float = 0) -> None:
    """Remove a run from the queue, or ask its process to end; `tend_queue` kills one that does not.

    Returns at once, or, with `wait_seconds`, when the process has ended. A run that has ended already stays as it is.
    """
    with starting():
        run = read_run(run.folder)
        if run.state == "queued":
            append_event(run.folder, Cancelled())
    if run.ended or run.pid is None:
        return
    with suppress(OSError):  # the run can be stopped even if the disk is full
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
    """Make an empty folder whose name sorts by time."""
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
    raise RunError(f"{runs_dir()} holds too many runs that began in this second. Try again.")
