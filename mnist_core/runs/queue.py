"""The queue: runs are done one at a time and in order, whichever programs requested them.

Any number of programs may work on the same folder of runs. Whoever starts or orders runs holds the file lock
`.starting` for a moment; whoever does one holds `.training` until its end. The operating system frees them when a
process dies. The process that does a run outlives the one that starts it, and has a lower priority.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from mnist_core.errors import RunError
from mnist_core.files import runs_dir
from mnist_core.runs.folder import CANCEL_FILE, update_run
from mnist_core.runs.processes import start_process
from mnist_core.runs.status import RunStatus, all_runs, queued_runs, read_run, running_run

CANCEL_SECONDS = 5
"""How long a cancelled run may take to end before it is killed."""
TURN_SECONDS = 0.3
"""How often a waiting process looks whether its turn has come."""


def tend_queue() -> None:
    """Start the next queued run if none is running, and kill a cancelled one that does not end.

    Whoever looks at runs calls this now and then, so that a killed run does not keep the others waiting.
    """
    runs = all_runs()
    for run in runs:
        if run.state == "running" and _is_overdue(run):
            with suppress(psutil.NoSuchProcess):
                psutil.Process(run.pid).kill()
    if any(run.state == "queued" for run in runs) and not any(run.state == "running" for run in runs):
        with starting():
            if running_run() is None and (waiting := queued_runs()) and waiting[0].pid is None:
                _start_process(waiting[0].folder)


@contextmanager
def starting() -> Iterator[None]:
    """Hold the lock under which runs are started and ordered; it is freed when the process that holds it dies.

    Raises:
        RunError: the folder of runs cannot be written, or another process does not release the lock.
    """
    try:
        runs_dir().mkdir(parents=True, exist_ok=True)
        lock = FileLock(runs_dir() / ".starting", timeout=30)
        lock.acquire()
    except (OSError, Timeout) as error:
        raise RunError(f"{runs_dir()} cannot be used ({error}). Make sure it can be written, and try again.") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def turn(run: RunStatus, on_wait: Callable[[RunStatus], None] = lambda _: None) -> Iterator[None]:
    """Wait until no other run is going on; afterwards, let the next one begin. For the process that does the run.

    `on_wait` is called once, with a run that has to end first. Runs outside the folder of runs do not wait.

    Raises:
        RunError: the run was cancelled while it waited, or another process trains and does not end.
    """
    if not has_turns(run.folder):
        yield
        return
    while (first := _take_turn(run)) is not None:
        on_wait(first)
        on_wait = lambda _: None  # noqa: E731
        time.sleep(TURN_SECONDS)
        tend_queue()  # the run before this one may need somebody to start it
    lock = FileLock(runs_dir() / ".training", timeout=60)  # the process before this one may take a moment to end
    try:
        lock.acquire()
    except Timeout as error:
        raise RunError("Another process trains in this folder and does not end. End it, then start again.") from error
    try:
        yield
    finally:
        lock.release()
        with suppress(RunError):
            tend_queue()


def _take_turn(run: RunStatus) -> RunStatus | None:
    """Make this process's queued run the running one; return the run that has to end first, if any."""
    with starting():
        as_noted = read_run(run.folder)
        if as_noted.state == "cancelled":
            raise RunError(f"The run {run.id} was removed from the queue. Start it again if you still want it.")
        if as_noted.state == "running" and as_noted.pid not in (os.getpid(), os.getppid()):  # Windows puts one between
            raise RunError(f"Another process is already doing the run {run.id}. Follow that one.")
        if as_noted.state != "queued":
            return None
        first = running_run() or queued_runs()[0]
        if first.id != run.id:
            return first
        update_run(run.folder, os.getpid(), queued=False)
        return None


def move_up(run: RunStatus) -> None:
    """Move a queued run before the one that is now before it."""
    with starting():
        waiting = queued_runs()
        places = [other.id for other in waiting]
        if run.id in places[1:]:
            this, before = waiting[places.index(run.id)], waiting[places.index(run.id) - 1]
            update_run(this.folder, this.pid, place=before.place)
            update_run(before.folder, before.pid, place=this.place)


def has_turns(folder: Path) -> bool:
    """Return whether the run in `folder` is in the folder of runs, and so takes part in the queue."""
    return folder.resolve().parent == runs_dir().resolve()


def _is_overdue(run: RunStatus) -> bool:
    """Return whether a run was cancelled longer than `CANCEL_SECONDS` ago."""
    with suppress(OSError):
        return time.time() - (run.folder / CANCEL_FILE).stat().st_mtime > CANCEL_SECONDS
    return False


def _start_process(folder: Path) -> None:
    """Start the process that does the run in `folder`, and note it there.

    Raises:
        RunError: it cannot be started.
    """
    try:
        update_run(folder, start_process(folder), queued=False)
    except (OSError, psutil.Error) as error:
        raise RunError(f"The training process could not be started ({error}). Try again.") from error
