"""What a version answers to every image of a set, to be looked through: one cell of the confusion matrix, the pairs
most confused, the mistakes it was surest of."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mnist_core.evaluation.evaluation import Evaluation, Reader, evaluate_answers
from mnist_core.images.datasets import CLASSES, LabelledImages

AT_ONCE = 500


@dataclass(frozen=True)
class Answers:
    """The answers to `images`."""

    images: LabelledImages
    probabilities: NDArray[np.float32]
    """(n, 10)."""
    scores: NDArray[np.float64]
    """Each image's `ood_score` (n,)."""
    thresholds: tuple[float, ...]
    """Of the version's calibration."""

    @cached_property
    def digits(self) -> NDArray[np.int64]:
        """The likeliest digit of each image (n,)."""
        answered: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return answered

    @cached_property
    def confidences(self) -> NDArray[np.float32]:
        """The probability of that digit (n,)."""
        highest: NDArray[np.float32] = self.probabilities.max(axis=1)
        return highest

    @cached_property
    def evaluation(self) -> Evaluation:
        """What these answers are worth."""
        return evaluate_answers(self.images, self.probabilities, self.scores, self.thresholds)

    def cell(self, label: int, answer: int) -> NDArray[np.intp]:
        """Places of the images of `label` that were answered with `answer`, the most confident answers first."""
        return self._surest_first((self.images.labels == label) & (self.digits == answer))

    def mistakes(self) -> NDArray[np.intp]:
        """Places of the images that were answered wrongly, the most confident answers first."""
        return self._surest_first(self.images.labels != self.digits)

    def _surest_first(self, chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
        places = np.flatnonzero(chosen)
        return places[np.argsort(-self.confidences[places], kind="stable")]


def ask(classifier: Reader, images: LabelledImages) -> Iterator[float | Answers]:
    """Ask about every image (at least one); gives the share that is done, 0 to 1, from time to time, and the answers at
    the end."""
    probabilities, scores = [], []
    for start in range(0, len(images), AT_ONCE):
        part = images.images[start : start + AT_ONCE]
        probabilities.append(classifier.predict_frames(part))
        scores.append(classifier.ood_scores(part))
        yield (start + len(part)) / len(images)
    thresholds = classifier.calibration.thresholds
    yield Answers(images, np.concatenate(probabilities), np.concatenate(scores), thresholds)


def confused_pairs(evaluation: Evaluation, most: int = 8) -> list[tuple[int, int, int]]:
    """The commonest confusions: label, answer, how many images; the commonest first."""
    pairs = [
        (label, answer, evaluation.confusion[label][answer])
        for label in range(CLASSES)
        for answer in range(CLASSES)
        if label != answer and evaluation.confusion[label][answer]
    ]
    return sorted(pairs, key=lambda pair: -pair[2])[:most]
