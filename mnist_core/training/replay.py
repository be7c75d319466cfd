"""What a copy is shown while it is taught, and what it should answer: see `teaching`."""

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
from mnist_core.network.model import MLP, scale_pixels
from mnist_core.recipes import RECIPES, Loss, Precision, Recipe
from mnist_core.training.augmentation import Augmenter
from mnist_core.training.batches import make_targets, number_format

WIDTH = 1024
AT_ONCE = 2000
"""Images, so that many need no more memory than some."""
SHARES = (
    *("distorted", "interfered", "redrawn", "untouched", "label_smoothing"),
    *("doubt", "alike", "most_lost", "most_changed"),
)


@dataclass(frozen=True)
class TeachSettings:
    """All that decides a teaching; the defaults were chosen on drawings of 12 writers (see `tests.benchmarks`).

    Raises:
        TeachingError: a field holds nonsense; the message names it.
    """

    steps: int = 100
    """Batches to learn from."""
    learning_rate: float = 0.0003
    """Adam's step size at the start, with 1,024 hidden units a layer; see `step_size`. It falls to zero."""
    drawings: int = 128
    """Distorted drawings in each batch."""
    replay: int = 256
    """Known digits in each batch."""
    known: int = 10_000
    """Digits that replay is drawn from, at most."""
    distorted: float = 0.6
    """Share of the replay that is distorted."""
    interfered: float = 0.7
    """Share of the distorted replay that is drawn by how far the copy's answers have drifted (`Lessons.look_back`)."""
    look_back: int = 20
    """Every so many steps, it is found anew how far they have."""
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
    most_lost: float = 0.0006
    """Of the validation images, how many fewer the copy may read rightly than the version, as a share, rounded up."""
    most_changed: float = 0.09
    """How far the copy's answers to the validation images, distorted, may be from the version's: mean divergence, as a
    share of the version's mean loss there."""
    loss: Loss = "bce"
    """What the version was trained with; see `Recipe.loss`."""
    precision: Precision = "float32"
    """In which numbers the copy computes while it learns; see `Recipe.precision`."""
    seed: int = 0
    """Starts every random choice."""

    def __post_init__(self) -> None:
        for name in ("steps", "drawings", "replay", "known", "look_back"):
            if getattr(self, name) < 1:
                raise TeachingError(f"{name}: {getattr(self, name)} is too few. Give at least 1.")
        for name in SHARES:
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
            self.known.append(distort(known, settings))
        self.logits = [logits_of(base, images) for images in self.known]
        self.chances = [torch.ones(len(images)) for images in self.known]

    def draw(self) -> tuple[Tensor, Tensor]:
        """The next images (n, 784) and targets (n, 10)."""
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
            targets.append(answers_of(logits[chosen], self.settings.loss))
        return torch.cat(images), torch.cat(targets)

    def look_back(self, copied: MLP) -> None:
        """From now on, replay more often the distorted digits to which `copied` answers otherwise than the version.

        Aljundi et al. (2019) replay the worst of a random few. Here chances grow with the square root of the
        divergence, so that replay stays varied.
        """
        with self.precision:
            logits = logits_of(copied, self.known[-1]).float()
        changed = divergences(logits, self.logits[-1], self.settings.loss).clamp(min=1e-6).sqrt()
        even = torch.full_like(changed, 1 / len(changed))
        self.chances[-1] = even.lerp(changed / changed.sum(), self.settings.interfered)

    def _some(self, chances: Tensor, number: int) -> Tensor:
        return torch.multinomial(chances, number, replacement=True, generator=self.generator)


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


def distort(data: LabelledImages, settings: TeachSettings) -> Tensor:
    """Images (n, 28, 28) of digits, distorted as drawings are, but with the pen they were written with."""
    augmenter = Augmenter(_distortions(settings, redrawn=0.0), data, torch.device("cpu"))
    return torch.cat([augmenter(part)[0] for part in torch.split(torch.arange(len(data)), AT_ONCE)])


@torch.no_grad()
def logits_of(model: MLP, images: Tensor) -> Tensor:
    """The logits (n, 10) of images (n, 28, 28) with values in [0, 1]."""
    return torch.cat([model(part) for part in torch.split(images, AT_ONCE)])


def answers_of(logits: Tensor, loss: Loss) -> Tensor:
    """What a version that was trained with `loss` answers: probabilities (n, 10)."""
    return logits.sigmoid() if loss == "bce" else logits.softmax(dim=1)


def losses_of(logits: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """The loss (n,) of each answer; `bce` summed over digits, so that it is as large as `ce`."""
    if loss == "ce":
        return cross_entropy(logits, targets, reduction="none")
    return binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(1)


def divergences(logits: Tensor, before: Tensor, loss: Loss) -> Tensor:
    """How far answers (n,) are from those before: the divergence of Kullback & Leibler (1951)."""
    answers = answers_of(before, loss)
    return losses_of(logits, answers, loss) - losses_of(before, answers, loss)
