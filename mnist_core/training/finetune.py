"""Fine-tuning: a copy of a version learns from a few drawings of one person and forgets little of what it knew.

Each batch holds the person's drawings, distorted (see `augmentation`), and replayed digits from the version's training,
plain and distorted (experience replay: Robins 1995; Rolnick et al. 2019). The targets of the replayed digits are the
version's own probabilities (Learning without Forgetting: Li & Hoiem 2017; Hinton, Vinyals & Dean 2015), and the digits
on which the copy has drifted most are replayed most often (after Aljundi et al. 2019). At the end the weights move back
towards the version's, as far as the validation images require (WiSE-FT: Wortsman et al. 2022): hardly any may be lost,
and, since few images say little, the outputs for their distorted forms may not change much either.

A drawing is skipped if the version confidently classifies it as another digit and it resembles no other drawing with
its label, because its label is then probably wrong (after Northcutt, Jiang & Chuang 2021). One such drawing can spoil
another digit.
"""

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize, one_hot

from mnist_core.errors import TeachingError
from mnist_core.images.datasets import CLASSES, NOT_A_DIGIT, LabelledImages
from mnist_core.network.calibration import Calibration, calibrate
from mnist_core.network.model import MLP, batched_logits, logits_in_batches, scale_pixels
from mnist_core.training.optimizers import Adam
from mnist_core.training.replay import ReplayBatches, TeachSettings, distort, divergences, losses_of

__all__ = [
    "DrawingsSplit",
    "Taught",
    "TeachProgress",
    "TeachSettings",
    "split_drawings",
    "teach",
]

LEAST_TO_TEACH = 10
"""With fewer drawings than digits, what is gained on one digit is mostly lost on others."""
LEAST_TO_JUDGE = 6
"""Six drawings that were misclassified before and none after is the least that is significant (McNemar, p = 0.03)."""
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
"""Positions between the version's weights (0) and the learned ones (1); the first that validation allows is used."""
WARM_UP = 5
"""Steps in which the learning rate grows, until Adam has seen enough gradients to scale them."""
REPORT_SECONDS = 0.2

DEFAULTS = TeachSettings()


@dataclass(frozen=True)
class DrawingsSplit:
    """Places of the drawings to learn from and of those to measure the result with; no drawing is in both."""

    teach: NDArray[np.int64]
    judge: NDArray[np.int64]


@dataclass(frozen=True)
class TeachProgress:
    """The progress of a fine-tuning, reported a few times a second."""

    step: int
    steps: int
    loss: float
    """Mean over the last batch."""
    seconds: float


@dataclass(frozen=True)
class Taught:
    """The fine-tuned copy, and how it compares with the version."""

    model: MLP
    calibration: Calibration
    """Fitted to the copy on the validation images."""
    share: float
    """The position that was used; see `SHARES`."""
    doubtful: tuple[int, ...]
    """Places of the drawings that were skipped."""
    drawings_right: tuple[int, int]
    """How many of the drawings of digits are classified correctly, before and after."""
    validation_right: tuple[int, int]
    """How many of the validation images are classified correctly, before and after."""
    seconds: float


def split_drawings(
    labels: NDArray[np.int64], to_teach: float = 0.5, seed: int = 0, learned: NDArray[np.bool_] | None = None
) -> DrawingsSplit:
    """Choose at random which drawings to learn from and which to measure the result with.

    Of the digits, `to_teach` (about that share, if below 1, or a number) are learned from, as evenly over the digits as
    possible. Shapes that are not digits, and drawings that the version has `learned` from already (n,), are only
    learned from. The same labels and seed give the same split.

    Raises:
        TeachingError: there are too few digits for both, or `to_teach` leaves too few for one of them.
    """
    fresh = labels != NOT_A_DIGIT
    if learned is not None:
        fresh &= ~learned
    digits = np.flatnonzero(fresh)
    known = " that it has not learned from yet" if learned is not None and learned.any() else ""
    number = _number_to_teach(len(digits), to_teach, known)
    order = np.random.default_rng(seed).permutation(digits)
    shuffled = labels[order]
    turn = np.zeros(len(digits), np.int64)  # how many drawings of the same digit come before
    for digit in np.unique(shuffled):
        same = shuffled == digit
        turn[same] = np.arange(same.sum())
    order = order[np.argsort(turn, kind="stable")]
    teach = np.concatenate([order[:number], np.flatnonzero(~fresh)])
    return DrawingsSplit(np.sort(teach), np.sort(order[number:]))


def _number_to_teach(count: int, to_teach: float, known: str) -> int:
    """Return how many of `count` drawings of digits to learn from; `known` completes the message about too few."""
    least = LEAST_TO_TEACH + LEAST_TO_JUDGE
    if count < least:
        raise TeachingError(
            f"There are {count} drawings of digits{known}. Draw {least - count} more: {LEAST_TO_TEACH} are needed to "
            f"learn from and {LEAST_TO_JUDGE} others to measure the result, since fewer cannot show more than chance."
        )
    most = count - LEAST_TO_JUDGE
    number = min(max(round(to_teach * count), LEAST_TO_TEACH), most) if to_teach < 1 else int(to_teach)
    if not LEAST_TO_TEACH <= number <= most:
        raise TeachingError(
            f"{number} of {count} drawings of digits cannot be learned from. Choose {LEAST_TO_TEACH} to {most}."
        )
    return number


