"""Runs in processes of their own, for real, on the bundled sample."""

import itertools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mnist_core import RECIPES
from mnist_core.errors import RunError
from mnist_core.runs import jobs, processes, queue
from mnist_core.runs.events import Epoch, Finished, Loaded, Step
from mnist_core.runs.folder import RunRequest, process_start, read_log, update_run, write_run
from mnist_core.runs.queue import move_up, tend_queue, turn
from mnist_core.runs.status import RunStatus, all_runs, find_run, latest_run, queued_runs, read_run, running_run
from mnist_core.versions import registry
from mnist_core.versions.active import active_name, promote

SHORT = RunRequest(RECIPES["quick"].override(epochs=2), "sample")
SHORTEST = RunRequest(RECIPES["quick"].override(epochs=1), "sample")
ENDLESS = RunRequest(RECIPES["quick"].override(epochs=10_000), "sample")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_run_is_left_behind() -> Iterator[None]:
    yield
    for run in queued_runs():
        jobs.cancel(run)
    while (run := running_run()) is not None and run.pid != os.getpid():
        psutil.Process(run.pid).kill()
        wait_for(run, lambda run: run.ended)
    for process in processes.children:
        process.wait(30)


def wait_for(run: RunStatus, condition: Callable[[RunStatus], object], seconds: float = 60) -> RunStatus:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        run = read_run(run.folder)
        if condition(run):
            return run
        time.sleep(0.05)
    raise AssertionError(f"not after {seconds} s: {run!r}\n{read_log(run.folder)}")


def is_gone(pid: int | None) -> bool:
    """Whether a process is at an end, taken note of or not."""
    assert pid is not None
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def ids(runs: list[RunStatus]) -> list[str]:
    return [run.id for run in runs]


def test_a_run_trains_evaluates_and_can_be_used_and_the_next_one_starts_by_itself() -> None:
    run = jobs.start(SHORT)
    assert run.state == "running"
    assert running_run() == run
    after = jobs.start(SHORTEST)
    assert after.state == "queued"
    assert latest_run() == run, "one that waits has not begun"
    run = wait_for(run, lambda run: run.state != "running")
    assert run.state == "finished", read_log(run.folder)
    assert [epoch.epoch for epoch in run.of(Epoch)] == [1, 2]
    version = registry.version(f"runs/{run.id}")
    assert version.record.recipe == SHORT.recipe
    assert version.record.evaluation.images == 1000
    assert version.record.command == "mnist-core train --recipe quick --data sample --set epochs=2"
    promote(version.name)
    assert active_name() == version.name
    # nobody looks at the queue from here on: the process before started it
    after = wait_for(after, lambda run: run.ended)
    assert after.state == "finished", read_log(after.folder)
    assert after.of(Loaded)[0].time > run.of(Finished)[0].time
    assert latest_run() == after
    assert running_run() is None


def test_a_cancelled_run_leaves_nothing_half_written_and_lets_the_next_start() -> None:
    run = jobs.start(ENDLESS)
    after = jobs.start(ENDLESS)
    run = wait_for(run, lambda run: run.of(Step))
    jobs.cancel(run, wait_seconds=30)
    run = read_run(run.folder)
    assert run.state == "cancelled"
    assert "Cancelled" in run.message
    assert is_gone(run.pid)
    assert not list(run.folder.glob("model*"))
    assert wait_for(after, lambda run: run.state == "running").id == after.id
    jobs.cancel(run)  # at its end already: nothing happens
    assert read_run(run.folder).state == "cancelled"
    assert read_run(after.folder).state == "running"


def test_a_killed_run_is_shown_as_interrupted_and_the_queue_goes_on_when_looked_at() -> None:
    run, after = jobs.start(ENDLESS), jobs.start(ENDLESS)
    run = wait_for(run, lambda run: run.of(Step))
    psutil.Process(run.pid).kill()
    run = wait_for(run, lambda run: run.state != "running")
    assert run.state == "interrupted"
    assert "without a message" in run.message
    assert read_run(after.folder).state == "queued"
    tend_queue()
    assert ids([started for started in [running_run()] if started]) == [after.id]
    # the process that is started is low in priority, so that pages come first
    wait_for(after, lambda run: run.of(Loaded))
    assert psutil.Process(read_run(after.folder).pid).nice() > psutil.Process().nice()


def test_the_queue_is_done_in_order_unless_somebody_changes_it() -> None:
    first = jobs.start(ENDLESS)
    second, third, fourth = (jobs.start(ENDLESS) for _ in range(3))
    assert ids(queued_runs()) == [second.id, third.id, fourth.id]
    move_up(fourth)
    assert ids(queued_runs()) == [second.id, fourth.id, third.id]
    move_up(fourth)
    move_up(fourth)  # it is the next one already
    assert ids(queued_runs()) == [fourth.id, second.id, third.id]
    move_up(first)  # is running already
    assert ids(queued_runs()) == [fourth.id, second.id, third.id]
    jobs.cancel(fourth)
    assert read_run(fourth.folder).state == "cancelled"
    assert not read_run(fourth.folder).resumable_epoch
    assert ids(queued_runs()) == [second.id, third.id]
    assert running_run() == read_run(first.folder)
    psutil.Process(first.pid).kill()
    wait_for(first, lambda run: run.ended)
    tend_queue()
    tend_queue()  # one is enough
    assert read_run(second.folder).state == "running"
    assert read_run(third.folder).state == "queued"


