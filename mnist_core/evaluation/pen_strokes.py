"""What a version makes of people's drawings: digits to classify, and non-digits to decline."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import FailFast, Field, TypeAdapter

from mnist_core.errors import DatasetError
from mnist_core.evaluation.evaluation import Evaluation, FrameClassifier, Outputs, classify, evaluate_outputs
from mnist_core.evaluation.statistics import Count, Interval, Share, auroc, auroc_interval
from mnist_core.files import data_dir
from mnist_core.images.datasets import LabelledImages
from mnist_core.images.framing import normalize_drawing
from mnist_core.images.strokes import PAPER, SETTINGS, Character, Setting, render
from mnist_core.network.calibration import SHARES, SURE_CONFIDENCE

LONGEST_KIND = 255  # letters, as of a file's name
NO_NON_DIGITS: Mapping[str, Any] = MappingProxyType({})

Counts = Annotated[tuple[Count, ...], Field(min_length=len(SHARES), max_length=len(SHARES)), FailFast()]


@dataclass(frozen=True)
class NonDigitsEvaluation:
    """What a version makes of non-digits of one kind, which it should decline.

    Raises:
        ValueError: the counts contradict each other.
    """

    kind: Annotated[str, Field(min_length=1, max_length=LONGEST_KIND)]
    """What they are, such as `letters`."""
    images: Count
    refused: Counts
    """For each of `calibration.SHARES`, how many are declined."""
    sure: Counts
    """For each of these, how many are called a digit with a confidence of `SURE_CONFIDENCE` or more."""
    auroc: Share
    """How often a random one of them has a larger `ood_score` than a random digit."""
    auroc_interval: Annotated[Interval, Field(alias="auroc_interval_95")]
    """Its 95% interval."""

    def __post_init__(self) -> None:
        complete = len(self.refused) == len(self.sure) == len(SHARES)
        both = zip(self.refused, self.sure, strict=False)
        if not (complete and self.images and all(sum(counts) <= self.images for counts in both)):
            raise ValueError("an evaluation on non-digits whose counts contradict each other")


@dataclass(frozen=True)
class DrawingsEvaluation:
    """What a version makes of digits drawn at one setting, and of non-digits drawn the same way.

    Raises:
        ValueError: two kinds of non-digits have the same name.
    """

    setting: str
    digits: Evaluation
    non_digits: Annotated[tuple[NonDigitsEvaluation, ...], FailFast()] = ()
    """One for each kind, if there were any."""

    def __post_init__(self) -> None:
        if len({part.kind for part in self.non_digits}) < len(self.non_digits):
            raise ValueError("an evaluation on drawings with a kind of non-digits twice")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        values: dict[str, Any] = _ADAPTER.dump_python(self, mode="json", by_alias=True)
        return values


_ADAPTER = TypeAdapter(DrawingsEvaluation)


def drawings_file() -> Path:
    """Return where people's drawings lie, if there are any: pen strokes of digits, beside MNIST."""
    return data_dir() / "pen" / "digits.jsonl.gz"


def evaluate_drawings(
    classifier: FrameClassifier,
    digits: Sequence[Character],
    non_digits: Mapping[str, Sequence[Character]] = NO_NON_DIGITS,
    *,
    name: str = "drawings",
) -> Iterator[DrawingsEvaluation]:
    """Evaluate `classifier` on digits and on non-digits, by kind, drawn at each of `SETTINGS` in turn.

    Raises:
        DatasetError: a character among `digits` is not labelled 0 to 9.
    """
    labels = digit_labels(digits)
    for setting in SETTINGS:
        drawn = LabelledImages(f"{name}, {setting.name}", draw_frames(digits, setting), labels)
        frames = {kind: draw_frames(characters, setting) for kind, characters in non_digits.items()}
        yield judge_drawings(classifier, setting, drawn, frames)


def judge_drawings(
    classifier: FrameClassifier,
    setting: Setting,
    digits: LabelledImages,
    non_digits: Mapping[str, NDArray[np.uint8]] = NO_NON_DIGITS,
) -> DrawingsEvaluation:
    """Evaluate `classifier` on digits drawn at one setting, and on frames (n, 28, 28) of non-digits by kind."""
    thresholds = classifier.calibration.thresholds
    outputs = classify(classifier, digits.images)
    return DrawingsEvaluation(
        setting=setting.name,
        digits=evaluate_outputs(digits, outputs, thresholds),
        non_digits=tuple(
            _judge_non_digits(kind, classify(classifier, frames), outputs.scores, thresholds)
            for kind, frames in non_digits.items()
        ),
    )


def _judge_non_digits(
    kind: str, outputs: Outputs, digit_scores: NDArray[np.float64], thresholds: Sequence[float]
) -> NonDigitsEvaluation:
    """Count what is declined among the outputs for non-digits, and compare their scores with those of digits (n,)."""
    images, area = len(outputs.scores), auroc(digit_scores, outputs.scores)
    sure_scores = outputs.scores[outputs.probabilities.max(axis=1) >= SURE_CONFIDENCE]
    return NonDigitsEvaluation(
        kind=kind,
        images=images,
        refused=tuple(int((outputs.scores > threshold).sum()) for threshold in thresholds),
        sure=tuple(int((sure_scores <= threshold).sum()) for threshold in thresholds),
        auroc=area,
        auroc_interval=auroc_interval(area, len(digit_scores), images),
    )


def frame_canvas(canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the frame (28, 28) of a canvas (280, 280) that `render` drew, as the Draw page frames it."""
    return normalize_drawing(canvas, paper=PAPER)


def draw_frames(
    characters: Sequence[Character],
    setting: Setting,
    frame: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = frame_canvas,
) -> NDArray[np.uint8]:
    """Return frames (n, 28, 28) of characters drawn at one setting."""
    return np.stack([frame(render(character.strokes, setting)) for character in characters])


def digit_labels(characters: Sequence[Character]) -> NDArray[np.int64]:
    """Return which digits (n,) the characters are.

    Raises:
        DatasetError: one is not labelled 0 to 9.
    """
    return np.array([_digit(character) for character in characters], np.int64)


def _digit(character: Character) -> int:
    if character.label not in set("0123456789"):
        raise DatasetError(f"One of the drawings is labelled {character.label!r}. Give digits only, 0 to 9.")
    return int(character.label)
