"""The processes that do runs: one for each run, and one kept ready for the next.

A new process spends seconds on importing torch before it trains. So a program with a Train button keeps one ready that
has done that, and waits on its standard input for the folder of a run; waiting costs no processor time. When that
program ends, so does the process that waits, but not one that does a run.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

import psutil

from mnist_core.runs.folder import LOG_FILE

NICENESS = 15
"""Answering drawings comes before training."""
SETTINGS = ("MNIST_DATA", "MNIST_WEIGHTS", "DATABASE_URL")
"""Environment variables that a run depends on, as they are when it starts."""

children: list[subprocess.Popen[bytes]] = []
"""Processes that do runs; kept so that those that have ended can be reaped."""

_ready: subprocess.Popen[bytes] | None = None
_changing = Lock()  # every visitor's page runs in a thread of its own


def keep_one_ready() -> None:
    """Start a process that waits for a run, unless one waits already; if that fails, the next run only starts later."""
    global _ready
    with _changing, suppress(OSError):
        if _ready is None or _ready.poll() is not None:
            _ready = _new_process([], stdin=subprocess.PIPE, output=subprocess.DEVNULL)


def start_process(folder: Path) -> int:
    """Let a process do the run in `folder`, the one kept ready if there is one, and return its number.

    Raises:
        OSError: it cannot be started.
    """
    process = _hand_to_ready(folder)
    if process is None:
        with (folder / LOG_FILE).open("ab") as log:
            process = _new_process([str(folder.resolve())], stdin=subprocess.DEVNULL, output=log.fileno())
    children[:] = [process, *(other for other in children if other.poll() is None)]
    return process.pid


def _hand_to_ready(folder: Path) -> subprocess.Popen[bytes] | None:
    """Give the run in `folder` to the process kept ready, if there is one that still lives."""
    global _ready
    with _changing:
        process, _ready = _ready, None
    if process is None or process.stdin is None:
        return None
    try:
        with process.stdin as to_process:
            to_process.write(json.dumps({"folder": str(folder.resolve()), "environment": _settings()}).encode())
    except OSError:  # it has ended
        process.wait()
        return None
    return process


def _new_process(arguments: Sequence[str], stdin: int, output: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mnist_core.runs.worker", *arguments],
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **{name: value for name, value in _settings().items() if value is not None}},
        start_new_session=True,  # Ctrl-C in the server's terminal is not meant for it
    )
    _lower_priority(process.pid)
    return process


def _settings() -> dict[str, str | None]:
    """Return `SETTINGS` with absolute paths: the process has another working directory."""
    settings = {name: os.environ.get(name) or None for name in SETTINGS}
    folders = {name: str(Path(settings[name] or "").resolve()) for name in SETTINGS[:2] if settings[name]}
    return {**settings, **folders}


def _lower_priority(pid: int) -> None:
    """Lower the priority of a process before it starts threads, which inherit it."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(max(NICENESS, process.nice()))
