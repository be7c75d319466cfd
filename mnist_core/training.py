"""Training by a recipe: a generator that yields its progress and does not know who watches."""

import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from mnist_core.augmentation import shift_batch
from mnist_core.datasets import Dataset, LabelledImages
from mnist_core.model import MLP, scale_pixels
from mnist_core.recipes import CLASSES, Recipe

REPORT_SECONDS = 0.2
TRIAL_IMAGES = 4096


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
    images, labels = _to_tensors(dataset.train, device)
    validation = _to_tensors(dataset.validation, device)
    targets = _targets(labels, recipe)
    shuffling = torch.Generator().manual_seed(recipe.seed)
    model = _new_model(recipe).to(device)
    step = _Stepper(model, recipe, len(images))
    watch = _Stopwatch(len(images) * recipe.epochs)

    for epoch in range(1, recipe.epochs + 1):
        model.train()
        epoch_loss = torch.zeros((), device=device)
        order = torch.randperm(len(images), generator=shuffling).to(device)
        for chosen in torch.split(order, recipe.batch_size):
            batch = images.index_select(0, chosen)  # of bytes: what is moved stays small, and is scaled when used
            batch = scale_pixels(shift_batch(batch, recipe.shift, shuffling))
            loss = step(batch, targets.index_select(0, chosen))
            epoch_loss += loss * len(batch)
            if (progress := watch.count(epoch, len(batch), loss)) is not None:
                yield progress
        validation_loss, accuracy = _validate(model, recipe, *validation)
        mean_loss = epoch_loss.item() / len(images)
        yield EpochProgress(epoch, mean_loss, validation_loss, accuracy, watch.elapsed, model)

    yield Trained(model.cpu().eval(), watch.elapsed)


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
    return (second - first) / count * training_images * recipe.epochs


def learning_rates(recipe: Recipe, steps: int) -> list[float]:
    """The learning rate of each of `steps` steps.

    One-cycle: from 1/25 of the peak up to it over the first tenth, then down to almost nothing, along cosines
    (Smith & Topin 2018, with the shape that torch's `OneCycleLR` gives it).
    """
    if recipe.schedule == "constant":
        return [recipe.learning_rate] * steps
    start, peak, end = recipe.learning_rate / 25, recipe.learning_rate, recipe.learning_rate / 25e4
    top, last = 0.1 * steps - 1, steps - 1

    def between(one: float, other: float, share: float) -> float:
        return other + (one - other) * (1 + math.cos(math.pi * share)) / 2

    return [
        between(start, peak, step / top) if step <= top else between(peak, end, (step - top) / (last - top))
        for step in range(steps)
    ]


class _Stepper:
    """One step of Adam at a time (Kingma & Ba 2015).

    The arithmetic is torch's; `torch.optim.Adam.step` would add bookkeeping that takes an eighth of a step this small.
    """

    def __init__(self, model: MLP, recipe: Recipe, images: int) -> None:
        self.model = model
        self.loss = _loss_function(recipe)
        self.rates = iter(learning_rates(recipe, recipe.epochs * recipe.steps_per_epoch(images)))
        self.parameters: list[Tensor] = list(model.parameters())
        self.means = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in self.parameters]
        self.steps = [torch.zeros((), device=parameter.device) for parameter in self.parameters]

    def __call__(self, images: Tensor, targets: Tensor) -> Tensor:
        loss: Tensor = self.loss(self.model(images), targets)
        gradients = torch.autograd.grad(loss, self.parameters)
        with torch.no_grad():
            adam(
                self.parameters,
                list(gradients),
                self.means,
                self.squares,
                [],
                self.steps,
                fused=True,  # one kernel instead of dozens of small ones
                lr=next(self.rates),
                beta1=0.9,
                beta2=0.999,
                eps=1e-8,
                weight_decay=0,
                amsgrad=False,
                maximize=False,
            )
        return loss.detach()


class _Stopwatch:
    """Counts images and, every `REPORT_SECONDS`, says how fast they go by."""

    def __init__(self, images_total: int) -> None:
        self.images_total = images_total
        self.images_seen = 0
        self.begin = self.last_report = time.perf_counter()
        self.losses: list[Tensor] = []
        self.counts: list[int] = []

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.begin

    def count(self, epoch: int, images: int, loss: Tensor) -> StepProgress | None:
        self.images_seen += images
        self.losses.append(loss)
        self.counts.append(images)
        now = time.perf_counter()
        if now - self.last_report < REPORT_SECONDS:
            return None
        self.last_report = now
        weights = torch.tensor(self.counts, dtype=torch.float32)
        loss_since = (torch.stack(self.losses).cpu() * weights).sum().item() / weights.sum().item()
        self.losses, self.counts = [], []
        rate = self.images_seen / (now - self.begin)
        seconds_left = (self.images_total - self.images_seen) / rate
        return StepProgress(epoch, self.images_seen, self.images_total, loss_since, rate, seconds_left)


def _new_model(recipe: Recipe) -> MLP:
    """A network whose starting weights depend on the seed alone; the caller's random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return MLP(recipe.layer_sizes)


def _to_tensors(part: LabelledImages, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(np.ascontiguousarray(part.images)).to(device), torch.from_numpy(part.labels).to(device)


def _targets(labels: Tensor, recipe: Recipe) -> Tensor:
    """What the loss compares logits with: one-hot rows for `bce`, the labels themselves for `ce`."""
    return nn.functional.one_hot(labels, CLASSES).float() if recipe.loss == "bce" else labels


def _loss_function(recipe: Recipe) -> nn.Module:
    return nn.BCEWithLogitsLoss() if recipe.loss == "bce" else nn.CrossEntropyLoss()


@torch.inference_mode()
def _validate(model: MLP, recipe: Recipe, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Loss (the recipe's) and accuracy on images the training does not see."""
    model.eval()
    logits = model(scale_pixels(images))
    loss = _loss_function(recipe)(logits, _targets(labels, recipe)).item()
    return loss, (logits.argmax(1) == labels).sum().item() / len(labels)
