"""Figures against naive loops and scikit-learn."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from sklearn.metrics import precision_recall_fscore_support

from mnist_core import DigitClassifier, Evaluation, evaluate
from mnist_core.evaluation.evaluation import BATCH_SIZE
from mnist_core.images.datasets import Dataset, LabelledImages
from mnist_core.network.calibration import SHARES, Calibration


class Scripted:
    """Answers as told; the `ood_score` of an answer is 1 less its confidence."""

    calibration = Calibration(1.0, tuple(np.linspace(0.2, 1, len(SHARES)).tolist()))

    def __init__(self, probabilities: NDArray[np.float32]) -> None:
        self.probabilities = probabilities

    def answers(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self.probabilities[: len(frames)]

    def logits(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        probabilities = self.answers(frames)
        score = 1 - probabilities.max(axis=1, keepdims=True)
        return np.log(np.maximum(probabilities, 1e-30)) - score


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


def test_scores_per_digit_are_scikit_learns(guesses: tuple[Scripted, LabelledImages]) -> None:
    scripted, data = guesses
    answers = scripted.probabilities.argmax(axis=1)
    theirs = precision_recall_fscore_support(data.labels, answers, labels=np.arange(10), zero_division=0.0)
    ours = [(score.precision, score.recall, score.f1, score.support) for score in evaluate(scripted, data).per_digit]
    np.testing.assert_allclose(np.array(ours), np.transpose(theirs), rtol=1e-12)


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


def test_an_evaluation_survives_json(guesses: tuple[Scripted, LabelledImages]) -> None:
    evaluation = evaluate(*guesses)
    values = json.loads(json.dumps(evaluation.to_dict()))
    assert values["accuracy"] == evaluation.accuracy
    assert values["interval_95"] == [evaluation.interval.low, evaluation.interval.high]
    assert len(values["per_digit"]) == 10
    assert TypeAdapter(Evaluation).validate_python(values) == evaluation


NONSENSE = {
    "no images": {"confusion": [[0] * 10] * 10},
    "a missing row": {"confusion": [[1] * 10] * 9},
    "a negative count": {"confusion": [[-1] * 10] * 10},
    "a mistake outside its images": {"mistakes": [{"index": 400, "label": 1, "answer": 7, "confidence": 0.5}]},
    "more correct than answered": {"coverage": [{"share": 0.8, "answered": 1, "correct": 2}] * len(SHARES)},
    "too few shares": {"coverage": [{"share": 0.8, "answered": 2, "correct": 2}]},
}


@pytest.mark.parametrize("values", NONSENSE.values(), ids=NONSENSE)
def test_an_evaluation_that_contradicts_itself_is_refused(
    guesses: tuple[Scripted, LabelledImages], values: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Evaluation).validate_python({**evaluate(*guesses).to_dict(), **values})


def test_images_are_classified_in_batches(sample: Dataset, classifier: DigitClassifier) -> None:
    sizes = []

    class Counting:
        calibration = classifier.calibration

        def logits(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
            sizes.append(len(frames))
            return classifier.logits(frames)

    evaluate(Counting(), sample.train)
    assert sizes == [BATCH_SIZE, len(sample.train) - BATCH_SIZE]


def test_same_images_have_the_same_checksum_and_others_not(sample: Dataset, classifier: DigitClassifier) -> None:
    assert evaluate(classifier, sample.test).checksum == sample.test.checksum != sample.validation.checksum
