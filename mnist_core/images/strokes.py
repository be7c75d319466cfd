"""Pen strokes: reading them from a file, and drawing them on a canvas as the Draw page's canvas does.

A file has a line of JSON for each character, packed with gzip: its `label`, its `writer` and its `strokes`, each a list
of [x, y] in the order they were written, y pointing down, in any unit.
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnist_core.errors import DatasetError

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
