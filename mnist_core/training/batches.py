"""Batches of training images, distorted as the recipe says, and their targets."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.images.datasets import CLASSES, NOT_A_DIGIT, LabelledImages
from mnist_core.network.model import MLP, scale_pixels
from mnist_core.recipes import Loss, Recipe
from mnist_core.training.augmentation import Augmenter, shift_batch


class Batches:
    """Makes batches of images, distorted as the recipe says, and the target of each image."""

    def __init__(
        self,
        recipe: Recipe,
        data: LabelledImages,
        device: torch.device,
        shuffling: torch.Generator,
        teacher: MLP | None = None,
    ) -> None:
        self.recipe = recipe
        self.shuffling = shuffling
        self.images, labels = to_tensors(data, device)
        self.targets = make_targets(labels, recipe)
        self.augmenter = Augmenter(recipe, data, device) if recipe.augments else None
        self.teacher = teacher.eval().to(device) if teacher else None
        self.precision = number_format(recipe, device)

    @property
    def generators(self) -> dict[str, torch.Generator]:
        """The random generators by name; restoring their states makes the batches continue where they stopped."""
        distorting = {"distorting": self.augmenter.generator} if self.augmenter else {}
        return {"shuffling": self.shuffling, **distorting}

    def of(self, choices: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield, for each of `choices`, indices (n,), images (n, 28, 28) with values in [0, 1] and targets (n, 10).

        When images are distorted, the next batch is made in a thread while the network learns from this one. There is
        one such thread, working in order, so that the same seed gives the same batches.
        """
        if self.teacher is None:
            yield from self._made(choices)
            return
        for images, _ in self._made(choices):
            with torch.no_grad(), self.precision:
                logits = self.teacher(images).float()
            yield images, outputs_of(logits, self.recipe.loss)

    def _made(self, choices: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        if self.augmenter is None:
            yield from map(self._make, choices)
            return
        with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as maker:
            ahead = deque([maker.submit(self._make, choices[0])])
            for chosen in choices[1:]:
                ahead.append(maker.submit(self._make, chosen))
                yield ahead.popleft().result()
            yield ahead.popleft().result()

    def _make(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        if self.augmenter is not None:
            images, labels = self.augmenter(chosen)
            images, targets = shift_batch(images, self.recipe.shift, self.shuffling), make_targets(labels, self.recipe)
        else:
            pixels = self.images.index_select(0, chosen)  # uint8: a quarter of the bytes to copy and shift
            images = scale_pixels(shift_batch(pixels, self.recipe.shift, self.shuffling))
            targets = self.targets.index_select(0, chosen)
        return images, targets


def to_tensors(part: LabelledImages, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return images (n, 28, 28) uint8 and labels (n,) as tensors on the device."""
    return torch.from_numpy(np.ascontiguousarray(part.images)).to(device), torch.from_numpy(part.labels).to(device)


def make_targets(labels: Tensor, recipe: Recipe) -> Tensor:
    """Return the targets (n, 10) of labels (n,): one-hot rows, smoothed as the recipe says.

    The target of `NOT_A_DIGIT` is 0 for each digit with `bce`, and 1/10 for each with `ce`, whose rows must sum to 1.
    """
    is_digit = labels != NOT_A_DIGIT
    targets = nn.functional.one_hot(labels.clamp(min=0), CLASSES).float() * is_digit[:, None]
    if recipe.loss == "ce":
        targets = torch.where(is_digit[:, None], targets, 1 / CLASSES)
    if recipe.label_smoothing:
        targets = targets.lerp(torch.full_like(targets, 1 / CLASSES), recipe.label_smoothing)
    return targets


def outputs_of(logits: Tensor, loss: Loss) -> Tensor:
    """Return the probabilities (n, 10) that a network trained with `loss` gives: sigmoids for `bce`, else a softmax."""
    return logits.sigmoid() if loss == "bce" else logits.softmax(dim=1)


def number_format(recipe: Recipe, device: torch.device) -> AbstractContextManager[None]:
    """Return the context in which networks compute with the recipe's precision."""
    return torch.autocast(device.type, torch.bfloat16) if recipe.precision == "bfloat16" else nullcontext()
