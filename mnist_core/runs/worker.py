"""A process that does one run: `python -m mnist_core.runs.worker [FOLDER]`; `processes` starts it.

Without a folder it rehearses, then waits on its standard input for one, with the environment variables to use.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import NoReturn

from mnist_core.images.datasets import load_dataset, mnist_is_here
from mnist_core.recipes import RECIPES
from mnist_core.runs.execution import perform
from mnist_core.runs.folder import LOG_FILE, RunRequest, write_run
from mnist_core.runs.queue import turn
from mnist_core.runs.status import read_run
from mnist_core.training.loop import leave_a_core_free


def main() -> None:
    """Do the run in the folder named on the command line or on standard input; the run writes its own log."""
    get_ready()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _wait_for_folder()
    if folder is None:
        return
    run = read_run(folder)
    with turn(run), suppress(Exception):
        perform(run)


def get_ready() -> None:
    """Prepare this process for a run: SIGTERM ends it as Ctrl-C does, and a core stays free."""
    signal.signal(signal.SIGTERM, _stop)
    leave_a_core_free()


def _wait_for_folder() -> Path | None:
    """Rehearse and wait for a folder; None when the program that would give one has ended."""
    with suppress(KeyboardInterrupt):
        _rehearse()
        if given := sys.stdin.read():
            request = json.loads(given)
            for name, value in request["environment"].items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            folder = Path(request["folder"])
            with (folder / LOG_FILE).open("ab") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            return folder
    return None


def _rehearse() -> None:
    """Do a short run and throw it away: what is loaded or checked at the first time only is then done."""
    with suppress(Exception), TemporaryDirectory() as temporary:  # a run may be waiting, and tells by itself what fails
        folder = Path(temporary)
        write_run(folder, RunRequest(RECIPES["quick"].override(epochs=1), "sample"), os.getpid())
        perform(read_run(folder))
        if mnist_is_here():
            load_dataset("mnist")


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Treat SIGTERM as Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
