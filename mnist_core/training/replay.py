"""The batches that fine-tuning learns from: a person's drawings beside replayed training digits, with their targets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from mnist_core.errors import TeachingError
from mnist_core.images.datasets import LabelledImages
from mnist_core.network.model import MLP, logits_in_batches, scale_pixels
from mnist_core.recipes import RECIPES, Loss, Precision, Recipe
from mnist_core.training.augmentation import Augmenter
from mnist_core.training.batches import make_targets, number_format, outputs_of

TUNED_WIDTH = 1024
"""Hidden units a layer of the version that the step size was tuned on."""
DISTORTION_BATCH = 2000  # images; bounds memory
SHARES = (
    *("distorted", "interfered", "redrawn", "untouched", "label_smoothing"),
    *("doubt", "alike", "most_lost", "most_changed"),
)


@dataclass(frozen=True)
class TeachSettings:
    """Everything that decides a fine-tuning; its defaults were tuned on 12 writers (see `tests.benchmarks.teaching`).

    Raises:
        TeachingError: a field has an impossible value; the message names it.
    """

    steps: int = 100
    """Number of batches to learn from."""
    learning_rate: float = 0.0003
    """Adam's learning rate at the start, for 1,024 hidden units a layer; see `step_size`. It falls to zero."""
    drawings: int = 128
    """Distorted drawings in each batch."""
    replay: int = 256
    """Replayed digits in each batch."""
    known: int = 10_000
    """Number of training digits that replay is drawn from, at most."""
    distorted: float = 0.6
    """Share of the replayed digits that are distorted."""
    interfered: float = 0.7
    """Share of the distorted replay that is chosen by how far the copy has drifted; see `ReplayBatches.look_back`."""
    look_back: int = 20
    """The drift is measured again every so many steps."""
    redrawn: float = 0.3
    """Share of the drawings that are redrawn with a pen of another width."""
    untouched: float = 0.2
    """Share of the drawings that are shown undistorted."""
    label_smoothing: float = 0.01
    """This share of each drawing's target is spread evenly over the digits."""
    doubt: float = 0.1
    """A drawing is doubtful if the version prefers another digit by more than this share of the validation images'
    margins (the largest logit less the second largest); with 1, none is."""
    alike: float = 0.9
    """A drawing this similar to another one with its label (cosine in the last hidden layer) is never doubtful."""
    most_lost: float = 0.0006
    """How many fewer validation images the copy may classify correctly than the version, as a share, rounded up."""
    most_changed: float = 0.09
    """How far the copy's outputs for distorted validation images may be from the version's: mean divergence, as a share
    of the version's mean loss there."""
    loss: Loss = "bce"
    """The loss the version was trained with; see `Recipe.loss`."""
    precision: Precision = "float32"
    """The number format while the copy learns; see `Recipe.precision`."""
    seed: int = 0
    """Starts every random choice."""

    def __post_init__(self) -> None:
        for name in ("steps", "drawings", "replay", "known", "look_back"):
            if getattr(self, name) < 1:
                raise TeachingError(f"{name}: {getattr(self, name)} is too few. Give at least 1.")
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise TeachingError(f"{name}: {getattr(self, name)} is not a share. Give a value from 0 to 1.")
        if not 0 < self.learning_rate <= 1:
            raise TeachingError(
                f"learning_rate: {self.learning_rate} is out of range. Give a value above 0, at most 1, such as 0.0003."
            )

    def step_size(self, sizes: Sequence[int]) -> float:
        """Return the step size for layers of `sizes`: larger for narrower layers, since fewer weights move together."""
        hidden = sizes[1:-1] or sizes[:1]
        return self.learning_rate * math.sqrt(TUNED_WIDTH * len(hidden) / sum(hidden))

    @classmethod
    def of(cls, recipe: Recipe, seed: int = 0) -> Self:
        """Return the settings for a version that `recipe` trained."""
        return cls(loss=recipe.loss, precision=recipe.precision, seed=seed)


