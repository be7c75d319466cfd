"""Shapes that are not things: polygons, stars, arrows, scribbles, and what people draw when they try something odd."""

import math
from itertools import pairwise

import numpy as np

from mnist_core.training.non_digits.pen import (
    TURN,
    Kind,
    Rng,
    Stroke,
    Strokes,
    arc,
    around,
    box,
    chance,
    closed,
    count,
    curve,
    either,
    line,
    moved,
    polar,
    smooth,
)


def rectangle(rng: Rng) -> Strokes:
    high = rng.uniform(0.45, 1) if chance(rng, 0.5) else 1.0
    shape = box(-1, -high, 1, high)
    if chance(rng, 0.3):
        shape = shape[:, ::-1]
    strokes = [shape] if chance(rng, 0.7) else [shape[:3], shape[2:]]
    if chance(rng, 0.1):
        strokes.append(shape[::2][:2])  # a diagonal
    elif chance(rng, 0.1):
        strokes.append(shape / 2)
    return strokes


def polygon(rng: Rng) -> Strokes:
    """Draw three to five corners: with more, it would look like a zero."""
    sides = int(rng.choice([3, 4, 5], p=[0.5, 0.28, 0.22]))
    start = -TURN / 4 if chance(rng, 0.6) else None
    angles = around(sides, rng, 0.25 if chance(rng, 0.5) else 0.08, start)
    shape = closed(polar(rng.uniform(0.7, 1, sides), angles))
    if chance(rng, 0.2):  # side by side
        return [shape[side : side + 2] for side in range(sides)]
    return [shape]


