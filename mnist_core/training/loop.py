"""Training by a recipe: a generator that yields its progress and does not know who watches."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mnist_core.errors import CheckpointError, RecipeError
from mnist_core.images.datasets import CLASSES, Dataset, LabelledImages
from mnist_core.network.model import MLP, scale_pixels
from mnist_core.recipes import Recipe
from mnist_core.training import parallel
from mnist_core.training.batches import Batches, make_targets, to_tensors
from mnist_core.training.checkpoints import Checkpoint
from mnist_core.training.learner import Learner, loss_function, part_of
from mnist_core.training.progress import EpochProgress, StepProgress, Stopwatch, Trained

TRIAL_IMAGES = 2048
TRIAL_WORK = 5e9
"""Parameters times images: about a second, so that a trial of a large network does not take long either."""


def train(
    recipe: Recipe,
    dataset: Dataset,
    *,
    device: torch.device | None = None,
    resume: Checkpoint | None = None,
    teacher: MLP | None = None,
) -> Iterator[StepProgress | EpochProgress | Trained]:
    """Train a new network; stop at any step by no longer asking for the next item.

    The same recipe (seed included), data, device and number of threads give the same weights; so does going on from
    the checkpoint of any epoch, given as `resume`. The test images of `dataset` are not looked at.

    `teacher`: the network of the version that `recipe.teacher` names, for a recipe that learns from one.

    Raises:
        RecipeError: the recipe learns from a teacher and none is given.
        CheckpointError: `resume` was made by another recipe, or does not fit this one.
    """
    if recipe.teacher and teacher is None:
        raise RecipeError(f"teacher: the recipe learns from {recipe.teacher!r}. Give `train` that version's network.")
    device = device or default_device()
    count = len(dataset.train)
    shuffling = torch.Generator().manual_seed(recipe.seed)
    batches = Batches(recipe, dataset.train, device, shuffling, teacher)
    learner = Learner(recipe, count, device)
    state = _State(recipe, learner, batches)
    if resume is not None:
        state.restore(resume)
    watch = Stopwatch(count * recipe.epochs, count * state.epoch, state.seconds)
    validation = to_tensors(dataset.validation, device)
    some = np.linspace(0, count - 1, min(count, len(dataset.validation))).astype(np.int64)
    training = to_tensors(dataset.train.part("some training images", some), device)

    watch.start_learning()
    while not state.is_over:
        epoch = state.epoch + 1
        epoch_loss = torch.zeros((), device=device)
        choices = torch.split(torch.randperm(count, generator=shuffling).to(device), recipe.batch_size)
        shares = [parallel.share_of(chosen) for chosen in choices]
        for chosen, (images, targets) in zip(choices, batches.of(shares), strict=True):
            loss = learner.step(images, targets, len(chosen))
            epoch_loss += loss * len(images)
            if (progress := watch.count(epoch, len(chosen), loss)) is not None:
                yield progress
        after = _validate(learner.result, recipe, *validation)
        state.finish(after, watch.elapsed)
        yield EpochProgress(
            epoch,
            train_loss=parallel.summed(epoch_loss).item() / count,
            train_accuracy=_validate(learner.result, recipe, *training).accuracy,
            validation_loss=after.loss,
            validation_accuracy=after.accuracy,
            validation_confusion=after.confusion,
            seconds=watch.elapsed,
            model=learner.result,
            checkpoint=state.checkpoint,
        )

    yield Trained(state.kept_model(), state.kept.epoch, state.kept.accuracy, watch.elapsed)


def default_device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator or torch.device("cpu")


def leave_a_core_free() -> None:
    """Limit this process, and those it trains together with, to all cores but one, at most four each.

    More threads gain nothing on batches this small, and with every core taken both the training (whose threads
    wait for each other) and the rest of the machine crawl.
    """
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    torch.set_num_threads(max(1, min(4, ((os.cpu_count() or 1) - 1) // here)))


def estimate_seconds(recipe: Recipe, training_images: int, teacher: MLP | None = None) -> float:
    """How long a training would take on this machine, from a short epoch on noise (a first one pays for set-up)."""
    affordable = int(TRIAL_WORK / recipe.parameter_count)
    count = min(TRIAL_IMAGES, training_images, max(affordable, min(recipe.batch_size, 256)))
    noise = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    trial = LabelledImages("noise", noise, np.arange(count) % CLASSES)
    short = replace(recipe, epochs=2, patience=0)
    events = train(short, Dataset("sample", trial, trial, trial, {}), teacher=teacher)
    first, second = (event.seconds for event in events if isinstance(event, EpochProgress))
    epoch = second - first
    return (first - epoch + epoch * recipe.epochs) / count * training_images


@dataclass(frozen=True)
class _Validation:
    loss: float
    accuracy: float
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class _Kept:
    """The epoch whose weights become the version, as far as is known."""

    epoch: int = 0
    accuracy: float = 0.0
    loss: float = float("inf")


class _State:
    """Where a training stands between two epochs."""

    def __init__(self, recipe: Recipe, learner: Learner, batches: Batches) -> None:
        self.recipe = recipe
        self.learner = learner
        self.generators = batches.generators
        self.epoch = 0
        self.seconds = 0.0
        self.best = self.kept = _Kept()
        self.kept_weights: Mapping[str, Tensor] = {}

    @property
    def is_over(self) -> bool:
        """Whether all epochs are done, or so many brought nothing that the recipe's patience is at an end."""
        out_of_patience = 0 < self.recipe.patience <= self.epoch - self.best.epoch
        return self.epoch == self.recipe.epochs or out_of_patience

    def finish(self, after: _Validation, seconds: float) -> None:
        """Take note of what another epoch led to."""
        self.epoch += 1
        self.seconds = seconds
        this = _Kept(self.epoch, after.accuracy, after.loss)
        if (this.accuracy, -this.loss) > (self.best.accuracy, -self.best.loss) or self.epoch == 1:
            self.best = this
            if self.recipe.keep == "best":
                self.kept_weights = {name: tensor.clone() for name, tensor in self._weights().items()}
        self.kept = self.best if self.recipe.keep == "best" else this

    def kept_model(self) -> MLP:
        """The network that becomes the version."""
        if self.kept_weights:
            self.learner.result.load_state_dict(self.kept_weights)
        return self.learner.result.cpu().eval()

    def checkpoint(self) -> Checkpoint:
        tensors = {f"learner.{name}": tensor for name, tensor in self.learner.state().items()}
        tensors |= {f"generator.{name}": generator.get_state() for name, generator in self.generators.items()}
        tensors |= {f"kept.{name}": tensor for name, tensor in self.kept_weights.items()}
        values: dict[str, Any] = {"epoch": self.epoch, "seconds": self.seconds, "steps": self.learner.steps}
        return Checkpoint(self.recipe, {**values, "best": asdict(self.best), "kept": asdict(self.kept)}, tensors)

    def restore(self, checkpoint: Checkpoint) -> None:
        if checkpoint.recipe != self.recipe:
            raise CheckpointError("The run was begun by another recipe. Start it again instead of going on.")
        try:
            values = checkpoint.values
            self.learner.restore(part_of(checkpoint.tensors, "learner"), values["steps"])
            for name, generator in self.generators.items():
                generator.set_state(checkpoint.tensors[f"generator.{name}"])
                if parallel.rank() and name != "shuffling":  # the checkpoint is the first process's
                    generator.manual_seed(self.recipe.seed + parallel.rank() + checkpoint.epoch * parallel.processes())
            self.kept_weights = part_of(checkpoint.tensors, "kept")
            self.best, self.kept = _Kept(**values["best"]), _Kept(**values["kept"])
            self.epoch, self.seconds = int(values["epoch"]), float(values["seconds"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"The run cannot be gone on with ({error!r}). Start it again instead.") from error

    def _weights(self) -> dict[str, Tensor]:
        return self.learner.result.state_dict()


@torch.inference_mode()
def _validate(model: MLP, recipe: Recipe, images: Tensor, labels: Tensor) -> _Validation:
    """Loss (the recipe's), accuracy and confusion on images, as they are."""
    model.eval()
    logits = model(scale_pixels(images))
    loss: Tensor = loss_function(recipe)(logits, make_targets(labels, recipe))
    confusion = torch.bincount(labels * CLASSES + logits.argmax(1), minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    # so that all processes of a training stop after the same epoch
    figures = parallel.from_first(torch.stack((loss.double(), confusion.trace().double() / len(labels))))
    return _Validation(figures[0].item(), figures[1].item(), tuple(map(tuple, confusion.tolist())))
