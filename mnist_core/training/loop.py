"""The training loop: a generator that yields its progress and does not know who watches."""

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
TRIAL_WORK = 5e9  # parameters × images: about a second, so that trying a large network does not take long either


def train(
    recipe: Recipe,
    dataset: Dataset,
    *,
    device: torch.device | None = None,
    resume: Checkpoint | None = None,
    teacher: MLP | None = None,
) -> Iterator[StepProgress | EpochProgress | Trained]:
    """Train a new network, yielding progress and at last the result; to stop early, stop iterating.

    The same recipe (with its seed), data, device and number of threads give the same weights, also when training
    resumes from the checkpoint of any epoch. The test images of `dataset` are not used.

    Args:
        recipe: everything that decides the training.
        dataset: its training images are learned from, its validation images measure each epoch.
        device: where to compute; by default the GPU if there is one.
        resume: the checkpoint to continue from.
        teacher: the network of the version that `recipe.teacher` names, for a recipe that learns from one.

    Raises:
        RecipeError: the recipe learns from a teacher and none is given.
        CheckpointError: `resume` was made by another recipe, or does not fit this one.
    """
    if recipe.teacher and teacher is None:
        raise RecipeError(f"teacher: the recipe learns from {recipe.teacher!r}. Give `train` that version's network.")
    training = _Training(recipe, dataset, device or default_device(), teacher, resume)
    while not training.is_over:
        yield from training.run_steps()
        yield training.end_epoch()
    yield training.result()


def default_device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator or torch.device("cpu")


