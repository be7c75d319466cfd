"""Teaching: a copy of a version learns from a few drawings of one person, and forgets little of what it knew.

What the copy is shown, batch by batch, are the person's drawings, distorted (see `augmentation`), beside digits that
the network knows already, as they are and distorted (experience replay: Robins 1995; Rolnick et al. 2019). To these it
is to answer as the version did, doubts included (Learning without Forgetting: Li & Hoiem 2017; Hinton, Vinyals & Dean
2015), and those where it does so least come most often (after Aljundi et al. 2019). In the end its weights go back some
way towards the version's, as far as the validation images ask for (WiSE-FT: Wortsman et al. 2022): few of them may be
lost, and, since one cannot tell much from few, the answers to them when they are distorted may not change much either.

A drawing that the version takes for another digit, as firmly as digits it was trained on, and that looks like no other
drawing with its label, is passed over, as its label is likely wrong (after Northcutt, Jiang & Chuang 2021); one such
drawing can spoil another digit.
"""

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from mnist_core.errors import TeachingError
from mnist_core.images.datasets import CLASSES, NOT_A_DIGIT, LabelledImages
from mnist_core.network.calibration import Calibration, calibrate
from mnist_core.network.model import MLP, scale_pixels
from mnist_core.training.optimizers import Adam
from mnist_core.training.replay import Lessons, TeachSettings, distort, divergences, logits_of, losses_of

__all__ = [
    "DrawingsSplit",
    "Taught",
    "TeachProgress",
    "TeachSettings",
    "split_drawings",
    "teach",
]

LEAST_TO_TEACH = 10
"""With fewer drawings than digits, what is learned of one digit is mostly paid for by others."""
LEAST_TO_JUDGE = 6
"""Six drawings, all read wrongly before and rightly after: the least that is more than chance (McNemar, p = 0.03)."""
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
"""How far the weights go from the version's (0) to the learned ones (1): the first that the validation images allow."""
WARM_UP = 5
"""Steps in which the step size grows, while Adam has seen too little to scale them."""
SECONDS_BETWEEN = 0.2

DEFAULTS = TeachSettings()


@dataclass(frozen=True)
class DrawingsSplit:
    """Places of the drawings that teach, and of those that judge; none is both."""

    teach: NDArray[np.int64]
    judge: NDArray[np.int64]


@dataclass(frozen=True)
class TeachProgress:
    """Where a teaching stands."""

    step: int
    steps: int
    loss: float
    """Mean over the last batch."""
    seconds: float


@dataclass(frozen=True)
class Taught:
    """The copy, and what became of it."""

    model: MLP
    calibration: Calibration
    """Fitted to the copy on the validation images."""
    share: float
    """Which of `SHARES` it became."""
    doubtful: tuple[int, ...]
    """Places of the drawings that were passed over."""
    drawings_right: tuple[int, int]
    """Of the drawings that are digits, how many were read rightly before and after."""
    validation_right: tuple[int, int]
    """Of the validation images, how many were read rightly before and after."""
    seconds: float


def split_drawings(
    labels: NDArray[np.int64], to_teach: float = 0.5, seed: int = 0, learned: NDArray[np.bool_] | None = None
) -> DrawingsSplit:
    """Choose which drawings teach and which judge: `to_teach` of the digits (a share below 1, or a number), all alike.

    At random, but the same for the same labels and seed; those that teach are as even over the digits as can be. What
    is no digit only teaches, and so does what the version has `learned` from already (n,).

    Raises:
        TeachingError: too few digits for both, or `to_teach` leaves too few for one.
    """
    fresh = labels != NOT_A_DIGIT
    if learned is not None:
        fresh &= ~learned
    digits = np.flatnonzero(fresh)
    count = len(digits)
    least = LEAST_TO_TEACH + LEAST_TO_JUDGE
    if count < least:
        known = " that it has not learned from yet" if learned is not None and learned.any() else ""
        raise TeachingError(
            f"There are {count} drawings of digits{known}. Draw {least - count} more: {LEAST_TO_TEACH} are needed to "
            f"teach and {LEAST_TO_JUDGE} others to judge, since fewer could not tell progress from chance."
        )
    number = round(to_teach * count) if to_teach < 1 else int(to_teach)
    if not LEAST_TO_TEACH <= number <= count - LEAST_TO_JUDGE:
        raise TeachingError(
            f"Of {count} drawings of digits, {number} cannot teach. Choose {LEAST_TO_TEACH} to "
            f"{count - LEAST_TO_JUDGE}."
        )
    order = np.random.default_rng(seed).permutation(digits)
    shuffled = labels[order]
    turn = np.zeros(count, np.int64)  # how many of the same digit come before
    for digit in np.unique(shuffled):
        same = shuffled == digit
        turn[same] = np.arange(same.sum())
    order = order[np.argsort(turn, kind="stable")]
    teach = np.concatenate([order[:number], np.flatnonzero(~fresh)])
    return DrawingsSplit(np.sort(teach), np.sort(order[number:]))


