"""What a copy is shown while it is taught, and what it should answer: see `teaching`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_core.augmentation import Augmenter
from mnist_core.batches import make_targets, number_format
from mnist_core.datasets import LabelledImages
from mnist_core.errors import TeachingError
from mnist_core.fields import Loss, Precision
from mnist_core.model import MLP, scale_pixels
from mnist_core.recipes import RECIPES, Recipe

WIDTH = 1024
AT_ONCE = 2000
"""Images, so that many need no more memory than some."""


@dataclass(frozen=True)
class TeachSettings:
    """All that decides a teaching; the defaults were chosen on drawings of 12 writers (see `tests.benchmarks`).

    Raises:
        TeachingError: a field holds nonsense; the message names it.
    """

    steps: int = 80
    """Batches to learn from."""
    learning_rate: float = 0.0003
    """Adam's step size at the start, with 1,024 hidden units a layer; see `step_size`. It falls to zero."""
    drawings: int = 128
    """Distorted drawings in each batch."""
    replay: int = 192
    """Known digits in each batch."""
    known: int = 10_000
    """Digits that replay is drawn from, at most."""
    distorted: float = 0.6
    """Share of the replay that is distorted."""
    redrawn: float = 0.3
    """Share of the drawings that is drawn anew with a pen of another width."""
    untouched: float = 0.2
    """Share of the drawings that is shown as it is."""
    label_smoothing: float = 0.01
    """This share of each drawing's target is spread evenly over the digits."""
    doubt: float = 0.1
    """A drawing is doubtful if the version prefers another digit by more than this share of the validation images'
    margins (the logit of the answer less the next one's); 1: none is."""
    alike: float = 0.9
    """Another drawing of the same label this similar (cosine in the last hidden layer) lifts the doubt."""
    most_lost: float = 0.0004
    """Of the validation images, how many fewer the copy may read rightly than the version, as a share, rounded up."""
    loss: Loss = "bce"
    """What the version was trained with; see `Recipe.loss`."""
    precision: Precision = "float32"
    """In which numbers the copy computes while it learns; see `Recipe.precision`."""
    seed: int = 0
    """Starts every random choice."""

    def __post_init__(self) -> None:
        for name in ("steps", "drawings", "replay", "known"):
            if getattr(self, name) < 1:
                raise TeachingError(f"{name}: {getattr(self, name)} is too few. Give at least 1.")
        for name in ("distorted", "redrawn", "untouched", "label_smoothing", "doubt", "alike", "most_lost"):
            if not 0 <= getattr(self, name) <= 1:
                raise TeachingError(f"{name}: {getattr(self, name)} is no share. Give one from 0 to 1.")
        if not 0 < self.learning_rate <= 1:
            raise TeachingError(
                f"learning_rate: {self.learning_rate} is no step size. Give one up to 1, such as 0.0003."
            )

    def step_size(self, sizes: Sequence[int]) -> float:
        """The step size for layers of `sizes`: the narrower they are, the larger, as fewer weights move together."""
        hidden = sizes[1:-1] or sizes[:1]
        return self.learning_rate * math.sqrt(WIDTH * len(hidden) / sum(hidden))

    @classmethod
    def of(cls, recipe: Recipe, seed: int = 0) -> Self:
        """The settings for versions that `recipe` trained."""
        return cls(loss=recipe.loss, precision=recipe.precision, seed=seed)


class Lessons:
    """Batches of a person's drawings, distorted, and of digits that the version knows."""

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
            distort = Augmenter(_distortions(settings, redrawn=0.0), known, cpu)
            self.known.append(torch.cat([distort(part)[0] for part in torch.split(torch.arange(len(known)), AT_ONCE)]))
        self.answers = [_answers(logits_of(base, images), settings.loss) for images in self.known]

    def draw(self) -> tuple[Tensor, Tensor]:
        """The next images (n, 784) and targets (n, 10)."""
        images, targets = [], []
        if self.augmenter is not None:
            drawn, labels = self.augmenter(self._some(self.count, self.settings.drawings))
            images.append(drawn.flatten(1))
            targets.append(make_targets(labels, self.recipe))
        distorted = round(self.settings.distorted * self.settings.replay)
        for known, answers, number in zip(
            self.known, self.answers, (self.settings.replay - distorted, distorted), strict=False
        ):
            chosen = self._some(len(known), number)
            images.append(known[chosen].flatten(1))
            targets.append(answers[chosen])
        return torch.cat(images), torch.cat(targets)

    def _some(self, count: int, number: int) -> Tensor:
        return torch.randint(count, (number,), generator=self.generator)


def _distortions(settings: TeachSettings, **changes: float) -> Recipe:
    """The recipe by which drawings are distorted: that of `best`, but they stay what the person drew."""
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


@torch.no_grad()
def logits_of(model: MLP, images: Tensor) -> Tensor:
    """The logits (n, 10) of images (n, 28, 28) with values in [0, 1]."""
    return torch.cat([model(part) for part in torch.split(images, AT_ONCE)])


def _answers(logits: Tensor, loss: Loss) -> Tensor:
    return logits.sigmoid() if loss == "bce" else logits.softmax(dim=1)
