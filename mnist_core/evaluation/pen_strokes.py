"""What a version makes of people's drawings: digits it should read, and other shapes it should refuse."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mnist_core.errors import DatasetError
from mnist_core.evaluation.evaluation import Evaluation, Interval, Reader, evaluate
from mnist_core.files import data_dir
from mnist_core.images.datasets import LabelledImages
from mnist_core.images.framing import normalize_drawing
from mnist_core.images.strokes import SETTINGS, Character, Setting, render


@dataclass(frozen=True)
class DrawingsEvaluation:
    """What a version makes of digits drawn at one setting, and of other shapes, which it should refuse."""

    setting: str
    digits: Evaluation
    refused: tuple[int, ...] = ()
    """For each of `calibration.SHARES`, how many other shapes are not accepted then; empty where none were asked."""
    others: int = 0
    """How many other shapes there are."""
    auroc: float | None = None
    """Probability that a random other shape has a larger `ood_score` than a random digit."""
    auroc_interval: Interval | None = None
    """Its 95% interval."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        interval = self.auroc_interval
        return {
            "setting": self.setting,
            "digits": self.digits.to_dict(),
            "others": self.others,
            "refused": list(self.refused),
            "auroc": self.auroc,
            "auroc_interval_95": [interval.low, interval.high] if interval else None,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The evaluation that `to_dict` wrote down."""
        interval = values["auroc_interval_95"]
        return cls(
            setting=values["setting"],
            digits=Evaluation.from_dict(values["digits"]),
            refused=tuple(values["refused"]),
            others=values["others"],
            auroc=values["auroc"],
            auroc_interval=Interval(*interval) if interval else None,
        )


def drawings_file() -> Path:
    """Where people's drawings lie, if there are any here: pen strokes of digits, beside MNIST."""
    return data_dir() / "pen" / "digits.jsonl.gz"


def evaluate_drawings(
    classifier: Reader, digits: Sequence[Character], others: Sequence[Character] = (), *, name: str = "drawings"
) -> Iterator[DrawingsEvaluation]:
    """What `classifier` makes of digits, and of other shapes that it should refuse, at each of `SETTINGS` in turn.

    Raises:
        DatasetError: a character among `digits` is not labelled 0 to 9.
    """
    labels = digit_labels(digits)
    for setting in SETTINGS:
        drawn = LabelledImages(f"{name}, {setting.name}", draw_frames(digits, setting), labels)
        yield judge_drawings(classifier, setting, drawn, draw_frames(others, setting) if others else None)


def judge_drawings(
    classifier: Reader, setting: Setting, digits: LabelledImages, others: NDArray[np.uint8] | None
) -> DrawingsEvaluation:
    """What `classifier` makes of digits drawn at one setting, and of frames (n, 28, 28) of other shapes."""
    evaluation = evaluate(classifier, digits)
    if others is None:
        return DrawingsEvaluation(setting.name, evaluation)
    scores, other_scores = classifier.ood_scores(digits.images), classifier.ood_scores(others)
    auroc = _auroc(scores, other_scores)
    return DrawingsEvaluation(
        setting=setting.name,
        digits=evaluation,
        refused=tuple(int((other_scores > threshold).sum()) for threshold in classifier.calibration.thresholds),
        others=len(others),
        auroc=auroc,
        auroc_interval=auroc_interval(auroc, len(digits), len(others)),
    )


def draw_frames(
    characters: Sequence[Character],
    setting: Setting,
    frame: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = normalize_drawing,
) -> NDArray[np.uint8]:
    """Frames (n, 28, 28) of characters drawn at one setting."""
    return np.stack([frame(render(character.strokes, setting)) for character in characters])


def digit_labels(characters: Sequence[Character]) -> NDArray[np.int64]:
    """Which digits (n,) these are.

    Raises:
        DatasetError: one is not labelled 0 to 9.
    """
    return np.array([_digit(character) for character in characters], np.int64)


def _digit(character: Character) -> int:
    if character.label not in set("0123456789"):
        raise DatasetError(f"One of the drawings is labelled {character.label!r}. Give digits only, 0 to 9.")
    return int(character.label)


def _auroc(digit_scores: NDArray[np.float64], other_scores: NDArray[np.float64]) -> float:
    """Area under the ROC curve of telling digits from other shapes by their scores."""
    from sklearn.metrics import roc_auc_score

    is_other = np.repeat([0, 1], [len(digit_scores), len(other_scores)])
    return float(roc_auc_score(is_other, np.concatenate([digit_scores, other_scores])))


def auroc_interval(area: float, digits: int, others: int) -> Interval:
    """The 95% interval of an area under the ROC curve, from so many of both kinds (Hanley & McNeil 1982)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (others - 1) * (q1 - area**2) + (digits - 1) * (q2 - area**2)
    margin = 1.96 * (max(spread, 0.0) / (digits * others)) ** 0.5
    return Interval(max(0.0, area - margin), min(1.0, area + margin))
