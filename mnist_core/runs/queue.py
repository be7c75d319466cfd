"""The queue: runs are done one at a time and in order, whichever programs started them.

Any number of programs may work on the same folder of runs. Who starts or orders runs holds the file lock `.starting`
for a moment, who does one holds `.training` to the end; the operating system frees them when a process dies.
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
from mnist_core.runs.processes import spawn
from mnist_core.runs.status import RunStatus, all_runs, queued_runs, read_run, running_run

CANCEL_SECONDS = 5
"""After which a run that was asked to end is ended."""
TURN_SECONDS = 0.3


def tend_queue() -> None:
    """Start the next queued run if none is going on, and end one that was asked to end and did not.

    Whoever looks at runs calls this now and then, so that a killed run does not keep the others waiting.
    """
    runs = all_runs()
    for run in runs:
        if run.state == "running" and _asked_to_end(run):
            with suppress(psutil.NoSuchProcess):
                psutil.Process(run.pid).kill()
    if any(run.state == "queued" for run in runs) and not any(run.state == "running" for run in runs):
        with starting():
            if running_run() is None and (waiting := queued_runs()) and waiting[0].pid is None:
                spawn(waiting[0].folder)


@contextmanager
def starting() -> Iterator[None]:
    """Only one process at a time starts or orders runs; one that dies meanwhile does not block the others.

    Raises:
        RunError: the folder of runs cannot be written, or another process does not let go of it.
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
    """For the process that trains: wait until no other run goes on; afterwards, let the next one begin.

    `on_wait` is told, once, of a run that has to end first. Runs outside the folder of runs wait for nobody.

    Raises:
        RunError: another process trains and does not end.
    """
    if not has_turns(run.folder):
        yield
        return
    while (first := _take_turn(run)) is not None:
        on_wait(first)
        on_wait = lambda _: None  # noqa: E731
        time.sleep(TURN_SECONDS)
        tend_queue()  # the run before this one may be waiting for somebody to start it
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
    """Make a queued run of this process the running one; gives the run that has to end first, if any."""
    with starting():
        as_noted = read_run(run.folder)
        if as_noted.state == "cancelled":
            raise RunError(f"The run {run.id} was taken out of the queue. Start it again if it is still wanted.")
        if as_noted.state == "running" and as_noted.pid not in (os.getpid(), os.getppid()):  # Windows puts one between
            raise RunError(f"Another process does the run {run.id} already. Follow that one.")
        if as_noted.state != "queued":
            return None
        going_on = running_run()
        first = going_on or queued_runs()[0]
        if first.id != run.id:
            return first
        update_run(run.folder, os.getpid(), queued=False)
        return None


def move_up(run: RunStatus) -> None:
    """Let a queued run begin before the one that is now before it."""
    with starting():
        waiting = queued_runs()
        places = [other.id for other in waiting]
        if run.id in places[1:]:
            this, before = waiting[places.index(run.id)], waiting[places.index(run.id) - 1]
            update_run(this.folder, this.pid, place=before.place)
            update_run(before.folder, before.pid, place=this.place)


def has_turns(folder: Path) -> bool:
    """Whether the run in `folder` is in the folder of runs, and so in the queue."""
    return folder.resolve().parent == runs_dir().resolve()


def _asked_to_end(run: RunStatus) -> bool:
    with suppress(OSError):
        return time.time() - (run.folder / CANCEL_FILE).stat().st_mtime > CANCEL_SECONDS
    return False
