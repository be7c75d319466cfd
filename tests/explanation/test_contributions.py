"""Explanations: they add up, match the gradient, and what they say speaks most for a digit does."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax

from mnist_core import DigitClassifier, files
from mnist_core.explanation.contributions import explain, strongest_region
from mnist_core.images.datasets import Dataset
from mnist_core.network.model import MLP, scale_pixels

SHARE, RANDOM_ERASURES = 0.1, 20


def erase_ink(frame: NDArray[np.uint8], order: NDArray[np.intp], share: float) -> NDArray[np.uint8]:
    """Erase `share` of the ink of a frame (28, 28), from its pixels in `order` (784,).

    How much an output loses with the ink that is said to contribute most measures how faithful an explanation is (Samek
    et al. 2017).
    """
    ink = frame.flatten().astype(np.int64)
    erased_before = np.cumsum(ink[order]) - ink[order]
    left = ink.copy()
    left[order] -= np.clip(round(share * ink.sum()) - erased_before, 0, ink[order])
    return left.reshape(frame.shape).astype(np.uint8)


@pytest.fixture(scope="module")
def shipped() -> DigitClassifier:
    return DigitClassifier.load(files.SHIPPED / "best")


def test_contributions_add_up_to_the_difference_in_logits(shipped: DigitClassifier, sample: Dataset) -> None:
    for frame in sample.test.images[:50]:
        logits = shipped.logits(frame[None])[0]
        answer, runner_up = np.argsort(-logits)[:2]
        explanation = explain(shipped.model, frame)
        total = explanation.prefers(int(answer), int(runner_up)).sum()
        constant = explanation.constants[answer] - explanation.constants[runner_up]
        assert total + constant == pytest.approx(logits[answer] - logits[runner_up], abs=1e-4)
        assert np.allclose(explanation.contributions.sum(axis=(1, 2)) + explanation.constants, logits, atol=1e-4)


@pytest.mark.parametrize("hidden", [(), (30,), (30, 20), (30, 20, 10)])
def test_contributions_are_gradient_times_ink_for_any_number_of_layers(
    hidden: tuple[int, ...], sample: Dataset
) -> None:
    torch.manual_seed(0)
    model = MLP((784, *hidden, 10)).double()
    ink = scale_pixels(sample.test.images[:1]).double().flatten(1).requires_grad_()
    logits = model(ink)
    explanation = explain(model, sample.test.images[0])
    for digit in range(10):
        (gradient,) = torch.autograd.grad(logits[0, digit], ink, retain_graph=True)
        assert np.allclose(explanation.contributions[digit].ravel(), (gradient * ink).detach().numpy().ravel())


def test_only_ink_contributes(shipped: DigitClassifier, sample: Dataset) -> None:
    frame = sample.test.images[3]
    explanation = explain(shipped.model, frame)
    assert not explanation.contributions[:, frame == 0].any()
    assert explanation.speaks_for(3)[frame > 0].any()
    blank = explain(shipped.model, np.zeros((28, 28), np.uint8))
    assert not blank.contributions.any()


@pytest.mark.parametrize("version", ["best", "robust", "article"])
def test_erasing_the_ink_that_speaks_most_hurts_more_than_erasing_random_ink(version: str, sample: Dataset) -> None:
    classifier = DigitClassifier.load(files.SHIPPED / version)
    random = np.random.default_rng(0)
    digits = [place for digit in range(10) for place in np.flatnonzero(sample.test.labels == digit)[:10]]
    worse = 0
    for frame in sample.test.images[digits]:
        explanation = explain(classifier.model, frame)
        answer = int(explanation.logits.argmax())
        speaking = np.argsort(-explanation.speaks_for(answer).ravel())
        erased = [erase_ink(frame, order, SHARE) for order in (speaking, *_shuffled(random))]
        # near certainty, probabilities differ only in their last digits: their logarithms tell
        logits = classifier.logits(np.stack(erased)).astype(np.float64) / classifier.calibration.temperature
        kept = log_softmax(logits, axis=1)[:, answer]
        worse += int(kept[0] < kept[1:].mean())
    print(f"{version}: {worse} of {len(digits)} answers lose more by that ink than by random ink")
    assert len(digits) == 100
    assert worse >= 95


def _shuffled(random: np.random.Generator) -> list[np.ndarray[tuple[int], np.dtype[np.intp]]]:
    return [random.permutation(784) for _ in range(RANDOM_ERASURES)]


def test_erasing_takes_just_that_share_in_that_order() -> None:
    frame = np.zeros((28, 28), np.uint8)
    frame[2, 3:7] = 100, 50, 200, 50
    order = np.argsort(-frame.ravel(), kind="stable")
    assert erase_ink(frame, order, 0.5)[2, 3:7].tolist() == [100, 50, 0, 50]
    assert erase_ink(frame, order, 0.25)[2, 3:7].tolist() == [100, 50, 100, 50]
    assert not erase_ink(frame, order, 1.0).any()
    assert frame.sum() == 400, "the frame itself stays"


def test_the_strongest_region_is_named_within_the_ink() -> None:
    contributions = np.zeros((28, 28))
    contributions[4:22, 10:19] = -0.1
    contributions[5, 17] = 3
    assert strongest_region(contributions) == "top right"
    contributions[20, 14] = 5
    assert strongest_region(contributions) == "bottom"
    assert strongest_region(np.minimum(contributions, 0)) == ""
