"""Runs in processes of their own, for real, on the bundled sample."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mnist_core import RECIPES, jobs, registry
from mnist_core.errors import RunError
from mnist_core.runs import RunStatus, append_event, read_run, write_run

SHORT = RECIPES["quick"].override(epochs=2)
ENDLESS = RECIPES["quick"].override(epochs=10_000)


@pytest.fixture(autouse=True)
def _no_run_is_left_behind() -> Iterator[None]:
    yield
    if (run := jobs.running_run()) is not None and run.pid != os.getpid():
        jobs.cancel(run)


def wait_for(run: RunStatus, condition: Callable[[RunStatus], object], seconds: float = 60) -> RunStatus:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        run = read_run(run.folder)
        if condition(run):
            return run
        time.sleep(0.05)
    raise AssertionError(f"not after {seconds} s: {run!r}\n{jobs.read_log(run)}")


def test_a_run_trains_evaluates_and_can_be_used() -> None:
    run = jobs.start(SHORT, "sample")
    assert run.state == "running"
    assert jobs.running_run() == run
    with pytest.raises(RunError, match="going on"):
        jobs.start(SHORT, "sample")
    run = wait_for(run, lambda run: run.state != "running")
    assert run.state == "finished", jobs.read_log(run)
    assert [epoch["epoch"] for epoch in run.of("epoch")] == [1, 2]
    assert jobs.latest_run() == run
    assert jobs.running_run() is None
    version = registry.version(f"runs/{run.id}")
    assert version.record.recipe == SHORT
    assert version.record.evaluation.images == 1000
    assert version.record.command == "mnist-core train --recipe quick --data sample --set epochs=2"
    promote(version.name)
    assert registry.active_name() == version.name


def test_a_cancelled_run_leaves_nothing_half_written_and_lets_the_next_start() -> None:
    run = wait_for(jobs.start(ENDLESS, "sample"), lambda run: run.of("step"))
    jobs.cancel(run)
    run = read_run(run.folder)
    assert run.state == "cancelled"
    assert "Cancelled" in run.message
    assert not psutil.pid_exists(run.pid) or psutil.Process(run.pid).status() == psutil.STATUS_ZOMBIE
    assert not list(run.folder.glob("model*"))
    assert jobs.start(ENDLESS, "sample").state == "running"


def test_a_killed_run_is_shown_as_interrupted_and_does_not_block() -> None:
    run = wait_for(jobs.start(ENDLESS, "sample"), lambda run: run.of("epoch"))
    psutil.Process(run.pid).kill()
    run = wait_for(run, lambda run: run.state != "running")
    assert run.state == "interrupted"
    assert run.of("epoch")
    assert "Start it again" in run.message
    assert jobs.running_run() is None


def test_a_run_without_its_images_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "nothing here"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    run = wait_for(jobs.start(SHORT, "mnist"), lambda run: run.state != "running")
    assert run.state == "failed"
    assert "train-images-idx3-ubyte is missing" in run.message
    assert "bundled sample" in run.message
    assert run.message in jobs.read_log(run)


def noted(folder: Path, pid: int, started: float | None = None) -> RunStatus:
    """A run as a process of that number would have noted it."""
    folder.mkdir(parents=True)
    write_run(folder, SHORT, "sample", os.getpid())
    run = json.loads((folder / "run.json").read_text())
    run["pid"] = pid
    if started is not None:
        run["process_started"] = started
    (folder / "run.json").write_text(json.dumps(run))
    return read_run(folder)


def test_a_process_number_used_again_is_not_taken_for_the_run(weights: Path) -> None:
    assert noted(weights / "runs" / "a", os.getpid()).state == "running"
    assert noted(weights / "runs" / "b", os.getpid(), started=1.0).state == "interrupted"


def test_half_a_line_of_events_is_passed_over(weights: Path) -> None:
    run = noted(weights / "runs" / "a", os.getpid())
    append_event(run.folder, {"event": "step", "loss": 1.0})
    with (run.folder / "events.jsonl").open("a") as file:
        file.write('{"event": "st')
    assert [event["event"] for event in read_run(run.folder).events] == ["step"]


def test_a_damaged_run_is_passed_over_in_the_list(weights: Path) -> None:
    noted(weights / "runs" / "20260101-000000-quick", os.getpid(), started=1.0)
    broken = weights / "runs" / "20260101-000001-quick"
    broken.mkdir()
    (broken / "run.json").write_text("{")
    latest = jobs.latest_run()
    assert latest is not None
    assert latest.id == "20260101-000000-quick"
    with pytest.raises(RunError, match="Start a new one"):
        read_run(broken)


def test_a_folder_that_holds_something_is_not_taken(weights: Path) -> None:
    taken = weights / "runs" / "taken"
    noted(taken, os.getpid(), started=1.0)
    run = json.loads((taken / "run.json").read_text())
    run["pid"] = 2**22 - 1
    (taken / "run.json").write_text(json.dumps(run))
    with pytest.raises(RunError, match="already holds"):
        jobs.claim(taken, SHORT, "sample")


def test_the_processes_of_a_run_have_lower_priority_than_the_pages() -> None:
    run = wait_for(jobs.start(ENDLESS, "sample"), lambda run: run.of("step"))
    assert psutil.Process(run.pid).nice() > psutil.Process().nice()