def star(rng: Rng) -> Strokes:
    """Draw a star as an outline, in one stroke across, or as rays."""
    points = int(rng.choice([4, 5, 6, 7, 8], p=[0.1, 0.6, 0.15, 0.1, 0.05]))
    angles = around(points, rng, 0.06, -TURN / 4)
    tips = polar(np.ones(points), angles)
    if points % 2 and chance(rng, 0.5):
        return [tips[np.arange(points + 1) * (points // 2) % points]]
    if chance(rng, 0.15):
        return [np.stack([tip, -tip]) for tip in tips[: (points + 1) // 2 + 1]]
    dents = polar(np.full(points, rng.uniform(0.3, 0.6)), angles + math.pi / points)
    return [closed(np.stack([tips, dents], axis=1).reshape(-1, 2))]


def heart(rng: Rng) -> Strokes:
    t = np.linspace(0, TURN, 50)
    dip = rng.uniform(1.5, 2.5)
    x = np.sin(t) ** 3 * rng.uniform(0.8, 1.15)
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - dip * np.cos(3 * t) - np.cos(4 * t)) / 16
    outline = np.stack([x, y], axis=1)
    if chance(rng, 0.3):  # both halves from the top
        return [outline[:26], outline[25:][::-1]]
    return [outline, line((-1.1, 0.8), (1.1, -0.9))] if chance(rng, 0.15) else [outline]


def spiral(rng: Rng) -> Strokes:
    """Draw at least two turns and a quarter: with fewer, it would look like a six."""
    share = np.linspace(0, 1, 120)
    radii = (rng.uniform(0, 0.08) + share) ** rng.uniform(0.8, 1.3)
    return [polar(radii, rng.uniform(0, TURN) + either(rng) * rng.uniform(2.25, 3.75) * TURN * share)]


def arrow(rng: Rng) -> Strokes:
    """Draw an arrow with an open, closed or double head, or its outline, mostly along the page."""
    head, half = rng.uniform(0.35, 0.8), rng.uniform(0.35, 0.7)
    bend = rng.normal(0, 0.25) if chance(rng, 0.4) else 0.0
    tip = line((1 - head, -half), (1, 0), (1 - head, half))
    strokes = [curve((-1, 0), (0, bend), (1, 0)), tip]
    way = rng.random()
    if way < 0.2:
        strokes = [strokes[0], closed(tip)]
    elif way < 0.35:
        strokes.append(tip * (-1, 1))
    elif way < 0.5:
        shaft, wing = half * rng.uniform(0.3, 0.6), half + 0.1
        upper = line((-1, -shaft), (0.2, -shaft), (0.2, -wing), (1, 0))
        strokes = [closed(np.concatenate([upper, upper[:3][::-1] * (1, -1)]))]
    aligned = rng.integers(4) * TURN / 4 + rng.normal(0, 0.2)
    return moved(strokes, angle=aligned if chance(rng, 0.75) else rng.uniform(0, TURN))


def cloud(rng: Rng) -> Strokes:
    """Draw arcs around an ellipse, deep enough that it does not look like a zero."""
    angles = around(count(rng, 5, 9), rng, 0.2)
    starts = np.append(angles, angles[0] + TURN)
    depth, share, pieces = rng.uniform(0.22, 0.38), np.linspace(0, 1, 10), []
    for begin, end in pairwise(starts):
        radii = 1 - depth + depth * np.sin(share * math.pi) * rng.uniform(0.8, 1.3)
        pieces.append(polar(radii, begin + (end - begin) * share))
    return [np.concatenate(pieces) * (1, rng.uniform(0.55, 0.9))]


def blob(rng: Rng) -> Strokes:
    """Draw a closed curve with large bumps."""
    t = np.linspace(0, TURN, 90)
    bumps = np.arange(3, 8)
    sizes = rng.normal(size=5) / bumps
    sizes *= rng.uniform(0.3, 0.6) / np.linalg.norm(sizes)
    radii = 1 + np.cos(np.outer(t, bumps) + rng.uniform(0, TURN, 5)) @ sizes
    return [polar(radii, t)]


def nested_rings(rng: Rng) -> Strokes:
    radii = np.linspace(0.25, 1, count(rng, 2, 3))
    return [arc(rng.normal(0, 0.03), rng.normal(0, 0.03), size, size * rng.uniform(0.9, 1.1)) for size in radii]


def rings_in_a_row(rng: Rng) -> Strokes:
    row = [arc(2 * place, rng.normal(0, 0.1), *rng.uniform(0.7, 1.15, 2)) for place in range(count(rng, 2, 4))]
    return row if len(row) == 2 or chance(rng, 0.5) else [ring[:, ::-1] for ring in row]


def scattered_rings(rng: Rng) -> Strokes:
    if chance(rng, 0.5):
        places = polar(np.ones(4), around(4, rng, 0.1))[: count(rng, 3, 4)]
        return [arc(x, y, *rng.uniform(0.4, 0.9, 2)) for x, y in places]
    return [arc(*rng.uniform(-1, 1, 2), *rng.uniform(0.2, 0.6, 2)) for _ in range(count(rng, 4, 6))]


def moon(rng: Rng) -> Strokes:
    depth = -rng.uniform(0.0, 0.1)
    return [arc(0, 0, 1, 1, 0.15, 0.85), curve((0.59, -0.81), (depth, -0.3), (depth, 0.3), (0.59, 0.81))]


def lightning(rng: Rng) -> Strokes:
    left = -rng.uniform(0.3, 0.5)
    zag = line((0.2, -1), (left, 0.1), (0.05, 0.1), (-0.3, 1), (0.6, -0.15), (0.05, -0.15), (0.5, -1))
    return [closed(zag)]


def cross(rng: Rng) -> Strokes:
    upright = [line((-1, 0), (1, 0)), line((0, -1), (0, 1))]
    return moved(upright, angle=TURN / 8 if chance(rng, 0.5) else 0)


def zigzag(rng: Rng) -> Strokes:
    return [_up_and_down(rng, 0.24, 0.4)]


def waves(rng: Rng) -> Strokes:
    return [smooth(_up_and_down(rng, 0.18, 0.3))]


def _up_and_down(rng: Rng, least: float, most: float) -> Stroke:
    x = np.linspace(-1, 1, count(rng, 5, 9))
    return np.stack([x, rng.uniform(least, most) * (-1.0) ** np.arange(len(x))], axis=1)


def composed(rng: Rng) -> Strokes:
    """Draw three to six simple shapes anywhere."""
    simple = (
        arc(0, 0, 1, rng.uniform(0.5, 1)),
        box(-1, -rng.uniform(0.3, 1), 1, 1),
        line((0, -1), (1, 1), (-1, 1), (0, -1)),
        line((-1, 0), (1, 0)),
        arc(0, 0, 1, 1, 0, rng.uniform(0.3, 0.6)),
        arc(0, 0, 0.15, 0.15),
    )
    strokes: Strokes = []
    for _ in range(count(rng, 3, 6)):
        shape = simple[rng.integers(len(simple))]
        wide, high = rng.uniform(0.25, 0.9, 2)
        strokes += moved([shape], *rng.uniform(-1, 1, 2), wide=wide, high=high, angle=rng.uniform(0, TURN))
    return strokes


def doodle(rng: Rng) -> Strokes:
    """Draw a long curve that crosses itself."""
    t = np.linspace(0, TURN, 220)
    frequency = rng.uniform(1.2, rng.uniform(4, 8), (2, 4))
    size = rng.normal(size=(2, 4)) / np.sqrt(frequency)
    swings = np.sin(t[:, None, None] * frequency + rng.uniform(0, TURN, (2, 4)))
    points = (swings * size).sum(2)
    return [points / np.ptp(points, axis=0) * rng.uniform(0.6, 1, 2)]


def few_strokes(rng: Rng) -> Strokes:
    """Draw three to six straight or bent strokes anywhere."""
    strokes = []
    for _ in range(count(rng, 3, 6)):
        points = rng.uniform(-1, 1, (count(rng, 2, 4), 2))
        strokes.append(smooth(points) if chance(rng, 0.6) else points)
    return strokes


SHAPES: dict[Kind, float] = {
    rectangle: 3,
    polygon: 5,
    star: 5,
    heart: 4,
    spiral: 3,
    arrow: 5,
    cloud: 3,
    blob: 2,
    nested_rings: 1.5,
    rings_in_a_row: 2,
    scattered_rings: 2,
    moon: 1,
    lightning: 1,
    cross: 1.5,
    zigzag: 1,
    waves: 1,
    composed: 7,
    doodle: 4,
    few_strokes: 5,
}
"""Each kind, and how often it is drawn relative to the others."""
