"""The movements of a pen: lines, boxes, arcs and curves, from which shapes are put together.

Positions are in a box of about -1 to 1, x to the right and y down; the unit does not matter, since a drawing is scaled
to the frame at the end.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Stroke = NDArray[np.float64]
"""The points (n, 2) that the pen passes without being lifted."""
Strokes = list[Stroke]
Rng = np.random.Generator
Kind = Callable[[Rng], Strokes]
"""A function that draws one kind of shape, each time with other proportions."""

TURN = 2 * math.pi
POINTS_PER_TURN = 40
POINTS_PER_PIECE = 8  # of a curve, between two of the points it passes


def line(*points: tuple[float, float]) -> Stroke:
    """Return straight lines from point to point."""
    return np.array(points, np.float64)


def box(left: float, top: float, right: float, bottom: float) -> Stroke:
    """Return a rectangle."""
    return line((left, top), (right, top), (right, bottom), (left, bottom), (left, top))


def arc(x: float, y: float, width: float, height: float, begin: float = 0.0, end: float = 1.0) -> Stroke:
    """Return an ellipse around (x, y) with these radii, or a part of it: `begin` and `end` in turns, 0.25 is below."""
    angles = np.linspace(begin, end, max(5, int(POINTS_PER_TURN * abs(end - begin)) + 1)) * TURN
    return np.stack([x + width * np.cos(angles), y + height * np.sin(angles)], axis=1)


def dot(x: float, y: float) -> Stroke:
    """Return a dot: a circle too small to have a hole."""
    return arc(x, y, 0.03, 0.03)


def curve(*points: tuple[float, float]) -> Stroke:
    """Return a smooth curve through the points."""
    return smooth(line(*points))


def smooth(points: Stroke) -> Stroke:
    """Return a smooth curve through points (n, 2) (Catmull & Rom 1974)."""
    around = np.concatenate([points[:1], points, points[-1:]])
    before, begin, end, after = (around[i : len(around) - 3 + i, None] for i in range(4))
    share = np.linspace(0, 1, POINTS_PER_PIECE + 1)[:, None]
    pieces = 2 * begin + (end - before) * share
    pieces = pieces + (2 * before - 5 * begin + 4 * end - after) * share**2
    pieces = pieces + (3 * begin - before - 3 * end + after) * share**3
    whole: Stroke = pieces.reshape(-1, 2) / 2
    return whole


def polar(radii: NDArray[np.float64], angles: NDArray[np.float64]) -> Stroke:
    """Return the points at these distances (n,) and angles (n,), in radians, from the middle."""
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def around(count: int, rng: Rng, unevenness: float = 0.0, start: float | None = None) -> NDArray[np.float64]:
    """Return `count` angles all around, in radians, that differ from even steps by up to a share of the step."""
    begin = rng.uniform(0, TURN) if start is None else start
    angles: NDArray[np.float64] = (
        begin + (np.arange(count) + rng.uniform(-unevenness, unevenness, count)) * TURN / count
    )
    return angles


def moved(
    strokes: Strokes, x: float = 0, y: float = 0, *, wide: float = 1, high: float = 1, angle: float = 0
) -> Strokes:
    """Return strokes scaled, then turned by an angle in radians, then moved."""
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    return [(stroke * (wide, high)) @ turn + (x, y) for stroke in strokes]


def slanted(strokes: Strokes, slant: float) -> Strokes:
    """Return strokes that lean to the right by `slant` times their height."""
    return [stroke @ np.array([[1, 0], [-slant, 1]]) for stroke in strokes]


def closed(points: Stroke) -> Stroke:
    """Return the points and the first one again."""
    return np.concatenate([points, points[:1]])


def joined(strokes: Sequence[Stroke]) -> Strokes:
    """Return the strokes as one, drawn without lifting the pen."""
    return [np.concatenate(strokes)]


def chance(rng: Rng, share: float) -> bool:
    """Return True as often as `share` says."""
    return bool(rng.random() < share)


def either(rng: Rng) -> int:
    """Return -1 or 1."""
    return 1 if chance(rng, 0.5) else -1


def count(rng: Rng, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`."""
    return int(rng.integers(least, most + 1))
