"""What a training says of itself while it runs, and the stopwatch that tells how fast it goes."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from mnist_core.network.model import MLP
from mnist_core.training.checkpoints import Checkpoint

REPORT_SECONDS = 0.2


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
    train_accuracy: float
    """After the epoch, of as many training images as there are validation images, as they are, undistorted."""
    validation_loss: float
    validation_accuracy: float
    validation_confusion: tuple[tuple[int, ...], ...]
    """Counts: row = true digit, column = answer."""
    seconds: float
    """Since the training began."""
    model: MLP = field(repr=False, compare=False)
    """The network as it now is; it changes as soon as the next item is asked for."""
    checkpoint: Callable[[], Checkpoint] = field(repr=False, compare=False)
    """Gives all that is needed to go on from here; to be asked, and saved, before the next item is asked for."""

    @property
    def figures(self) -> dict[str, Any]:
        """Everything but the network, ready for JSON."""
        return {name: value for name, value in vars(self).items() if name not in ("model", "checkpoint")}


@dataclass(frozen=True)
class Trained:
    """The last thing a training yields: the network that the recipe keeps, on the CPU, ready to answer."""

    model: MLP
    epoch: int
    """The one whose weights these are."""
    validation_accuracy: float
    """After that epoch."""
    seconds: float


class Stopwatch:
    """Counts images and says how fast they go by: every `REPORT_SECONDS`, in long runs up to ten times less often."""

    def __init__(self, images_total: int, images_before: int, seconds_before: float) -> None:
        """What was `before` was done by a run that stopped, and that is now gone on with."""
        self.images_total = images_total
        self.images_before = self.images_seen = images_before
        self.begin = time.perf_counter() - seconds_before
        self.start_learning()
        self.losses: list[Tensor] = []
        self.counts: list[int] = []

    def start_learning(self) -> None:
        """The preparations are over: from here on images a second count."""
        self.learning_since = self.last_report = time.perf_counter()

    @property
    def elapsed(self) -> float:
        """Seconds since the training began, without those between a stop and going on."""
        return time.perf_counter() - self.begin

    def count(self, epoch: int, images: int, loss: Tensor) -> StepProgress | None:
        """Take note of a step; a report when it is time for one."""
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
        rate = (self.images_seen - self.images_before) / (now - self.learning_since)
        seconds_left = (self.images_total - self.images_seen) / rate
        return StepProgress(epoch, self.images_seen, self.images_total, loss_since, rate, seconds_left)
