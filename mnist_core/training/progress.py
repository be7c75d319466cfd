"""What a training yields while it runs, and the stopwatch behind its speed."""

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
    """The progress within an epoch, reported a few times a second."""

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
    """The result of one pass over the training images."""

    epoch: int
    train_loss: float
    """Mean over the epoch's training images, taken while the weights were changing."""
    train_accuracy: float
    """After the epoch, on as many undistorted training images as there are validation images."""
    validation_loss: float
    validation_accuracy: float
    validation_confusion: tuple[tuple[int, ...], ...]
    """Counts: row = true digit, column = predicted digit."""
    seconds: float
    """Since the training began."""
    model: MLP = field(repr=False, compare=False)
    """The current network; it changes as soon as the next item is requested."""
    checkpoint: Callable[[], Checkpoint] = field(repr=False, compare=False)
    """Returns everything needed to resume from here. Call it, and save the result, before requesting the next item."""

    @property
    def figures(self) -> dict[str, Any]:
        """Everything but the network and the checkpoint, ready for JSON."""
        return {name: value for name, value in vars(self).items() if name not in ("model", "checkpoint")}


@dataclass(frozen=True)
class Trained:
    """The last item of a training: the network that the recipe keeps, on the CPU and in evaluation mode."""

    model: MLP
    epoch: int
    """The epoch that the weights come from."""
    validation_accuracy: float
    """After that epoch."""
    seconds: float


class Stopwatch:
    """Counts images and reports the speed every `REPORT_SECONDS`, in long runs up to ten times less often."""

    def __init__(self, images_total: int, images_before: int, seconds_before: float) -> None:
        """Start at 0, or for a resumed run at the images and seconds from before it stopped."""
        self.images_total = images_total
        self.images_before = self.images_seen = images_before
        self.begin = time.perf_counter() - seconds_before
        self.start_learning()
        self.losses: list[Tensor] = []
        self.counts: list[int] = []

    def start_learning(self) -> None:
        """Start measuring images per second, now that the preparations are done."""
        self.learning_since = self.last_report = time.perf_counter()

    @property
    def elapsed(self) -> float:
        """Seconds since the training began, without the time between stopping and resuming."""
        return time.perf_counter() - self.begin

    def count(self, epoch: int, images: int, loss: Tensor) -> StepProgress | None:
        """Count a step; return a report if one is due."""
        self.images_seen += images
        self.losses.append(loss)
        self.counts.append(images)
        now = time.perf_counter()
        interval = min(10 * REPORT_SECONDS, max(REPORT_SECONDS, (now - self.begin) / 100))
        if now - self.last_report < interval:
            return None
        self.last_report = now
        weights = torch.tensor(self.counts, dtype=torch.float32)
        loss_since = (torch.stack(self.losses).cpu() * weights).sum().item() / weights.sum().item()
        self.losses, self.counts = [], []
        rate = (self.images_seen - self.images_before) / (now - self.learning_since)
        seconds_left = (self.images_total - self.images_seen) / rate
        return StepProgress(epoch, self.images_seen, self.images_total, loss_since, rate, seconds_left)
