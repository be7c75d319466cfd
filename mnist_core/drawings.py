"""Real drawings: pen strokes from a file, drawn on a canvas as the Draw page's would be, and what a version makes of
them.

A file has a line of JSON for each character, packed with gzip: its `label`, its `writer` and its `strokes`, each a list
of [x, y] in the order they were written, y pointing down, in any unit.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnist_core.datasets import LabelledImages
from mnist_core.errors import DatasetError
from mnist_core.evaluation import Evaluation, Interval, Reader, evaluate
from mnist_core.preprocessing import normalize_drawing

CANVAS = 280
"""Rows and columns of the canvas, in pixels."""
FINE = 4
"""Drawn this many times larger, then averaged, for smooth edges."""
LEAST_DISTANCE = 0.4
"""The canvas drops points of a stroke that are nearer to the one before than this, in pixels."""

Stroke = NDArray[np.float64]
"""Points (n, 2), x and y."""


@dataclass(frozen=True)
class Character:
    """A character as a hand wrote it."""

    label: str
    strokes: tuple[Stroke, ...]


@dataclass(frozen=True)
class Setting:
    """How a character is put on the canvas."""

    size: float
    """Its longer side, as a share of the canvas."""
    pen: float
    """Width of the pen in pixels."""
    in_corner: bool = False
    """In the upper left corner rather than in the middle."""

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.size:.0%} of the canvas{', in a corner' if self.in_corner else ''}, pen {self.pen:g}"


SETTINGS = (Setting(0.6, 20), Setting(0.6, 10), Setting(0.3, 14, in_corner=True), Setting(0.9, 28))


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


def read_characters(path: Path) -> list[Character]:
    """The characters in a file.

    Raises:
        DatasetError: it is missing, damaged or of another form; the message names the line.
    """
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            characters = []
            for number, line in enumerate(lines, 1):  # noqa: B007
                entry = json.loads(line)
                strokes = tuple(np.array(stroke, np.float64).reshape(-1, 2) for stroke in entry["strokes"] if stroke)
                if not strokes:
                    raise ValueError("it has no strokes")
                characters.append(Character(str(entry["label"]), strokes))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        where = f", line {number}," if number else ""
        raise DatasetError(
            f"{path}{where} cannot be read ({error}). Give a gzip-packed file with a line of JSON for each character, "
            'such as {"label": "7", "strokes": [[[0, 0], [100, 0], [50, 200]]]}.'
        ) from error
    if not characters:
        raise DatasetError(f"{path} holds no characters. Give a file with at least one.")
    return characters


def render(strokes: Sequence[Stroke], setting: Setting) -> NDArray[np.uint8]:
    """The canvas (280, 280), black ink on white, with a character put on it."""
    return draw_strokes(strokes_on_canvas(strokes, setting), setting.pen)


def draw_strokes(strokes: Sequence[Stroke], pen: float) -> NDArray[np.uint8]:
    """The canvas (280, 280), black ink on white, after strokes in its pixels: smoothed, with round caps and joins."""
    image = Image.new("L", (CANVAS * FINE, CANVAS * FINE), 255)
    pencil = ImageDraw.Draw(image)
    width = pen * FINE
    reach = (width - 1) / 2  # Pillow counts pixels from their middles, and draws the last one too
    for stroke in strokes:
        path = (_as_drawn(stroke) * FINE - 0.5).tolist()
        for begin, end in pairwise(path):
            pencil.line((*begin, *end), fill=0, width=round(width))
        for x, y in path:
            pencil.ellipse((x - reach, y - reach, x + reach, y + reach), fill=0)
    return np.asarray(image.reduce(FINE))


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


def strokes_on_canvas(strokes: Sequence[Stroke], setting: Setting) -> list[NDArray[np.float64]]:
    """Strokes in pixels of the canvas, where the setting puts them."""
    points = np.concatenate(strokes)
    origin, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = setting.size * CANVAS / max(float(extent.max()), 1e-9)
    corner = setting.pen / 2 + 4 if setting.in_corner else (CANVAS - extent * scale) / 2
    return [(stroke - origin) * scale + corner for stroke in strokes]


def _as_drawn(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The path that the canvas draws through the points (n, 2) of a stroke, as close points on it.

    It is a chain of quadratic Bézier curves from middle to middle between points, with the points for control.
    """
    kept = [points[0]]
    for point in points[1:-2]:  # it also drops the last but one, whatever its distance
        if float(np.hypot(*(point - kept[-1]))) >= LEAST_DISTANCE:
            kept.append(point)
    kept.append(points[-1])
    corners = np.array(kept)
    middles = (corners[:-1] + corners[1:]) / 2
    path = [corners[:1]]
    begin = corners[0]
    for control, end in zip(corners[:-1], middles, strict=True):
        share = np.linspace(0, 1, 2 + int(np.abs(end - begin).max() / 3))[1:, None]
        path.append((1 - share) ** 2 * begin + 2 * share * (1 - share) * control + share**2 * end)
        begin = end
    return np.concatenate([*path, corners[-1:]])


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