class ReplayBatches:
    """Makes batches of a person's distorted drawings and of replayed digits from the version's training.

    The targets of drawings are their labels, those of replayed digits the version's own outputs.
    """

    def __init__(
        self,
        base: MLP,
        drawings: LabelledImages,
        taught: NDArray[np.int64],
        replay: LabelledImages,
        settings: TeachSettings,
    ) -> None:
        self.settings, self.count = settings, len(taught)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.recipe = _distortions(settings)
        cpu = torch.device("cpu")
        self.precision = number_format(self.recipe, cpu)
        self.augmenter = Augmenter(self.recipe, drawings.part("taught", taught), cpu) if self.count else None
        chosen = np.random.default_rng(settings.seed).permutation(len(replay))[: settings.known]
        known = replay.part("replay", chosen)
        self.known = [scale_pixels(known.images)]
        if settings.distorted:
            self.known.append(distort(known, settings))
        self.logits = [logits_in_batches(base, images) for images in self.known]
        self.chances = [torch.ones(len(images)) for images in self.known]

    def draw(self) -> tuple[Tensor, Tensor]:
        """Return the next images (n, 784) and targets (n, 10)."""
        images, targets = [], []
        if self.augmenter is not None:
            drawn, labels = self.augmenter(self._some(torch.ones(self.count), self.settings.drawings))
            images.append(drawn.flatten(1))
            targets.append(make_targets(labels, self.recipe))
        distorted = round(self.settings.distorted * self.settings.replay)
        for known, logits, chances, number in zip(
            self.known, self.logits, self.chances, (self.settings.replay - distorted, distorted), strict=False
        ):
            chosen = self._some(chances, number)
            images.append(known[chosen].flatten(1))
            targets.append(outputs_of(logits[chosen], self.settings.loss))
        return torch.cat(images), torch.cat(targets)

    def look_back(self, copied: MLP) -> None:
        """Replay the distorted digits on which `copied` has drifted from the version more often from now on.

        Aljundi et al. (2019) replay the worst of a random few. Here chances grow with the square root of the
        divergence, so that replay stays varied.
        """
        with self.precision:
            logits = logits_in_batches(copied, self.known[-1]).float()
        changed = divergences(logits, self.logits[-1], self.settings.loss).clamp(min=1e-6).sqrt()
        even = torch.full_like(changed, 1 / len(changed))
        self.chances[-1] = even.lerp(changed / changed.sum(), self.settings.interfered)

    def _some(self, chances: Tensor, number: int) -> Tensor:
        return torch.multinomial(chances, number, replacement=True, generator=self.generator)


def _distortions(settings: TeachSettings, **changes: float) -> Recipe:
    """Return the recipe for distorting drawings: that of `best`, but without variants or shapes that are not digits."""
    return RECIPES["best"].override(
        name="teaching",
        loss=settings.loss,
        precision=settings.precision,
        label_smoothing=settings.label_smoothing,
        untouched=settings.untouched,
        variants=0.0,
        non_digits=0.0,
        seed=settings.seed,
        **{"redrawn": settings.redrawn, **changes},
    )


def distort(data: LabelledImages, settings: TeachSettings) -> Tensor:
    """Return digits, distorted like the drawings but not redrawn, as images (n, 28, 28)."""
    augmenter = Augmenter(_distortions(settings, redrawn=0.0), data, torch.device("cpu"))
    return torch.cat([augmenter(part)[0] for part in torch.split(torch.arange(len(data)), DISTORTION_BATCH)])


def losses_of(logits: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """Return the loss (n,) of each image; `bce` is summed over digits, so that it is as large as `ce`."""
    if loss == "ce":
        return cross_entropy(logits, targets, reduction="none")
    return binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(1)


def divergences(logits: Tensor, before: Tensor, loss: Loss) -> Tensor:
    """Return how far outputs (n,) are from those before: the Kullback–Leibler divergence (1951)."""
    outputs = outputs_of(before, loss)
    return losses_of(logits, outputs, loss) - losses_of(before, outputs, loss)