def test_training_in_the_foreground_waits_for_its_turn_and_for_those_before_it() -> None:
    run = wait_for(jobs.start(ENDLESS), lambda run: run.of(Loaded))
    before = jobs.start(SHORTEST)
    command = [sys.executable, "-m", "mnist_core", "train", "--recipe", "quick", "--data", "sample", "--epochs", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 60
        while len(waiting := queued_runs()) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        assert [one.pid for one in waiting] == [None, process.pid]
        said = process.stderr.readline() if process.stderr else ""  # killed earlier, the run would not be waited for
        # killed, it cannot start the next; whoever waits does, and then waits for that one too
        psutil.Process(run.pid).kill()
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert f"waiting for {run.id}" in said
    assert "images correctly classified" in out
    before, mine = read_run(before.folder), read_run(waiting[1].folder)
    assert (before.state, mine.state) == ("finished", "finished")
    assert mine.of(Loaded)[0].time > before.of(Finished)[0].time


def test_a_run_that_does_not_end_when_asked_to_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = wait_for(jobs.start(ENDLESS), lambda run: run.of(Loaded))
    os.kill(run.pid or 0, signal.SIGSTOP)
    jobs.cancel(run)
    tend_queue()
    run = read_run(run.folder)
    assert run.state == "running", "it is given some time"
    assert run.stopping
    monkeypatch.setattr(queue, "CANCEL_SECONDS", 0.2)
    time.sleep(0.3)
    tend_queue()
    run = wait_for(run, lambda run: run.ended, seconds=10)
    assert run.state == "cancelled"
    assert is_gone(run.pid)


def start_at(moment: float) -> None:
    time.sleep(max(0, moment - time.time()))
    jobs.start(SHORTEST)


def test_many_who_start_at_once_never_make_two_runs_go_on_together() -> None:
    """From the processes' own notes: nobody reads images or finishes while another is between the two."""
    processes = multiprocessing.get_context("fork")
    moment = time.time() + 0.3
    starters = [processes.Process(target=start_at, args=[moment]) for _ in range(3)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join(60)
    assert [starter.exitcode for starter in starters] == [0] * 3
    end = time.monotonic() + 60
    while not all(run.ended for run in all_runs()) and time.monotonic() < end:
        time.sleep(0.1)  # each starts the next
    runs = all_runs()
    assert [run.state for run in runs] == ["finished"] * 3
    spans = sorted((run.of(Loaded)[0].time, run.of(Finished)[0].time) for run in runs)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))


def test_a_run_without_its_images_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "nothing here"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    run = wait_for(jobs.start(replace(SHORT, data="mnist")), lambda run: run.ended)
    assert run.state == "failed"
    assert "train-images-idx3-ubyte is missing" in run.message
    assert "bundled sample" in run.message
    assert run.message in read_log(run.folder)
    with pytest.raises(RunError, match="cannot be resumed"):
        jobs.resume(run)


def noted(folder: Path, pid: int, started: float | None = None) -> RunStatus:
    """A run as a process of that number would have noted it."""
    folder.mkdir(parents=True)
    write_run(folder, SHORT, os.getpid())
    run = json.loads((folder / "run.json").read_text())
    run["pid"] = pid
    if started is not None:
        run["process_started"] = started
    (folder / "run.json").write_text(json.dumps(run))
    return read_run(folder)


def test_a_process_number_used_again_is_not_taken_for_the_run(weights: Path) -> None:
    assert noted(weights / "runs" / "a", os.getpid()).state == "running"
    assert noted(weights / "runs" / "b", os.getpid(), started=1.0).state == "interrupted"


@pytest.mark.skipif(not psutil.LINUX, reason="only Linux works out the start of a process from the clock")
def test_a_run_is_still_known_after_the_clock_was_set(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = noted(weights / "runs" / "a", os.getpid())
    created, booted = psutil.Process().create_time(), psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted + 3600)
    assert psutil.Process().create_time() == pytest.approx(created + 3600), "the clock is an hour later"
    assert read_run(run.folder).state == "running"


def test_a_waiting_process_that_dies_leaves_the_queue(weights: Path) -> None:
    run = noted(weights / "runs" / "a", os.getpid())
    update_run(run.folder, os.getpid(), queued=True)
    assert ids(queued_runs()) == ["a"]
    facts = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps(facts | {"process_started": 1.0}))
    assert queued_runs() == []
    assert read_run(run.folder).state == "interrupted"


def test_a_run_is_not_done_by_two_processes(weights: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        run = noted(weights / "runs" / "a", other.pid, started=process_start(other.pid))
        assert run.state == "running"
        with pytest.raises(RunError, match="Another process is already doing the run a"), turn(run):
            raise AssertionError("it was not its turn")
    finally:
        other.communicate(b"\n")


def test_a_damaged_run_is_skipped_in_the_list(weights: Path) -> None:
    noted(weights / "runs" / "20260101-000000-quick", os.getpid(), started=1.0)
    broken = weights / "runs" / "20260101-000001-quick"
    broken.mkdir()
    sound = json.loads((weights / "runs" / "20260101-000000-quick" / "run.json").read_text())
    damaged = ("{", "[]", json.dumps(sound | {"pid": "me"}), json.dumps(sound | {"recipe": {"epochs": 0}}))
    for content in (*damaged, json.dumps(sound | {"data": "letters"})):
        (broken / "run.json").write_text(content)
        with pytest.raises(RunError, match=r"run\.json is damaged\. Start a new one"):
            read_run(broken)
        assert ids(all_runs()) == ["20260101-000000-quick"]
    assert find_run("runs/20260101-000000-quick") == latest_run()
    with pytest.raises(RunError, match="no run called"):
        find_run(broken.name)


def test_a_folder_that_holds_something_is_not_taken(weights: Path) -> None:
    taken = weights / "runs" / "taken"
    noted(taken, os.getpid(), started=1.0)
    with pytest.raises(RunError, match="already holds"):
        jobs.claim(SHORT, taken)
