"""What a version scores on a named set of images."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import FailFast, Field, SerializerFunctionWrapHandler, TypeAdapter, model_serializer

from mnist_core.evaluation.statistics import (
    Count,
    Interval,
    ReliabilityBin,
    Share,
    expected_calibration_error,
    reliability,
    wilson_interval,
)
from mnist_core.images.datasets import CLASSES, LabelledImages
from mnist_core.network.calibration import SHARES, Calibration, ood_scores

KEPT_MISTAKES = 50
BATCH_SIZE = 2000  # bounds memory

Digit = Annotated[int, Field(ge=0, lt=CLASSES)]
Row = Annotated[tuple[Count, ...], Field(min_length=CLASSES, max_length=CLASSES), FailFast()]


class FrameClassifier(Protocol):
    """Anything that classifies frames (n, 28, 28) uint8, such as `DigitClassifier`."""

    @property
    def calibration(self) -> Calibration:
        """What turns logits into probabilities, and which `ood_score` is accepted."""

    def logits(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's outputs (n, 10)."""


@dataclass(frozen=True)
class DigitScore:
    """How well one digit is classified."""

    digit: int
    precision: float
    """Of the images classified as this digit, the share that show it; 0 where there are none."""
    recall: float
    """Of the images of this digit, the share classified as it; 0 where there are none."""
    f1: float
    support: int
    """Images of this digit."""


@dataclass(frozen=True)
class Mistake:
    """One wrong answer; `index` is the image's place in the evaluated set."""

    index: Count
    label: Digit
    answer: Digit
    confidence: Share


@dataclass(frozen=True)
class Coverage:
    """What is answered, and how well, when the threshold accepts `share` of the validation images."""

    share: Share
    answered: Count
    correct: Count
    """Of those answered."""


@dataclass(frozen=True)
class Evaluation:
    """What a version scores on `on`, a named set of images that `checksum` identifies.

    Raises:
        ValueError: the counts contradict each other.
    """

    on: str
    checksum: str
    confusion: Annotated[tuple[Row, ...], Field(min_length=CLASSES, max_length=CLASSES), FailFast()]
    """Counts: row = true digit, column = answer."""
    mistakes: Annotated[tuple[Mistake, ...], FailFast()]
    """The most confident ones first, at most `KEPT_MISTAKES`."""
    reliability: Annotated[tuple[ReliabilityBin, ...], FailFast()]
    """The answers, grouped by confidence."""
    coverage: Annotated[tuple[Coverage, ...], Field(min_length=len(SHARES), max_length=len(SHARES)), FailFast()]
    """One for each of `calibration.SHARES`."""

    def __post_init__(self) -> None:
        images = self.images
        possible = (
            images > 0
            and all(mistake.index < images for mistake in self.mistakes)
            and all(part.correct <= part.images for part in self.reliability)
            and all(part.correct <= part.answered <= images for part in self.coverage)
        )
        if not possible:
            raise ValueError("an evaluation whose counts contradict each other")

    @property
    def images(self) -> int:
        """Count the evaluated images."""
        return sum(map(sum, self.confusion))

    @property
    def correct(self) -> int:
        """Count the correctly classified images."""
        return sum(self.confusion[digit][digit] for digit in range(CLASSES))

    @property
    def accuracy(self) -> float:
        """Return the share of correctly classified images, 0 to 1."""
        return self.correct / self.images

    @cached_property
    def interval(self) -> Interval:
        """Return the 95% interval of the accuracy."""
        return wilson_interval(self.correct, self.images)

    @property
    def calibration_error(self) -> float:
        """Return the expected calibration error, 0 to 1: by how much confidence and accuracy differ."""
        return expected_calibration_error(self.reliability)

    @cached_property
    def per_digit(self) -> tuple[DigitScore, ...]:
        """Return precision, recall and F1 of each digit."""
        return tuple(self._score(digit) for digit in range(CLASSES))

    def _score(self, digit: int) -> DigitScore:
        correct, support = self.confusion[digit][digit], sum(self.confusion[digit])
        answered = sum(row[digit] for row in self.confusion)
        return DigitScore(
            digit,
            precision=correct / answered if answered else 0.0,
            recall=correct / support if support else 0.0,
            f1=2 * correct / (answered + support) if answered + support else 0.0,
            support=support,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        values: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return values

    @model_serializer(mode="wrap")
    def _with_figures(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Add the figures that follow from the counts, for readers of the file; loading ignores them."""
        return {
            "images": self.images,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "interval_95": list(self.interval),
            "expected_calibration_error": self.calibration_error,
            "per_digit": [vars(score) for score in self.per_digit],
            **fields(self),
        }


_ADAPTER = TypeAdapter(Evaluation)


class Outputs(NamedTuple):
    """What a classifier makes of n images."""

    probabilities: NDArray[np.float32]
    """(n, 10)."""
    scores: NDArray[np.float64]
    """Each image's `ood_score` (n,)."""


def classify_in_batches(
    classifier: FrameClassifier, frames: NDArray[np.uint8], batch_size: int = BATCH_SIZE
) -> Iterator[Outputs]:
    """Classify frames (n, 28, 28), each batch in one forward pass, and yield the outputs of each batch."""
    for start in range(0, len(frames), batch_size):
        logits = classifier.logits(frames[start : start + batch_size])
        yield Outputs(classifier.calibration.probabilities(logits), ood_scores(logits))


def classify(classifier: FrameClassifier, frames: NDArray[np.uint8]) -> Outputs:
    """Classify frames (n, 28, 28), at least one, in batches."""
    return joined(classify_in_batches(classifier, frames))


def joined(batches: Iterable[Outputs]) -> Outputs:
    """Join the outputs of several batches, at least one."""
    probabilities, scores = zip(*batches, strict=True)
    return Outputs(np.concatenate(probabilities), np.concatenate(scores))


def evaluate(classifier: FrameClassifier, data: LabelledImages) -> Evaluation:
    """Classify all images of `data` (at least one) and count what is correct."""
    return evaluate_outputs(data, classify(classifier, data.images), classifier.calibration.thresholds)


def evaluate_outputs(data: LabelledImages, outputs: Outputs, thresholds: Sequence[float]) -> Evaluation:
    """Count what is correct among the outputs for `data`, with a threshold for each of `SHARES`."""
    answers, confidences = outputs.probabilities.argmax(axis=1), outputs.probabilities.max(axis=1)
    correct = answers == data.labels
    confusion = np.bincount(CLASSES * data.labels + answers, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    wrong = np.flatnonzero(~correct)
    most_confident = wrong[np.argsort(-confidences[wrong], kind="stable")][:KEPT_MISTAKES]
    return Evaluation(
        on=data.name,
        checksum=data.checksum,
        confusion=tuple(map(tuple, confusion.tolist())),
        mistakes=tuple(
            Mistake(int(i), int(data.labels[i]), int(answers[i]), float(confidences[i])) for i in most_confident
        ),
        reliability=reliability(confidences, correct),
        coverage=tuple(
            Coverage(share, int((outputs.scores <= threshold).sum()), int((outputs.scores[correct] <= threshold).sum()))
            for share, threshold in zip(SHARES, thresholds, strict=True)
        ),
    )
