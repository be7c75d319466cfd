"""Read pen strokes from a file, and draw them as the Draw page's canvas does.

A file is packed with gzip and has a line of JSON for each character: its `label`, its `writer` and its `strokes`, each
a list of [x, y] in the order they were written, y pointing down, in any unit.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnist_core.errors import DatasetError

CANVAS = 280
"""Rows and columns of the canvas, in pixels."""
PAPER = 255
"""Brightness of the canvas, white."""
OVERSAMPLING = 4
"""Strokes are drawn this many times larger, then averaged, for smooth edges."""
MIN_POINT_DISTANCE = 0.4
"""The canvas drops a stroke's points that are nearer to the one before than this, in pixels."""

# far more than any real file needs; they keep a malicious file from taking minutes or gigabytes
MAX_CHARACTERS = 100_000
MAX_LINE_BYTES = 200_000
MAX_UNPACKED_BYTES = 50_000_000
MAX_EXPANSION = 20
"""A file may unpack to this many times its size; real ones unpack to 3 or 4 times. The first megabyte is free."""
FREE_BYTES = 1_000_000
MAX_COORDINATE = 1e9

Stroke = NDArray[np.float64]
"""Points (n, 2), x and y."""


@dataclass(frozen=True)
class Character:
    """A character as somebody wrote it."""

    label: str
    strokes: tuple[Stroke, ...]


@dataclass(frozen=True)
class Setting:
    """The size, place and pen with which a character is drawn on the canvas."""

    size: float
    """Its longer side, as a share of the canvas."""
    pen: float
    """Width of the pen in pixels."""
    in_corner: bool = False
    """In the upper left corner instead of the middle."""

    @property
    def name(self) -> str:
        """The setting in words."""
        return f"{self.size:.0%} of the canvas{', in a corner' if self.in_corner else ''}, pen {self.pen:g}"


SETTINGS = (Setting(0.6, 20), Setting(0.6, 10), Setting(0.3, 14, in_corner=True), Setting(0.9, 28))


def read_characters(path: Path) -> list[Character]:
    """Read the characters in a file.

    Raises:
        DatasetError: the file is missing, damaged, too large or of another form; the message names the line.
    """
    characters: list[Character] = []
    try:
        for line in _lines(path):
            characters.append(_parse(line))
    except (OSError, EOFError, ValueError, KeyError, TypeError, OverflowError, RecursionError, zlib.error) as error:
        where = f", line {len(characters) + 1}," if characters or not isinstance(error, OSError) else ""
        raise DatasetError(
            f"{path}{where} cannot be read ({error}). Give a gzip-packed file with a line of JSON for each character, "
            'such as {"label": "7", "strokes": [[[0, 0], [100, 0], [50, 200]]]}.'
        ) from error
    if not characters:
        raise DatasetError(f"{path} holds no characters. Give a file with at least one.")
    return characters


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a gzip-packed file.

    Raises:
        ValueError: there are too many, or one is too long.
    """
    allowed_bytes = min(MAX_UNPACKED_BYTES, FREE_BYTES + MAX_EXPANSION * path.stat().st_size)
    unpacked_bytes = number = 0
    with gzip.open(path, "rb") as file:
        while line := file.readline(MAX_LINE_BYTES + 1):
            unpacked_bytes += len(line)
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise ValueError(f"it is longer than {MAX_LINE_BYTES:,} bytes")
            if number > MAX_CHARACTERS or unpacked_bytes > allowed_bytes:
                raise ValueError(f"the file holds more than {MAX_CHARACTERS:,} characters or {allowed_bytes:,} bytes")
            yield line


def _parse(line: bytes) -> Character:
    entry = json.loads(line)
    strokes = tuple(np.array(stroke, np.float64).reshape(-1, 2) for stroke in entry["strokes"] if stroke)
    if not strokes:
        raise ValueError("it has no strokes")
    if not all((np.abs(stroke) <= MAX_COORDINATE).all() for stroke in strokes):  # also false for "not a number"
        raise ValueError(f"a coordinate is not a number from {-MAX_COORDINATE:g} to {MAX_COORDINATE:g}")
    return Character(str(entry["label"]), strokes)


def render(strokes: Sequence[Stroke], setting: Setting) -> NDArray[np.uint8]:
    """Return the canvas (280, 280) with a character drawn on it, black ink on white."""
    return draw_strokes(strokes_on_canvas(strokes, setting), setting.pen)


def draw_strokes(strokes: Sequence[Stroke], pen: float) -> NDArray[np.uint8]:
    """Return the canvas (280, 280) after strokes, black ink on white; smoothed, with round caps and joins.

    Args:
        strokes: points (n, 2) in pixels of the canvas.
        pen: width of the pen in pixels.
    """
    image = Image.new("L", (CANVAS * OVERSAMPLING, CANVAS * OVERSAMPLING), PAPER)
    pencil = ImageDraw.Draw(image)
    width = pen * OVERSAMPLING
    reach = (width - 1) / 2  # Pillow measures from the middle of a pixel to the middle of the last one
    for stroke in strokes:
        path = (_smoothed(stroke) * OVERSAMPLING - 0.5).tolist()
        for begin, end in pairwise(path):
            pencil.line((*begin, *end), fill=0, width=round(width))
        for x, y in path:
            pencil.ellipse((x - reach, y - reach, x + reach, y + reach), fill=0)
    return np.asarray(image.reduce(OVERSAMPLING))


def strokes_on_canvas(strokes: Sequence[Stroke], setting: Setting) -> list[NDArray[np.float64]]:
    """Return strokes scaled and moved to where the setting puts them, in pixels of the canvas."""
    points = np.concatenate(strokes)
    origin, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = setting.size * CANVAS / max(float(extent.max()), 1e-9)
    corner = setting.pen / 2 + 4 if setting.in_corner else (CANVAS - extent * scale) / 2
    return [(stroke - origin) * scale + corner for stroke in strokes]


def _smoothed(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return close points (m, 2) on the curve that the canvas draws for the points (n, 2) of a stroke.

    The curve is a chain of quadratic Béziers between the midpoints of neighbouring points, whose control points are the
    stroke's points.
    """
    kept = [points[0]]
    for point in points[1:-2]:  # the canvas also drops the last point but one, whatever its distance
        if float(np.hypot(*(point - kept[-1]))) >= MIN_POINT_DISTANCE:
            kept.append(point)
    kept.append(points[-1])
    controls = np.array(kept)
    midpoints = (controls[:-1] + controls[1:]) / 2
    path = [controls[:1]]
    begin = controls[0]
    for control, end in zip(controls[:-1], midpoints, strict=True):
        t = np.linspace(0, 1, 2 + int(np.abs(end - begin).max() / 3))[1:, None]
        path.append((1 - t) ** 2 * begin + 2 * t * (1 - t) * control + t**2 * end)
        begin = end
    return np.concatenate([*path, controls[-1:]])
