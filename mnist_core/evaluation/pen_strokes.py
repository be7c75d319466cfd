"""What a version makes of people's drawings: digits to classify, and other shapes to decline."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import FailFast, Field, TypeAdapter

from mnist_core.errors import DatasetError
from mnist_core.evaluation.evaluation import Evaluation, FrameClassifier, classify, evaluate_outputs
from mnist_core.evaluation.statistics import Count, Interval, Share, auroc, auroc_interval
from mnist_core.files import data_dir
from mnist_core.images.datasets import LabelledImages
from mnist_core.images.framing import normalize_drawing
from mnist_core.images.strokes import SETTINGS, Character, Setting, render
from mnist_core.network.calibration import SHARES


@dataclass(frozen=True)
class DrawingsEvaluation:
    """What a version makes of digits drawn at one setting, and of other shapes, which it should decline.

    Raises:
        ValueError: the counts contradict each other.
    """

    setting: str
    digits: Evaluation
    refused: Annotated[tuple[Count, ...], FailFast()] = ()
    """For each of `calibration.SHARES`, how many other shapes are declined; empty without other shapes."""
    others: Count = 0
    """How many other shapes there are."""
    auroc: Share | None = None
    """How often a random other shape has a larger `ood_score` than a random digit."""
    auroc_interval: Annotated[Interval | None, Field(alias="auroc_interval_95")] = None
    """Its 95% interval."""

    def __post_init__(self) -> None:
        measured = self.auroc is not None and self.auroc_interval is not None and len(self.refused) == len(SHARES)
        if measured != bool(self.others) or any(count > self.others for count in self.refused):
            raise ValueError("an evaluation on drawings whose counts contradict each other")

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
    others: Sequence[Character] = (),
    *,
    name: str = "drawings",
) -> Iterator[DrawingsEvaluation]:
    """Evaluate `classifier` on digits and other shapes, drawn at each of `SETTINGS` in turn.

    Raises:
        DatasetError: a character among `digits` is not labelled 0 to 9.
    """
    labels = digit_labels(digits)
    for setting in SETTINGS:
        drawn = LabelledImages(f"{name}, {setting.name}", draw_frames(digits, setting), labels)
        yield judge_drawings(classifier, setting, drawn, draw_frames(others, setting) if others else None)


def judge_drawings(
    classifier: FrameClassifier, setting: Setting, digits: LabelledImages, others: NDArray[np.uint8] | None
) -> DrawingsEvaluation:
    """Evaluate `classifier` on digits drawn at one setting, and on frames (n, 28, 28) of other shapes."""
    thresholds = classifier.calibration.thresholds
    outputs = classify(classifier, digits.images)
    evaluation = evaluate_outputs(digits, outputs, thresholds)
    if others is None:
        return DrawingsEvaluation(setting.name, evaluation)
    other_scores = classify(classifier, others).scores
    area = auroc(outputs.scores, other_scores)
    return DrawingsEvaluation(
        setting=setting.name,
        digits=evaluation,
        refused=tuple(int((other_scores > threshold).sum()) for threshold in thresholds),
        others=len(others),
        auroc=area,
        auroc_interval=auroc_interval(area, len(digits), len(others)),
    )


def draw_frames(
    characters: Sequence[Character],
    setting: Setting,
    frame: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = normalize_drawing,
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
