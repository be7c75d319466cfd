"""A training run in a process of its own: start, follow, cancel. One at a time."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from mnist_core.datasets import DataName
from mnist_core.errors import RunError
from mnist_core.recipes import Recipe
from mnist_core.registry import RECORD_FILE, runs_dir
from mnist_core.runs import (
    CANCEL_FILE,
    LOG_FILE,
    RUN_FILE,
    RunStatus,
    read_run,
    train_command,
    write_run,
)

_started: list[subprocess.Popen[bytes]] = []
"""Kept so that the operating system can be told, once they have ended, that nobody waits for their result."""


def start(recipe: Recipe, data: DataName) -> RunStatus:
    """Start `mnist-core train` as a process that outlives this one.

    Raises:
        RunError: another run is going on, or the process could not be started.
    """
    with _starting():
        _refuse_if_running()
        folder = _new_folder(recipe)
        command = [
            sys.executable,
            "-m",
            "mnist_core",
            *train_command(recipe, data)[1:],
            "--output",
            str(folder),
        ]
        try:
            with (folder / LOG_FILE).open("wb") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=Path(__file__).parents[1],
                    env={**os.environ, **_absolute_folders()},
                    start_new_session=True,  # Ctrl-C in the server's terminal is not meant for it
                )
            _started[:] = [process, *(other for other in _started if other.poll() is None)]
            psutil.Process(process.pid).nice(_lower_priority())
            write_run(folder, recipe, data, process.pid)
        except (OSError, psutil.Error) as error:
            raise RunError(f"The training process could not be started ({error}). Try again.") from error
    return read_run(folder)


def claim(folder: Path | None, recipe: Recipe, data: DataName) -> Path:
    """For the process that trains: make `folder` (a new one in `runs_dir()` where None) the place of its run.

    Raises:
        RunError: another run is going on, or the folder is taken.
    """
    with _starting():
        if folder is not None and _is_mine(folder):
            return folder
        if folder is None or folder.resolve().parent == runs_dir().resolve():
            _refuse_if_running()
        if folder is None:
            folder = _new_folder(recipe)
        elif (folder / RECORD_FILE).exists() or (folder / RUN_FILE).exists():
            raise RunError(f"{folder} already holds a run or a version. Choose a new folder, or delete this one.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_run(folder, recipe, data, os.getpid())
        except OSError as error:
            raise RunError(f"{folder} cannot be written ({error}). Choose another folder.") from error
    return folder


def cancel(run: RunStatus, *, patience_seconds: float = 5) -> None:
    """Stop a run and wait until its process is gone; a run that has ended already is left as it is."""
    if run.state != "running":
        return
    with suppress(OSError):  # on a full disk it can still be stopped
        (run.folder / CANCEL_FILE).touch()
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(run.pid)
        process.terminate()
        try:
            process.wait(patience_seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(patience_seconds)


def latest_run() -> RunStatus | None:
    """The run started last, running or not; None where there was none."""
    for folder in sorted(_run_folders(), reverse=True):
        with suppress(RunError):
            return read_run(folder)
    return None


def running_run() -> RunStatus | None:
    """The run that is going on now."""
    for folder in sorted(_run_folders(), reverse=True):
        with suppress(RunError):
            if (run := read_run(folder)).state == "running":
                return run
    return None


def read_log(run: RunStatus, *, most: int = 20_000) -> str:
    """The end of what a run's process printed."""
    try:
        return (run.folder / LOG_FILE).read_text(errors="replace")[-most:]
    except FileNotFoundError:
        return "This run was started from a command line, which shows its messages there."


def _run_folders() -> list[Path]:
    return [path.parent for path in runs_dir().glob(f"*/{RUN_FILE}")]


def _refuse_if_running() -> None:
    if (run := running_run()) is not None:
        raise RunError(f"A run of {run.recipe.name!r} is going on ({run.id}). Wait for its end, or cancel it.")


@contextmanager
def _starting() -> Iterator[None]:
    """Only one process at a time starts a run; one that dies meanwhile does not block the others."""
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


def _new_folder(recipe: Recipe) -> Path:
    """An empty folder whose name sorts by time."""
    name = re.sub(r"[^a-z0-9]+", "-", recipe.name.lower()).strip("-")
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for attempt in range(1, 1000):
        folder = runs_dir() / (f"{stamp}-{name}" if attempt == 1 else f"{stamp}-{name}-{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise RunError(f"{runs_dir()} is full of runs of this second. Try again.")


def _lower_priority() -> int:
    """A niceness, or its like on Windows: answering drawings comes before training."""
    if sys.platform == "win32":
        return psutil.BELOW_NORMAL_PRIORITY_CLASS
    return psutil.Process().nice() + 5


def _is_mine(folder: Path) -> bool:
    """Whether the run in `folder` was started for this process."""
    with suppress(RunError):
        # on Windows, a virtual environment's python is the parent of the one that does the work
        return read_run(folder).pid in (os.getpid(), os.getppid())
    return False


def _absolute_folders() -> dict[str, str]:
    """`MNIST_DATA` and `MNIST_WEIGHTS` may be relative to where this process was started."""
    names = ("MNIST_DATA", "MNIST_WEIGHTS")
    return {name: str(Path(os.environ[name]).resolve()) for name in names if os.environ.get(name)}
