"""Figures against naive loops and a published interval."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_core import DigitClassifier, Evaluation, evaluate
from mnist_core.evaluation.evaluation import wilson_interval
from mnist_core.images.datasets import Dataset, LabelledImages
from mnist_core.network.calibration import SHARES, Calibration


class Scripted:
    """Answers as told."""

    calibration = Calibration(1.0, tuple(np.linspace(0.2, 1, len(SHARES)).tolist()))

    def __init__(self, probabilities: NDArray[np.float32]) -> None:
        self.probabilities = probabilities

    def predict_frames(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.probabilities[: len(frames)]

    def ood_scores(self, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
        return 1 - self.predict_frames(frames).max(axis=1).astype(np.float64)


@pytest.fixture(scope="module")
def guesses() -> tuple[Scripted, LabelledImages]:
    """400 random answers of random confidence to digits 0 to 8; no image shows a 9."""
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(10) * 0.3, 400).astype(np.float32)
    labels = random.integers(0, 9, 400)
    return Scripted(probabilities), LabelledImages("guesses", np.zeros((400, 28, 28), np.uint8), labels)


def test_confusion_matches_a_naive_loop(guesses: tuple[Scripted, LabelledImages]) -> None:
    scripted, data = guesses
    expected = [[0] * 10 for _ in range(10)]
    for label, probabilities in zip(data.labels, scripted.probabilities, strict=True):
        expected[label][int(np.argmax(probabilities))] += 1
    evaluation = evaluate(scripted, data)
    assert [list(row) for row in evaluation.confusion] == expected
    assert evaluation.images == 400
    assert evaluation.correct == sum(expected[digit][digit] for digit in range(10))


def test_scores_per_digit_match_their_definitions(guesses: tuple[Scripted, LabelledImages]) -> None:
    evaluation = evaluate(*guesses)
    counts = np.array(evaluation.confusion)
    for score in evaluation.per_digit:
        right = counts[score.digit, score.digit]
        answered, support = counts[:, score.digit].sum(), counts[score.digit].sum()
        assert score.support == support
        assert score.precision == pytest.approx(right / answered)
        assert score.recall == pytest.approx(right / support if support else 0)
        both = score.precision + score.recall
        assert score.f1 == pytest.approx(2 * score.precision * score.recall / both if both else 0)


def test_mistakes_are_the_most_confident_ones(guesses: tuple[Scripted, LabelledImages]) -> None:
    scripted, data = guesses
    evaluation = evaluate(scripted, data)
    confidences = [mistake.confidence for mistake in evaluation.mistakes]
    assert confidences == sorted(confidences, reverse=True)
    assert len(confidences) == 50
    for mistake in evaluation.mistakes:
        assert mistake.label == data.labels[mistake.index] != mistake.answer
        assert mistake.answer == scripted.probabilities[mistake.index].argmax()
    wrong = scripted.probabilities.argmax(1) != data.labels
    assert sorted(scripted.probabilities.max(1)[wrong])[-1] == pytest.approx(confidences[0])


def test_interval_is_wilsons() -> None:
    """The example of Newcombe (1998), table I: 81 of 263."""
    interval = wilson_interval(81, 263)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)
    assert wilson_interval(10, 10).high == 1
    assert wilson_interval(10, 10).low < 0.8


def test_calibration_error_matches_a_naive_loop(guesses: tuple[Scripted, LabelledImages]) -> None:
    scripted, data = guesses
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = [
            (row.max(), row.argmax() == label)
            for row, label in zip(scripted.probabilities, data.labels, strict=True)
            if low < row.max() <= low + 1 / 15
        ]
        if inside:
            confidences, right = zip(*inside, strict=True)
            expected += len(inside) / 400 * abs(float(np.mean(confidences)) - float(np.mean(right)))
    evaluation = evaluate(scripted, data)
    assert evaluation.calibration_error == pytest.approx(expected, abs=1e-6)
    assert sum(part.images for part in evaluation.reliability) == 400
    assert sum(part.correct for part in evaluation.reliability) == evaluation.correct


def test_coverage_counts_what_each_threshold_lets_through(guesses: tuple[Scripted, LabelledImages]) -> None:
    scripted, data = guesses
    evaluation = evaluate(scripted, data)
    for part, threshold in zip(evaluation.coverage, scripted.calibration.thresholds, strict=True):
        passed = [
            row.argmax() == label
            for row, label in zip(scripted.probabilities, data.labels, strict=True)
            if 1 - float(row.max()) <= threshold
        ]
        assert (part.answered, part.correct) == (len(passed), sum(passed))
    assert evaluation.coverage[-1].answered == 400
    assert evaluation.coverage[0].answered < 400


def test_evaluation_survives_json(guesses: tuple[Scripted, LabelledImages]) -> None:
    evaluation = evaluate(*guesses)
    assert Evaluation.from_dict(json.loads(json.dumps(evaluation.to_dict()))) == evaluation


def test_same_images_have_the_same_checksum_and_others_not(sample: Dataset, classifier: DigitClassifier) -> None:
    assert evaluate(classifier, sample.test).checksum == sample.test.checksum != sample.validation.checksum
