"""What a network is shown while it learns: batches of images, distorted by the recipe, and the answers wanted."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from mnist_core.images.datasets import CLASSES, NOT_A_DIGIT, LabelledImages
from mnist_core.network.model import MLP, scale_pixels
from mnist_core.recipes import Recipe
from mnist_core.training.augmentation import Augmenter, shift_batch


class Batches:
    """The images of a batch, distorted as the recipe says, and what the network should answer to each."""

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
        """All that decides what is random here: to go on later with the same batches, keep their states."""
        distorting = {"distorting": self.augmenter.generator} if self.augmenter else {}
        return {"shuffling": self.shuffling, **distorting}

    def of(self, choices: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """For each of `choices`, indices (n,), images (n, 28, 28) with values in [0, 1] and targets.

        Where making a batch takes long, the next one is made while the network learns from this one; in one thread and
        in order, so that the same seed still gives the same batches.
        """
        if self.augmenter is None and self.teacher is None:
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
            bytes_ = self.images.index_select(0, chosen)  # what is moved stays small, and is scaled when used
            images = scale_pixels(shift_batch(bytes_, self.recipe.shift, self.shuffling))
            targets = self.targets.index_select(0, chosen)
        if self.teacher is not None:
            with torch.no_grad(), self.precision:
                logits = self.teacher(images).float()
            targets = logits.sigmoid() if self.recipe.loss == "bce" else logits.softmax(dim=1)
        return images, targets


def to_tensors(part: LabelledImages, device: torch.device) -> tuple[Tensor, Tensor]:
    """Images (n, 28, 28) uint8 and labels (n,) on the device."""
    return torch.from_numpy(np.ascontiguousarray(part.images)).to(device), torch.from_numpy(part.labels).to(device)


def make_targets(labels: Tensor, recipe: Recipe) -> Tensor:
    """What the loss compares logits with, rows (n, 10): one-hot, smoothed as the recipe says.

    For what is no digit, `bce` wants a zero for each digit, and `ce`, which cannot say none, the same for each.
    """
    digits = labels != NOT_A_DIGIT
    targets = nn.functional.one_hot(labels.clamp(min=0), CLASSES).float() * digits[:, None]
    if recipe.loss == "ce":
        targets = torch.where(digits[:, None], targets, 1 / CLASSES)
    if recipe.label_smoothing:
        targets = targets.lerp(torch.full_like(targets, 1 / CLASSES), recipe.label_smoothing)
    return targets


def number_format(recipe: Recipe, device: torch.device) -> AbstractContextManager[None]:
    """In which numbers networks compute."""
    return torch.autocast(device.type, torch.bfloat16) if recipe.precision == "bfloat16" else nullcontext()
