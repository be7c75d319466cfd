"""Resuming from a checkpoint, against a training that was never stopped."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import safetensors.torch
import torch

from mnist_core import RECIPES, Recipe, train
from mnist_core.errors import CheckpointError
from mnist_core.images.datasets import Dataset
from mnist_core.network.model import MLP
from mnist_core.runs import jobs, processes
from mnist_core.runs.events import Epoch, Resumed
from mnist_core.runs.folder import RunRequest, read_log
from mnist_core.training.checkpoints import Checkpoint, epoch_of
from mnist_core.training.loop import leave_a_core_free
from mnist_core.training.progress import EpochProgress, StepProgress, Trained
from mnist_core.versions import registry
from mnist_core.versions.registry import teacher_of
from tests.runs.test_jobs import wait_for

CPU = torch.device("cpu")
SMALL = {
    name: dataclasses.replace(recipe, hidden=(30, 20), epochs=3, batch_size=min(recipe.batch_size, 64))
    for name, recipe in RECIPES.items()
}
SMALL["every other field"] = Recipe(
    hidden=(30, 20),
    learning_rate=0.3,
    batch_size=64,
    epochs=9,
    optimizer="sgd",
    momentum=0.8,
    weight_decay=1e-4,
    dropout=0.2,
    patience=3,
    keep="best",
    shift=1,
)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tiny(sample: Dataset) -> Dataset:
    """330 images to train on: no multiple of any batch size used here."""
    some = sample.train.part("330 images", np.arange(330))
    return Dataset("sample", some, sample.validation, sample.test, {})


def unbroken(recipe: Recipe, dataset: Dataset, folder: Path) -> tuple[list[EpochProgress], Trained]:
    """Train without a break, saving a checkpoint after each epoch as `<folder>/<epoch>`."""
    epochs = []
    for progress in train(recipe, dataset, device=CPU, teacher=teacher_of(recipe)):
        if isinstance(progress, EpochProgress):
            progress.checkpoint().save(folder / str(progress.epoch))
            epochs.append(progress)
    assert isinstance(progress, Trained)
    return epochs, progress


def same(one: MLP, other: MLP) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return all(torch.equal(weights[name], others[name]) for name in weights)


@pytest.mark.parametrize("name", SMALL)
def test_a_resumed_training_ends_like_an_unbroken_one_bit_for_bit(name: str, tiny: Dataset, tmp_path: Path) -> None:
    recipe = SMALL[name]
    epochs, whole = unbroken(recipe, tiny, tmp_path)
    for stop in (epochs[0].epoch, epochs[-2].epoch):
        path = tmp_path / str(stop)
        assert epoch_of(path) == stop
        events = train(recipe, tiny, device=CPU, teacher=teacher_of(recipe), resume=Checkpoint.load(path))
        first, *_, last = (event for event in events if not isinstance(event, StepProgress))
        assert isinstance(first, EpochProgress)
        assert isinstance(last, Trained)
        assert first.epoch == stop + 1
        assert first.train_loss == epochs[stop].train_loss
        assert same(last.model, whole.model), f"stopped after epoch {stop}"
        assert (last.epoch, last.validation_accuracy) == (whole.epoch, whole.validation_accuracy)
    # and would not, had the checkpoint left out which order of the images comes next
    checkpoint = Checkpoint.load(tmp_path / "1")
    tensors = {**checkpoint.tensors, "generator.shuffling": torch.Generator().manual_seed(99).get_state()}
    *_, last = train(
        recipe, tiny, device=CPU, teacher=teacher_of(recipe), resume=dataclasses.replace(checkpoint, tensors=tensors)
    )
    assert isinstance(last, Trained)
    assert not same(last.model, whole.model)


def test_resuming_from_the_last_checkpoint_gives_the_same_version(tiny: Dataset, tmp_path: Path) -> None:
    """After the last epoch there is nothing left to learn."""
    epochs, whole = unbroken(SMALL["quick"], tiny, tmp_path)
    only = list(train(SMALL["quick"], tiny, device=CPU, resume=Checkpoint.load(tmp_path / str(len(epochs)))))
    assert len(only) == 1
    assert isinstance(only[0], Trained)
    assert same(only[0].model, whole.model)


def test_the_checkpoint_of_another_recipe_is_refused(tiny: Dataset, tmp_path: Path) -> None:
    unbroken(SMALL["quick"].override(epochs=1), tiny, tmp_path)
    checkpoint = Checkpoint.load(tmp_path / "1")
    with pytest.raises(CheckpointError, match="another recipe"):
        next(train(SMALL["quick"].override(seed=1), tiny, device=CPU, resume=checkpoint))
    fits_not = dataclasses.replace(checkpoint, recipe=SMALL["article"])
    with pytest.raises(CheckpointError, match="Start it again"):  # it lacks that optimizer's state
        next(train(SMALL["article"], tiny, device=CPU, resume=dataclasses.replace(fits_not, tensors={})))


@pytest.mark.parametrize("damage", ["half", "nothing", "foreign", "missing"])
def test_a_damaged_checkpoint_is_refused_and_named(damage: str, tiny: Dataset, tmp_path: Path) -> None:
    unbroken(SMALL["quick"].override(epochs=1), tiny, tmp_path)
    path, content = tmp_path / "1", (tmp_path / "1").read_bytes()
    match damage:
        case "half":
            path.write_bytes(content[: len(content) // 2])
        case "nothing":
            path.write_bytes(b"")
        case "foreign":
            safetensors.torch.save_file({"weights": torch.zeros(3)}, path)
        case "missing":
            path.unlink()
    assert epoch_of(path) == 0
    with pytest.raises(CheckpointError, match=rf"{path.name} cannot be loaded.*Start the run again"):
        Checkpoint.load(path)


def test_early_stopping_stops_and_keeps_the_best_epoch(tiny: Dataset, tmp_path: Path) -> None:
    recipe = dataclasses.replace(SMALL["every other field"], epochs=60)
    epochs, kept = unbroken(recipe, tiny, tmp_path)
    accuracies = [epoch.validation_accuracy for epoch in epochs]
    assert kept.validation_accuracy == max(accuracies)
    assert kept.epoch < len(epochs) < recipe.epochs, "it stopped before its time"
    assert len(epochs) - kept.epoch == recipe.patience
    with torch.inference_mode():
        answers = kept.model(torch.from_numpy(tiny.validation.images).float() / 255).argmax(1).numpy()
    assert float((answers == tiny.validation.labels).mean()) == pytest.approx(max(accuracies))
    # a training that resumes after the best epoch still has that epoch's weights
    *_, last = train(
        recipe, tiny, device=CPU, teacher=teacher_of(recipe), resume=Checkpoint.load(tmp_path / str(len(epochs) - 1))
    )
    assert isinstance(last, Trained)
    assert same(last.model, kept.model)


def test_a_killed_run_that_is_resumed_gives_the_unbroken_runs_weights(sample: Dataset) -> None:
    recipe = RECIPES["article"].override(epochs=12)
    run = wait_for(jobs.start(RunRequest(recipe, "sample")), lambda run: run.resumable_epoch)
    psutil.Process(run.pid).kill()
    run = wait_for(run, lambda run: run.ended)
    assert run.state == "interrupted"
    assert 1 <= run.resumable_epoch < 12
    assert jobs.resume(run).id == run.id
    resumed = wait_for(run, lambda run: run.ended)
    assert resumed.state == "finished", read_log(resumed.folder)
    assert [event.epoch for event in resumed.of(Resumed)] == [run.resumable_epoch]
    assert [epoch.epoch for epoch in resumed.of(Epoch)] == list(range(1, 13)), "each is told of once"
    for process in processes.children:
        process.wait(30)  # the checkpoint goes last, after the run has told of its end
    assert not (run.folder / "checkpoint.safetensors").exists()
    version = registry.load_version(run.folder)
    assert version.record.curve.epoch == tuple(range(1, 13))
    leave_a_core_free()  # as that process did
    *_, unbroken_one = train(recipe, sample, device=CPU, teacher=teacher_of(recipe))
    assert isinstance(unbroken_one, Trained)
    assert same(version.model, unbroken_one.model)
