"""A process is kept ready for the next run, and ends with the program that keeps it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mnist_core import RECIPES
from mnist_core.runs import jobs, processes
from mnist_core.runs.folder import RunRequest, read_log
from mnist_core.runs.status import RunStatus, read_run

SHORT = RunRequest(RECIPES["quick"].override(epochs=1), "sample")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    yield
    for process in processes.children:
        process.wait(60)


def ready() -> psutil.Process:
    """Keep a process ready and return it."""
    processes.keep_one_ready()
    assert processes._ready is not None
    return psutil.Process(processes._ready.pid)


def to_its_end(run: RunStatus) -> RunStatus:
    end = time.monotonic() + 60
    while not run.ended and time.monotonic() < end:
        time.sleep(0.1)
        run = read_run(run.folder)
    return run


def test_the_process_kept_ready_does_the_next_run(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_WEIGHTS", str(tmp_path / "other weights"))
    process = ready()
    assert ready() == process, "one is enough"
    monkeypatch.setenv("MNIST_WEIGHTS", str(weights))  # what counts is where runs are when one starts
    run = jobs.start(SHORT)
    assert run.pid == process.pid
    run = to_its_end(run)
    assert run.state == "finished", read_log(run.folder)
    assert run.folder.is_relative_to(weights)
    assert ready() != process, "a process does one run"


def test_a_run_starts_although_the_process_kept_ready_was_killed(weights: Path) -> None:  # noqa: ARG001 — runs go there
    process = ready()
    process.kill()
    psutil.wait_procs([process], timeout=60)
    run = jobs.start(SHORT)
    assert run.pid != process.pid
    assert to_its_end(run).state == "finished"


def test_it_ends_with_the_program_that_keeps_it() -> None:
    program = (
        "from mnist_core.runs import processes; processes.keep_one_ready(); print(processes._ready.pid, flush=True); "
        "input()"
    )
    keeper = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert keeper.stdout is not None
    process = psutil.Process(int(keeper.stdout.readline()))
    keeper.kill()
    keeper.communicate()
    process.wait(60)
