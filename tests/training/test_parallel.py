"""Training in two processes at once, as `torchrun` starts them, against one process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mnist_core import RECIPES, DigitClassifier, Recipe, train
from mnist_core.images.datasets import Dataset
from mnist_core.network.model import MLP
from mnist_core.runs.events import Epoch, Evaluating, Finished, Loaded
from mnist_core.runs.execution import train_command
from mnist_core.runs.status import read_run
from mnist_core.training import parallel
from mnist_core.training.progress import Trained
from mnist_core.versions import registry
from mnist_core.versions.registry import teacher_of

ROOT = Path(__file__).parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m", "mnist_core"]


def trained_by_one(recipe: Recipe, sample: Dataset) -> MLP:
    *_, last = train(recipe, sample, device=torch.device("cpu"), teacher=teacher_of(recipe))
    assert isinstance(last, Trained)
    return last.model


@pytest.mark.skipif(torch.accelerator.is_available(), reason="two processes would need two GPUs")
def test_two_processes_take_the_steps_of_one_and_write_one_version(
    sample: Dataset, weights: Path, tmp_path: Path
) -> None:
    """3,500 images in batches of 33: they do not divide evenly, least of all the last one, of 2."""
    recipe = RECIPES["quick"].override(batch_size=33, learning_rate=0.003)
    command = [*TORCHRUN, *train_command(recipe, "sample")[1:], "--output", str(tmp_path / "two")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr

    version = registry.load_version(tmp_path / "two")
    one = trained_by_one(recipe, sample)
    ours, theirs = one.state_dict(), version.model.state_dict()
    assert all(torch.allclose(theirs[name], ours[name], atol=1e-3) for name in ours)
    other = trained_by_one(recipe.override(seed=1), sample).state_dict()
    assert not any(torch.allclose(other[name], ours[name], atol=1e-2) for name in ours)
    answers = DigitClassifier(one).predict_frames(sample.test.images).argmax(axis=1)
    alone, together = float(np.mean(answers == sample.test.labels)), version.record.evaluation.accuracy
    assert min(alone, together) >= 0.9
    assert together == pytest.approx(alone, abs=0.03)

    run = read_run(tmp_path / "two")
    assert run.state == "finished"
    assert [epoch.epoch for epoch in run.of(Epoch)] == list(range(1, recipe.epochs + 1))
    assert [len(run.of(kind)) for kind in (Loaded, Evaluating, Finished)] == [1, 1, 1]
    assert done.stdout.count(f"epoch {recipe.epochs}/{recipe.epochs}") == 1, "only the first one reports"
    assert not list(weights.glob("**/*.json*")), "nothing is written elsewhere"


@pytest.mark.skipif(torch.accelerator.is_available(), reason="two processes would need two GPUs")
def test_a_first_process_that_fails_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "model.json").write_text("precious")
    command = [*TORCHRUN, "train", "--recipe", "quick", "--data", "sample", "--output", str(tmp_path / "taken")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert "already holds a run or a version" in done.stderr
    assert (tmp_path / "taken" / "model.json").read_text() == "precious"


def test_without_torchrun_there_is_one_process_that_does_everything() -> None:
    with parallel.together(), parallel.first_alone():
        assert (parallel.rank(), parallel.processes()) == (0, 1)
        chosen = torch.arange(5)
        assert parallel.share_of(chosen) is chosen
        assert parallel.summed(torch.tensor(3.0)) == parallel.from_first(torch.tensor(3.0))
