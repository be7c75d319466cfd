"""The process that does a run: it outlives the one that starts it, and comes after it in priority."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from mnist_core.errors import RunError
from mnist_core.runs.folder import LOG_FILE, update_run

NICENESS = 15
"""Answering drawings comes before training."""

started: list[subprocess.Popen[bytes]] = []
"""Kept so that the operating system can be told, once they have ended, that nobody waits for their result."""


def spawn(folder: Path) -> None:
    """Start the process that does the run in `folder`, and note it there.

    Raises:
        RunError: it cannot be started.
    """
    try:
        with (folder / LOG_FILE).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "mnist_core", "perform", str(folder.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).parents[2],
                env={**os.environ, **_absolute_folders()},
                start_new_session=True,  # Ctrl-C in the server's terminal is not meant for it
            )
        started[:] = [process, *(other for other in started if other.poll() is None)]
        update_run(folder, process.pid, queued=False)
        _lower_priority(process.pid)
    except (OSError, psutil.Error) as error:
        raise RunError(f"The training process could not be started ({error}). Try again.") from error


def _lower_priority(pid: int) -> None:
    """Of a process that has not made its threads yet: they follow it."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(max(NICENESS, process.nice()))


def _absolute_folders() -> dict[str, str]:
    """`MNIST_DATA` and `MNIST_WEIGHTS` may be relative to where this process was started."""
    names = ("MNIST_DATA", "MNIST_WEIGHTS")
    return {name: str(Path(os.environ[name]).resolve()) for name in names if os.environ.get(name)}
