"""What a version scores on a named set of images."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mnist_core.images.datasets import CLASSES, LabelledImages
from mnist_core.network.calibration import SHARES, Calibration, ReliabilityBin, expected_calibration_error, reliability

KEPT_MISTAKES = 50


class Reader(Protocol):
    """Anything that reads frames (n, 28, 28) uint8, such as `DigitClassifier`."""

    @property
    def calibration(self) -> Calibration:
        """Which `ood_score` is accepted."""

    def predict_frames(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (n, 10)."""

    def ood_scores(self, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
        """How little each frame resembles a digit (n,)."""


@dataclass(frozen=True)
class Interval:
    """A 95% confidence interval, both ends between 0 and 1."""

    low: float
    high: float


@dataclass(frozen=True)
class DigitScore:
    """How well one digit is read."""

    digit: int
    precision: float
    """Of the images answered with this digit, the share that are this digit; 0 where there are none."""
    recall: float
    """Of the images of this digit, the share answered with it."""
    f1: float
    support: int
    """Images of this digit."""


@dataclass(frozen=True)
class Mistake:
    """One wrong answer; `index` is the image's place in the set it was evaluated on."""

    index: int
    label: int
    answer: int
    confidence: float


@dataclass(frozen=True)
class Coverage:
    """What is answered, and how well, when the threshold accepts `share` of the validation images."""

    share: float
    answered: int
    correct: int
    """Of those answered."""


@dataclass(frozen=True)
class Evaluation:
    """What a version scores on `on`, a named set of images that `checksum` identifies."""

    on: str
    checksum: str
    confusion: tuple[tuple[int, ...], ...]
    """Counts: row = true digit, column = answer."""
    per_digit: tuple[DigitScore, ...]
    mistakes: tuple[Mistake, ...]
    """The most confident ones first, at most 50."""
    reliability: tuple[ReliabilityBin, ...] = ()
    """Answers by their confidence; empty in records of old."""
    coverage: tuple[Coverage, ...] = ()
    """For each share of validation images that may be accepted; empty in records of old."""

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, 0 to 1: by how much confidence and accuracy differ."""
        return expected_calibration_error(self.reliability)

    @property
    def images(self) -> int:
        """How many images were judged."""
        return sum(map(sum, self.confusion))

    @property
    def correct(self) -> int:
        """How many were answered rightly."""
        return sum(self.confusion[digit][digit] for digit in range(CLASSES))

    @property
    def accuracy(self) -> float:
        """Share answered rightly, 0 to 1."""
        return self.correct / self.images

    @cached_property
    def interval(self) -> Interval:
        """The 95% interval of the accuracy."""
        return wilson_interval(self.correct, self.images)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; the figures that follow from others are written out for readers."""
        return {
            "on": self.on,
            "images": self.images,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "interval_95": [self.interval.low, self.interval.high],
            "expected_calibration_error": self.calibration_error,
            "checksum": self.checksum,
            "confusion": [list(row) for row in self.confusion],
            "per_digit": [asdict(score) for score in self.per_digit],
            "mistakes": [asdict(mistake) for mistake in self.mistakes],
            "reliability": [asdict(part) for part in self.reliability],
            "coverage": [asdict(part) for part in self.coverage],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The evaluation that `to_dict` wrote down."""
        return cls(
            on=values["on"],
            checksum=values["checksum"],
            confusion=tuple(tuple(row) for row in values["confusion"]),
            per_digit=tuple(DigitScore(**score) for score in values["per_digit"]),
            mistakes=tuple(Mistake(**mistake) for mistake in values["mistakes"]),
            reliability=tuple(ReliabilityBin(**part) for part in values.get("reliability", ())),
            coverage=tuple(Coverage(**part) for part in values.get("coverage", ())),
        )


def evaluate(classifier: Reader, data: LabelledImages) -> Evaluation:
    """Ask `classifier` about every image of `data` (at least one) and count."""
    probabilities, scores = classifier.predict_frames(data.images), classifier.ood_scores(data.images)
    return evaluate_answers(data, probabilities, scores, classifier.calibration.thresholds)


def evaluate_answers(
    data: LabelledImages,
    probabilities: NDArray[np.float32],
    scores: NDArray[np.float64],
    thresholds: Sequence[float],
) -> Evaluation:
    """Count what was answered to `data`: probabilities (n, 10), scores (n,) and a threshold for each of `SHARES`."""
    # here, because scikit-learn takes a second to import and drawing does without
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    answers, confidences = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = answers == data.labels
    digits = np.arange(CLASSES)
    per_digit = precision_recall_fscore_support(data.labels, answers, labels=digits, zero_division=0.0)
    wrong = np.flatnonzero(~right)
    most_confident = wrong[np.argsort(-confidences[wrong], kind="stable")][:KEPT_MISTAKES]
    return Evaluation(
        on=data.name,
        checksum=data.checksum,
        confusion=tuple(tuple(map(int, row)) for row in confusion_matrix(data.labels, answers, labels=digits)),
        per_digit=tuple(
            DigitScore(int(digit), float(precision), float(recall), float(f1), int(support))
            for digit, precision, recall, f1, support in zip(digits, *per_digit, strict=True)
        ),
        mistakes=tuple(
            Mistake(int(i), int(data.labels[i]), int(answers[i]), float(confidences[i])) for i in most_confident
        ),
        reliability=reliability(confidences, right),
        coverage=tuple(
            Coverage(share, int((scores <= threshold).sum()), int((scores[right] <= threshold).sum()))
            for share, threshold in zip(SHARES, thresholds, strict=True)
        ),
    )


def wilson_interval(successes: int, trials: int) -> Interval:
    """The 95% interval of a proportion (Wilson 1927); also right near 100 %, where the usual one is not."""
    from scipy.stats import binomtest

    bounds = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    return Interval(float(bounds.low), float(bounds.high))
