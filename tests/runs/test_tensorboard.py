"""Figures of a run for TensorBoard."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_core import RECIPES
from mnist_core.runs import jobs
from mnist_core.runs.events import Epoch, Loaded
from mnist_core.runs.execution import perform
from mnist_core.runs.folder import RunRequest
from mnist_core.runs.status import RunStatus, read_run
from mnist_core.runs.tensorboard import SCALARS, EventFiles

SHORT = RunRequest(RECIPES["quick"].override(epochs=3), "sample")


def done_here() -> RunStatus:
    """A run of this process, from its beginning to its end."""
    run = jobs.claim(SHORT)
    assert run.pid == os.getpid()
    perform(run)
    return read_run(run.folder)


def scalars(folder: Path) -> Callable[[str], dict[int, float]]:
    """What TensorBoard itself reads from a folder: the values of a curve, by step."""
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    return lambda tag: {scalar.step: scalar.value for scalar in read.Scalars(tag)}


def test_tensorboard_reads_the_figures_of_a_run() -> None:
    pytest.importorskip("tensorboard")
    run = done_here()
    curve = scalars(run.folder)
    epochs = run.of(Epoch)
    assert len(epochs) == 3
    for field, tag in SCALARS.items():
        assert curve(tag) == pytest.approx({epoch.epoch: getattr(epoch, field) for epoch in epochs})


def test_a_resumed_run_replaces_what_it_does_again(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    for before, losses in ((0, [3.0, 2.0, 1.0]), (1, [0.5])):
        files = EventFiles(tmp_path, before)
        for epoch, loss in enumerate(losses, start=before + 1):
            files(Epoch(epoch=epoch, **dict.fromkeys(SCALARS, loss), validation_confusion=(), seconds=1.0))
        files(Loaded(images={}))
        files.close()
    assert scalars(tmp_path)("loss/training") == {1: 3.0, 2: 0.5}


def test_a_run_works_without_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec

    def find_spec(name: str, *rest: str) -> object:
        return None if name == "tensorboard" else find(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    run = done_here()
    assert run.state == "finished"
    assert not list(run.folder.glob("events.out.*"))
