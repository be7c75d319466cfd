"""Answers to look through, by a classifier that answers as told."""

import numpy as np
import pytest

from mnist_core import evaluate
from mnist_core.evaluation.answers import Answers, classify_all, confused_pairs
from mnist_core.images.datasets import LabelledImages
from tests.evaluation.test_evaluation import Scripted

LABELS = np.array([4, 4, 4, 9, 9, 7])
ANSWERS = ((9, 0.6), (4, 0.9), (9, 0.99), (9, 0.8), (4, 0.7), (9, 0.5))


class ByNumber(Scripted):
    """Answers each image by the number in its corner."""

    def answers(self, frames: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> np.ndarray:
        return self.probabilities[frames[:, 0, 0]]


@pytest.fixture
def asked() -> tuple[ByNumber, LabelledImages]:
    probabilities = np.zeros((len(LABELS), 10), np.float32)
    for row, (digit, confidence) in zip(probabilities, ANSWERS, strict=True):
        row[:] = (1 - confidence) / 9
        row[digit] = confidence
    images = np.zeros((len(LABELS), 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(len(LABELS))
    return ByNumber(probabilities), LabelledImages("six", images, LABELS)


@pytest.fixture
def found(asked: tuple[ByNumber, LabelledImages]) -> Answers:
    *_, last = classify_all(*asked)
    assert isinstance(last, Answers)
    return last


def test_a_cell_holds_its_images_the_most_confident_answer_first(found: Answers) -> None:
    assert found.cell(4, 9).tolist() == [2, 0]
    assert found.cell(9, 9).tolist() == [3]
    assert found.cell(1, 2).tolist() == []


def test_all_mistakes_are_there_the_most_confident_first(found: Answers) -> None:
    assert found.mistakes().tolist() == [2, 4, 0, 5]


def test_their_evaluation_is_that_of_evaluate(asked: tuple[ByNumber, LabelledImages], found: Answers) -> None:
    assert found.evaluation == evaluate(*asked)


def test_batches_report_progress_and_change_nothing(
    asked: tuple[ByNumber, LabelledImages], found: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnist_core.evaluation.answers.BATCH_SIZE", 4)
    *shares, last = classify_all(*asked)
    assert shares == pytest.approx([4 / 6, 1])
    assert isinstance(last, Answers)
    assert np.array_equal(last.probabilities, found.probabilities)
    assert np.array_equal(last.scores, found.scores)


def test_the_most_frequent_confusions_come_first_without_correct_answers(found: Answers) -> None:
    assert confused_pairs(found.evaluation) == [(4, 9, 2), (7, 9, 1), (9, 4, 1)]
    assert confused_pairs(found.evaluation, most=1) == [(4, 9, 2)]
