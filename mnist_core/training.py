"""Training by a recipe: a generator that yields its progress and does not know who watches."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.batches import Batches, make_targets, number_format, to_tensors
from mnist_core.datasets import Dataset, LabelledImages
from mnist_core.model import MLP, scale_pixels
from mnist_core.optimizers import WeightAverage, learning_rates, make_optimizers
from mnist_core.recipes import CLASSES, Recipe

REPORT_SECONDS = 0.2
TRIAL_IMAGES = 2048


@dataclass(frozen=True)
class StepProgress:
    """Where a training stands, a few times a second."""

    epoch: int
    """Counted from 1."""
    images_seen: int
    images_total: int
    loss: float
    """Mean over the training images since the last report."""
    images_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class EpochProgress:
    """What one pass over the training images led to."""

    epoch: int
    train_loss: float
    """Mean over the epoch's training images, each weighing the same, while the weights were changing."""
    validation_loss: float
    validation_accuracy: float
    seconds: float
    """Since the training began."""
    model: MLP = field(repr=False, compare=False)
    """The network as it now is; it changes as soon as the next item is asked for."""

    @property
    def figures(self) -> dict[str, float]:
        """Everything but the network, ready for JSON."""
        return {name: value for name, value in vars(self).items() if name != "model"}


@dataclass(frozen=True)
class Trained:
    """The last thing a training yields: the network after its last epoch, on the CPU, ready to answer."""

    model: MLP
    seconds: float


def train(
    recipe: Recipe, dataset: Dataset, *, device: torch.device | None = None
) -> Iterator[StepProgress | EpochProgress | Trained]:
    """Train a new network; stop at any step by no longer asking for the next item.

    The same recipe (seed included), data, device and number of threads give the same weights. The test images
    of `dataset` are not looked at.
    """
    device = device or default_device()
    count = len(dataset.train)
    watch = _Stopwatch(count * recipe.epochs)
    shuffling = torch.Generator().manual_seed(recipe.seed)
    batches = Batches(recipe, dataset.train, device, shuffling)
    validation = to_tensors(dataset.validation, device)
    step = _Stepper(_new_model(recipe).to(device), recipe, count, device)

    watch.start_learning()
    for epoch in range(1, recipe.epochs + 1):
        epoch_loss = torch.zeros((), device=device)
        order = torch.randperm(count, generator=shuffling).to(device)
        for images, targets in batches.of(torch.split(order, recipe.batch_size)):
            loss = step(images, targets)
            epoch_loss += loss * len(images)
            if (progress := watch.count(epoch, len(images), loss)) is not None:
                yield progress
        validation_loss, accuracy = _validate(step.result, recipe, *validation)
        yield EpochProgress(epoch, epoch_loss.item() / count, validation_loss, accuracy, watch.elapsed, step.result)

    yield Trained(step.result.cpu().eval(), watch.elapsed)


def default_device() -> torch.device:
    """The GPU where there is one, else the CPU."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator or torch.device("cpu")


def leave_a_core_free() -> None:
    """Limit this process to all cores but one, at most four.

    More threads gain nothing on batches this small, and with every core taken both the training (whose threads
    wait for each other) and the rest of the machine crawl.
    """
    torch.set_num_threads(max(1, min(4, (os.cpu_count() or 1) - 1)))


def estimate_seconds(recipe: Recipe, training_images: int) -> float:
    """How long a training would take on this machine, from a short epoch on noise (a first one pays for set-up)."""
    count = min(TRIAL_IMAGES, training_images)
    noise = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    trial = LabelledImages("noise", noise, np.arange(count) % CLASSES)
    events = train(replace(recipe, epochs=2), Dataset("sample", trial, trial, trial, {}))
    first, second = (event.seconds for event in events if isinstance(event, EpochProgress))
    epoch = second - first
    return (first - epoch + epoch * recipe.epochs) / count * training_images


class _Stepper:
    """One step of the recipe's optimizers at a time."""

    def __init__(self, model: MLP, recipe: Recipe, images: int, device: torch.device) -> None:
        self.model = model
        self.loss = _loss_function(recipe)
        self.rates = iter(learning_rates(recipe, recipe.epochs * recipe.steps_per_epoch(images)))
        self.parameters: list[Tensor] = list(model.parameters())
        self.optimizers = make_optimizers(model, recipe)
        self.average = WeightAverage(model, recipe.averaging) if recipe.averaging else None
        self.precision = number_format(recipe, device)

    @property
    def result(self) -> MLP:
        """The network that the training is for: the averaged one where the recipe averages."""
        return self.average.model if self.average else self.model

    def __call__(self, images: Tensor, targets: Tensor) -> Tensor:
        with self.precision:
            logits = self.model(images)
        loss: Tensor = self.loss(logits.float(), targets)
        gradients = torch.autograd.grad(loss, self.parameters)
        rate = next(self.rates)
        with torch.no_grad():
            for optimizer, places in self.optimizers:
                optimizer.step([gradients[place] for place in places], rate)
        if self.average:
            self.average.update()
        return loss.detach()


class _Stopwatch:
    """Counts images and says how fast they go by: every `REPORT_SECONDS`, in long runs up to ten times less often."""

    def __init__(self, images_total: int) -> None:
        self.images_total = images_total
        self.images_seen = 0
        self.begin = time.perf_counter()
        self.start_learning()
        self.losses: list[Tensor] = []
        self.counts: list[int] = []

    def start_learning(self) -> None:
        """The preparations are over: from here on images a second count."""
        self.learning_since = self.last_report = time.perf_counter()

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.begin

    def count(self, epoch: int, images: int, loss: Tensor) -> StepProgress | None:
        self.images_seen += images
        self.losses.append(loss)
        self.counts.append(images)
        now = time.perf_counter()
        patience = min(10 * REPORT_SECONDS, max(REPORT_SECONDS, (now - self.begin) / 100))  # long runs have time
        if now - self.last_report < patience:
            return None
        self.last_report = now
        weights = torch.tensor(self.counts, dtype=torch.float32)
        loss_since = (torch.stack(self.losses).cpu() * weights).sum().item() / weights.sum().item()
        self.losses, self.counts = [], []
        rate = self.images_seen / (now - self.learning_since)
        seconds_left = (self.images_total - self.images_seen) / rate
        return StepProgress(epoch, self.images_seen, self.images_total, loss_since, rate, seconds_left)


def _new_model(recipe: Recipe) -> MLP:
    """A network whose starting weights depend on the seed alone; the caller's random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return MLP(recipe.layer_sizes)


def _loss_function(recipe: Recipe) -> nn.Module:
    return nn.BCEWithLogitsLoss() if recipe.loss == "bce" else nn.CrossEntropyLoss()


@torch.inference_mode()
def _validate(model: MLP, recipe: Recipe, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Loss (the recipe's) and accuracy on images the training does not see."""
    model.eval()
    logits = model(scale_pixels(images))
    loss = _loss_function(recipe)(logits, make_targets(labels, recipe)).item()
    return loss, (logits.argmax(1) == labels).sum().item() / len(labels)