def teach(
    model: MLP,
    drawings: LabelledImages,
    replay: LabelledImages,
    validation: LabelledImages,
    settings: TeachSettings = DEFAULTS,
) -> Iterator[TeachProgress | Taught]:
    """Fine-tune a copy of `model` on drawings, yielding progress and at last the copy; `model` stays unchanged.

    The same arguments and number of threads give the same copy.

    Args:
        model: the network of the version.
        drawings: labelled 0 to 9, or `NOT_A_DIGIT`.
        replay: digits that the version was trained on.
        validation: digits that it was not trained on.
        settings: everything else that decides the fine-tuning.

    Raises:
        TeachingError: there are too few drawings.
    """
    began = time.perf_counter()
    if len(drawings) < LEAST_TO_TEACH:
        raise TeachingError(
            f"There are {len(drawings)} drawings to learn from. Draw {LEAST_TO_TEACH - len(drawings)} more: fewer than "
            f"{LEAST_TO_TEACH}, about one of each digit, do not teach the network anything reliable."
        )
    base = copy.deepcopy(model).cpu().eval().requires_grad_(False)
    before = batched_logits(base, validation.images)
    doubtful = _find_doubtful(base, drawings, before, settings)
    copied = copy.deepcopy(base).requires_grad_()
    batches = ReplayBatches(base, drawings, np.flatnonzero(~doubtful), replay, settings)
    yield from _learn(copied, batches, began)
    share, after = _move_back(base, copied, validation, settings)
    right = [_count_correct(batched_logits(network, drawings.images), drawings.labels) for network in (base, copied)]
    yield Taught(
        model=copied.eval(),
        calibration=calibrate(after, validation.labels),
        share=share,
        doubtful=tuple(map(int, np.flatnonzero(doubtful))),
        drawings_right=(right[0], right[1]),
        validation_right=(_count_correct(before, validation.labels), _count_correct(after, validation.labels)),
        seconds=time.perf_counter() - began,
    )


def _learn(copied: MLP, batches: ReplayBatches, began: float) -> Iterator[TeachProgress]:
    """Train the copy step by step and yield progress."""
    settings, last_report = batches.settings, began
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
        if (now := time.perf_counter()) - last_report >= REPORT_SECONDS or step == settings.steps - 1:
            last_report = now
            yield TeachProgress(step + 1, settings.steps, loss.item(), now - began)


def _find_doubtful(
    base: MLP, drawings: LabelledImages, validation_logits: NDArray[np.float32], settings: TeachSettings
) -> NDArray[np.bool_]:
    """Return which drawings (n,) are probably mislabelled, or show only a part of what was meant."""
    pixels, digits = scale_pixels(drawings.images), torch.from_numpy(drawings.labels)
    logits = logits_in_batches(base, pixels)
    against = logits.amax(1) - logits.gather(1, digits.clamp(min=0)[:, None])[:, 0]
    best, next_best = torch.from_numpy(validation_logits).topk(2, dim=1).values.unbind(1)
    firmly = against > torch.quantile(best - next_best, settings.doubt)
    last = normalize(base.activations(pixels)[-1]) if len(base.layers) > 1 else normalize(pixels.flatten(1))
    likeness = (last @ last.T).fill_diagonal_(-1).masked_fill(digits[:, None] != digits, -1)
    doubtful = firmly & (digits != NOT_A_DIGIT) & (likeness.amax(1) < settings.alike)
    found: NDArray[np.bool_] = doubtful.numpy()
    return found & (settings.doubt < 1)


@torch.no_grad()
def _move_back(
    base: MLP, copied: MLP, validation: LabelledImages, settings: TeachSettings
) -> tuple[float, NDArray[np.float32]]:
    """Move the copy's weights back towards the base's until the validation images allow the change.

    Return the position that was reached (one of `SHARES`) and the copy's logits for the validation images.
    """
    distorted, labels = distort(validation, settings), validation.labels
    before = logits_in_batches(base, distorted)
    lost = math.ceil(settings.most_lost * len(labels))
    enough = _count_correct(batched_logits(base, validation.images), labels) - lost
    targets = one_hot(torch.from_numpy(labels), CLASSES).float()
    near = settings.most_changed * losses_of(before, targets, settings.loss).mean()
    old, new = base.state_dict(), {name: tensor.clone() for name, tensor in copied.state_dict().items()}
    for share in SHARES:
        copied.load_state_dict({name: old[name].lerp(tensor, share) for name, tensor in new.items()})
        if divergences(logits_in_batches(copied, distorted), before, settings.loss).mean() > near:
            continue
        logits = batched_logits(copied, validation.images)
        if _count_correct(logits, labels) >= enough:
            return share, logits
    raise AssertionError("a share of 0 changes nothing")


def _count_correct(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> int:
    return int((logits.argmax(axis=1) == labels).sum())