def leave_a_core_free() -> None:
    """Limit this process, and those it trains together with, to all cores but one, at most four each.

    More threads gain nothing on batches this small. With every core taken, the training (whose threads wait for each
    other) and the rest of the machine both slow down badly.
    """
    local_processes = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    torch.set_num_threads(max(1, min(4, ((os.cpu_count() or 1) - 1) // local_processes)))


def estimate_seconds(recipe: Recipe, training_images: int, teacher: MLP | None = None) -> float:
    """Estimate how long a training takes on this machine, from two short epochs on noise; the first includes set-up."""
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
class _EpochScore:
    """An epoch and how well it classified the validation images."""

    epoch: int = 0
    accuracy: float = 0.0
    loss: float = float("inf")

    def beats(self, other: "_EpochScore") -> bool:
        return other.epoch == 0 or (self.accuracy, -self.loss) > (other.accuracy, -other.loss)


class _Training:
    """The state of one training, from epoch to epoch."""

    def __init__(
        self, recipe: Recipe, dataset: Dataset, device: torch.device, teacher: MLP | None, resume: Checkpoint | None
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.count = len(dataset.train)
        self.shuffling = torch.Generator().manual_seed(recipe.seed)
        self.batches = Batches(recipe, dataset.train, device, self.shuffling, teacher)
        self.learner = Learner(recipe, self.count, device)
        self.epoch = 0
        self.seconds = 0.0
        self.epoch_loss = torch.zeros((), device=device)
        self.best = self.kept = _EpochScore()
        self.kept_weights: Mapping[str, Tensor] = {}
        if resume is not None:
            self._restore(resume)
        self.watch = Stopwatch(self.count * recipe.epochs, self.count * self.epoch, self.seconds)
        self.validation = to_tensors(dataset.validation, device)
        probed = np.linspace(0, self.count - 1, min(self.count, len(dataset.validation))).astype(np.int64)
        self.training_probe = to_tensors(dataset.train.part("some training images", probed), device)
        self.watch.start_learning()

    @property
    def is_over(self) -> bool:
        """Whether all epochs are done, or the recipe's patience has run out."""
        out_of_patience = 0 < self.recipe.patience <= self.epoch - self.best.epoch
        return self.epoch == self.recipe.epochs or out_of_patience

    def run_steps(self) -> Iterator[StepProgress]:
        """Train for one epoch; yield progress now and then."""
        self.epoch += 1
        self.epoch_loss.zero_()
        order = torch.randperm(self.count, generator=self.shuffling).to(self.device)
        choices = torch.split(order, self.recipe.batch_size)
        shares = [parallel.share_of(chosen) for chosen in choices]
        for chosen, (images, targets) in zip(choices, self.batches.of(shares), strict=True):
            loss = self.learner.step(images, targets, len(chosen))
            self.epoch_loss += loss * len(images)
            if (progress := self.watch.count(self.epoch, len(chosen), loss)) is not None:
                yield progress

    def end_epoch(self) -> EpochProgress:
        """Validate the network and keep its weights if this epoch is the one to keep."""
        model = self.learner.result
        validation = _validate(model, self.recipe, *self.validation)
        self.seconds = self.watch.elapsed
        score = _EpochScore(self.epoch, validation.accuracy, validation.loss)
        if score.beats(self.best):
            self.best = score
            if self.recipe.keep == "best":
                self.kept_weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        self.kept = self.best if self.recipe.keep == "best" else score
        return EpochProgress(
            self.epoch,
            train_loss=parallel.summed(self.epoch_loss).item() / self.count,
            train_accuracy=_validate(model, self.recipe, *self.training_probe).accuracy,
            validation_loss=validation.loss,
            validation_accuracy=validation.accuracy,
            validation_confusion=validation.confusion,
            seconds=self.watch.elapsed,
            model=model,
            checkpoint=self.checkpoint,
        )

    def result(self) -> Trained:
        """Return the network that becomes the version."""
        model = self.learner.result
        if self.kept_weights:
            model.load_state_dict(self.kept_weights)
        return Trained(model.cpu().eval(), self.kept.epoch, self.kept.accuracy, self.watch.elapsed)

    def checkpoint(self) -> Checkpoint:
        """Return everything that is needed to resume after this epoch; tensors are not copied."""
        tensors = {f"learner.{name}": tensor for name, tensor in self.learner.state().items()}
        tensors |= {f"generator.{name}": source.get_state() for name, source in self.batches.generators.items()}
        tensors |= {f"kept.{name}": tensor for name, tensor in self.kept_weights.items()}
        values: dict[str, Any] = {"epoch": self.epoch, "seconds": self.seconds, "steps": self.learner.steps}
        return Checkpoint(self.recipe, {**values, "best": asdict(self.best), "kept": asdict(self.kept)}, tensors)

    def _restore(self, checkpoint: Checkpoint) -> None:
        if checkpoint.recipe != self.recipe:
            raise CheckpointError("The run was started with another recipe. Start the run again instead of resuming.")
        try:
            values = checkpoint.values
            self.learner.restore(part_of(checkpoint.tensors, "learner"), values["steps"])
            for name, generator in self.batches.generators.items():
                generator.set_state(checkpoint.tensors[f"generator.{name}"])
                if parallel.rank() and name != "shuffling":  # the checkpoint holds the first process's state
                    generator.manual_seed(self.recipe.seed + parallel.rank() + checkpoint.epoch * parallel.processes())
            self.kept_weights = part_of(checkpoint.tensors, "kept")
            self.best, self.kept = _EpochScore(**values["best"]), _EpochScore(**values["kept"])
            self.epoch, self.seconds = int(values["epoch"]), float(values["seconds"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"The run cannot be resumed ({error!r}). Start it again instead.") from error


@torch.inference_mode()
def _validate(model: MLP, recipe: Recipe, images: Tensor, labels: Tensor) -> _Validation:
    """Return the recipe's loss, the accuracy and the confusion matrix on undistorted images."""
    model.eval()
    logits = model(scale_pixels(images))
    loss: Tensor = loss_function(recipe)(logits, make_targets(labels, recipe))
    confusion = torch.bincount(labels * CLASSES + logits.argmax(1), minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    # the first process's figures for all, so that all processes stop after the same epoch
    figures = parallel.from_first(torch.stack((loss.double(), confusion.trace().double() / len(labels))))
    return _Validation(figures[0].item(), figures[1].item(), tuple(map(tuple, confusion.tolist())))
