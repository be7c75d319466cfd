"""A version's answers to every image of a set: the cells of the confusion matrix, and the most confident mistakes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mnist_core.evaluation.evaluation import (
    Evaluation,
    FrameClassifier,
    Outputs,
    classify_in_batches,
    evaluate_outputs,
    joined,
)
from mnist_core.images.datasets import CLASSES, LabelledImages

BATCH_SIZE = 500  # small, so that progress is reported often


@dataclass(frozen=True)
class Answers:
    """The answers to `images`."""

    images: LabelledImages
    probabilities: NDArray[np.float32]
    """(n, 10)."""
    scores: NDArray[np.float64]
    """Each image's `ood_score` (n,)."""
    thresholds: tuple[float, ...]
    """Those of the version's calibration."""

    @cached_property
    def digits(self) -> NDArray[np.int64]:
        """Return the most probable digit of each image (n,)."""
        answers: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return answers

    @cached_property
    def confidences(self) -> NDArray[np.float32]:
        """Return the probability of that digit (n,)."""
        highest: NDArray[np.float32] = self.probabilities.max(axis=1)
        return highest

    @cached_property
    def evaluation(self) -> Evaluation:
        """Return what these answers score."""
        return evaluate_outputs(self.images, Outputs(self.probabilities, self.scores), self.thresholds)

    def cell(self, label: int, answer: int) -> NDArray[np.intp]:
        """Return the places of images of `label` classified as `answer`, the most confident answers first."""
        return self._most_confident_first((self.images.labels == label) & (self.digits == answer))

    def mistakes(self) -> NDArray[np.intp]:
        """Return the places of the misclassified images, the most confident answers first."""
        return self._most_confident_first(self.images.labels != self.digits)

    def _most_confident_first(self, chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
        places = np.flatnonzero(chosen)
        return places[np.argsort(-self.confidences[places], kind="stable")]


def classify_all(classifier: FrameClassifier, images: LabelledImages) -> Iterator[float | Answers]:
    """Classify all images (at least one); yield the share that is done, 0 to 1, and the answers at the end."""
    batches: list[Outputs] = []
    done = 0
    for batch in classify_in_batches(classifier, images.images, BATCH_SIZE):
        batches.append(batch)
        done += len(batch.scores)
        yield done / len(images)
    yield Answers(images, *joined(batches), classifier.calibration.thresholds)


def confused_pairs(evaluation: Evaluation, most: int = 8) -> list[tuple[int, int, int]]:
    """Return the most frequent confusions as (label, answer, images), the most frequent first."""
    pairs = [
        (label, answer, evaluation.confusion[label][answer])
        for label in range(CLASSES)
        for answer in range(CLASSES)
        if label != answer and evaluation.confusion[label][answer]
    ]
    return sorted(pairs, key=lambda pair: -pair[2])[:most]
