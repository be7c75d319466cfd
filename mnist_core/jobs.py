"""Runs as processes of their own, one at a time: start, wait in a queue, resume, cancel.

Any number of programs may do this on the same folder. Who starts a run holds the file lock `.starting` for a moment,
who trains holds `.training` to the end; the operating system frees them when a process dies.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from mnist_core.assignments import Assignment
from mnist_core.errors import RunError
from mnist_core.processes import spawn
from mnist_core.registry import RECORD_FILE, runs_dir
from mnist_core.runs import (
    CANCEL_FILE,
    RUN_FILE,
    RunStatus,
    append_event,
    forget_after,
    read_run,
    update_run,
    write_run,
)

CANCEL_SECONDS = 5
"""After which a run that was asked to end is ended."""
TURN_SECONDS = 0.3


def start(assignment: Assignment) -> RunStatus:
    """Start a run as a process that outlives this one; where another run is going on, it waits in the queue.

    Raises:
        RunError: the folder of runs cannot be written.
    """
    with _starting():
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
    with _starting():
        run = read_run(run.folder)
        if not run.ended or not run.resumable_epoch:
            raise RunError(f"{run.id} cannot be gone on with: it is {run.state}. Start it again instead.")
        forget_after(run.folder, run.resumable_epoch)
        update_run(run.folder, None, queued=True, place=time.time())
    tend_queue()
    return read_run(run.folder)


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
        with _starting():
            if _running(all_runs()) is None and (waiting := queued_runs()) and waiting[0].pid is None:
                spawn(waiting[0].folder)


def claim(assignment: Assignment, folder: Path | None = None) -> RunStatus:
    """For a process that is to do a run in the foreground: make `folder` (where None, a new one in `runs_dir()`) its
    place.

    Raises:
        RunError: the folder is taken, or cannot be written.
    """
    with _starting():
        if folder is None:
            folder = _new_folder(assignment.recipe.name)
        elif (folder / RECORD_FILE).exists() or (folder / RUN_FILE).exists():
            raise RunError(f"{folder} already holds a run or a version. Choose a new folder, or delete this one.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_run(folder, assignment, os.getpid(), queued=_is_one_of_ours(folder))
        except OSError as error:
            raise RunError(f"{folder} cannot be written ({error}). Choose another folder.") from error
    return read_run(folder)


@contextmanager
def turn(run: RunStatus, on_wait: Callable[[RunStatus], None] = lambda _: None) -> Iterator[None]:
    """For the process that trains: wait until no other run goes on; afterwards, let the next one begin.

    `on_wait` is told, once, of a run that has to end first. Runs outside the folder of runs wait for nobody.

    Raises:
        RunError: another process trains and does not end.
    """
    if not _is_one_of_ours(run.folder):
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
    with _starting():
        as_noted = read_run(run.folder)
        if as_noted.state == "cancelled":
            raise RunError(f"The run {run.id} was taken out of the queue. Start it again if it is still wanted.")
        if as_noted.state == "running" and as_noted.pid not in (os.getpid(), os.getppid()):  # Windows puts one between
            raise RunError(f"Another process does the run {run.id} already. Follow that one.")
        if as_noted.state != "queued":
            return None
        going_on = _running(all_runs())
        first = going_on or queued_runs()[0]
        if first.id != run.id:
            return first
        update_run(run.folder, os.getpid(), queued=False)
        return None


def cancel(run: RunStatus, *, wait_seconds: float = 0) -> None:
    """Take a run out of the queue, or ask its process to end; one that does not is killed after a while.

    Comes back at once unless told to wait for the end. A run that has ended already is left as it is.
    """
    with _starting():
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


def move_up(run: RunStatus) -> None:
    """Let a queued run begin before the one that is now before it."""
    with _starting():
        waiting = queued_runs()
        places = [other.id for other in waiting]
        if run.id in places[1:]:
            this, before = waiting[places.index(run.id)], waiting[places.index(run.id) - 1]
            update_run(this.folder, this.pid, place=before.place)
            update_run(before.folder, before.pid, place=this.place)


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
    return _running(all_runs())


def queued_runs() -> list[RunStatus]:
    """The runs that wait for their turn, the next one first."""
    return sorted((run for run in all_runs() if run.state == "queued"), key=lambda run: (run.place, run.id))


def is_stopping(run: RunStatus) -> bool:
    """Whether a run that goes on was asked to end."""
    return run.state == "running" and (run.folder / CANCEL_FILE).exists()


def _running(runs: list[RunStatus]) -> RunStatus | None:
    return next((run for run in runs if run.state == "running"), None)


def _asked_to_end(run: RunStatus) -> bool:
    with suppress(OSError):
        return time.time() - (run.folder / CANCEL_FILE).stat().st_mtime > CANCEL_SECONDS
    return False


@contextmanager
def _starting() -> Iterator[None]:
    """Only one process at a time starts or orders runs; one that dies meanwhile does not block the others."""
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


def _is_one_of_ours(folder: Path) -> bool:
    return folder.resolve().parent == runs_dir().resolve()