def teach(
    model: MLP,
    drawings: LabelledImages,
    replay: LabelledImages,
    validation: LabelledImages,
    settings: TeachSettings = DEFAULTS,
) -> Iterator[TeachProgress | Taught]:
    """Teach a copy of `model` the drawings (labels 0 to 9, or `NOT_A_DIGIT`); `model` stays as it is.

    `replay` are digits that it was trained on, `validation` others. Yields progress a few times a second, then the
    copy. The same arguments and number of threads give the same copy.

    Raises:
        TeachingError: too few drawings.
    """
    began = time.perf_counter()
    if len(drawings) < LEAST_TO_TEACH:
        raise TeachingError(
            f"There are {len(drawings)} drawings to teach with. Draw {LEAST_TO_TEACH - len(drawings)} more: from fewer "
            f"than {LEAST_TO_TEACH}, about one of each digit, the network would rather guess than learn."
        )
    base = copy.deepcopy(model).cpu().eval().requires_grad_(False)
    pixels, before = scale_pixels(drawings.images), logits_of(base, scale_pixels(validation.images))
    doubtful = _doubtful(base, pixels, drawings.labels, before, settings)
    copied = copy.deepcopy(base).requires_grad_()
    batches = Lessons(base, drawings, np.flatnonzero(~doubtful), replay, settings)
    yield from _learn(copied, batches, began)
    share, after = _go_back(base, copied, validation, settings)
    labels = torch.from_numpy(validation.labels)
    right = tuple(_right(logits_of(network, pixels), torch.from_numpy(drawings.labels)) for network in (base, copied))
    yield Taught(
        model=copied.eval(),
        calibration=calibrate(after.numpy(), validation.labels),
        share=share,
        doubtful=tuple(map(int, np.flatnonzero(doubtful))),
        drawings_right=(right[0], right[1]),
        validation_right=(_right(before, labels), _right(after, labels)),
        seconds=time.perf_counter() - began,
    )


def _learn(copied: MLP, batches: Lessons, began: float) -> Iterator[TeachProgress]:
    """Change the copy's weights step by step."""
    settings, told = batches.settings, began
    parameters = list(copied.parameters())
    peak = settings.step_size(copied.sizes)
    optimizer = Adam(parameters, beta2=0.99, weight_decay=0.0)
    for step in range(settings.steps):
        if step and step % settings.look_back == 0:
            batches.look_back(copied)
        images, targets = batches.draw()
        with batches.precision:
            logits = copied(images).float()
        loss = losses_of(logits, targets, settings.loss).mean()
        rate = peak * min(1, (step + 1) / WARM_UP) * (1 - step / settings.steps)
        optimizer.step(torch.autograd.grad(loss, parameters), rate)
        if (now := time.perf_counter()) - told >= SECONDS_BETWEEN or step == settings.steps - 1:
            told = now
            yield TeachProgress(step + 1, settings.steps, loss.item(), now - began)


def _doubtful(
    base: MLP, pixels: Tensor, labels: NDArray[np.int64], validation_logits: Tensor, settings: TeachSettings
) -> NDArray[np.bool_]:
    """Which drawings (n,) are likely labelled wrongly, or hold only a part of what was meant."""
    digits = torch.from_numpy(labels)
    logits = logits_of(base, pixels)
    against = logits.amax(1) - logits.gather(1, digits.clamp(min=0)[:, None])[:, 0]
    best, next_best = validation_logits.topk(2, dim=1).values.unbind(1)
    firmly = against > torch.quantile(best - next_best, settings.doubt)
    last = normalize(base.activations(pixels)[-1]) if len(base.layers) > 1 else normalize(pixels.flatten(1))
    likeness = (last @ last.T).fill_diagonal_(-1).masked_fill(digits[:, None] != digits, -1)
    doubtful = firmly & (digits != NOT_A_DIGIT) & (likeness.amax(1) < settings.alike)
    found: NDArray[np.bool_] = doubtful.numpy()
    return found & (settings.doubt < 1)


@torch.no_grad()
def _go_back(base: MLP, copied: MLP, validation: LabelledImages, settings: TeachSettings) -> tuple[float, Tensor]:
    """Move the copy's weights back towards the base's until it reads as many of the images rightly, but for a few, and
    answers alike when they are distorted; how far from the base they still are, as a share, and the copy's logits."""
    images, bent = scale_pixels(validation.images), distort(validation, settings)
    labels = torch.from_numpy(validation.labels)
    before = logits_of(base, bent)
    enough = _right(logits_of(base, images), labels) - math.ceil(settings.most_lost * len(labels))
    near = settings.most_changed * losses_of(before, one_hot(labels, CLASSES).float(), settings.loss).mean()
    old, new = base.state_dict(), {name: tensor.clone() for name, tensor in copied.state_dict().items()}
    for share in SHARES:
        copied.load_state_dict({name: old[name].lerp(tensor, share) for name, tensor in new.items()})
        if divergences(logits_of(copied, bent), before, settings.loss).mean() > near:
            continue
        logits = logits_of(copied, images)
        if _right(logits, labels) >= enough:
            return share, logits
    raise AssertionError("a share of 0 changes nothing")


def _right(logits: Tensor, labels: Tensor) -> int:
    return int((logits.argmax(1) == labels).sum())
