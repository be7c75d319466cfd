"""Faces, people, animals and plants."""

import math

import numpy as np

from mnist_core.training.non_digits.pen import (
    Kind,
    Rng,
    Stroke,
    Strokes,
    arc,
    around,
    box,
    chance,
    count,
    curve,
    dot,
    line,
    moved,
    polar,
)
from mnist_core.training.non_digits.shapes import cloud, spiral


def face(rng: Rng) -> Strokes:
    wide, high = rng.uniform(0.75, 1.05), rng.uniform(0.85, 1.05)
    outline = arc(0, 0, wide, high, rng.uniform(-0.4, 0), rng.uniform(0.93, 1.05))
    if chance(rng, 0.15):
        outline = box(-wide, -high, wide, high)
    strokes = [*_eyes(rng, wide), _mouth(rng, wide)]
    if chance(rng, 0.88):
        strokes.append(outline)
    if chance(rng, 0.25):
        strokes.append(
            line((0, -0.05), (-0.1, 0.15), (0.05, 0.15)) if chance(rng, 0.5) else line((0, -0.05), (0, 0.15))
        )
    if chance(rng, 0.25):
        strokes += _on_the_head(rng, wide, high)
    return strokes


def _eyes(rng: Rng, wide: float) -> Strokes:
    """Draw circles, strokes, dots or arcs, all eyes of a face alike."""
    apart, level, size = rng.uniform(0.28, 0.42) * wide, rng.uniform(-0.4, -0.15), rng.uniform(0.05, 0.17)
    form, height = rng.integers(4), size * rng.uniform(0.8, 1.6)
    eyes = []
    for side in (-1, 1):
        x, y = rng.normal((side * apart, level), 0.03)
        forms = (
            arc(x, y, size, height),
            line((x, y - size), (x, y + size)),
            dot(x, y),
            arc(x, y, size * 1.3, size * 1.3, 0.5, 1),
        )
        eyes.append(forms[form])
    return eyes


def _mouth(rng: Rng, wide: float) -> Stroke:
    level, half, depth = rng.uniform(0.2, 0.5), rng.uniform(0.25, 0.6) * wide, rng.uniform(0.1, 0.4)
    way = rng.random()
    if way < 0.6:
        return arc(0, level - depth * 0.3, half, depth, 0.02, 0.48)
    if way < 0.8:
        return arc(0, level + depth * 0.7, half, depth, 0.52, 0.98)
    return line((-half, level), (half, level + rng.normal(0, 0.08)))


def _on_the_head(rng: Rng, wide: float, high: float) -> Strokes:
    """Draw round ears, pointed ears or hair."""
    form = rng.integers(3)
    if form == 0:
        return [arc(side * wide * 0.75, -high * 0.85, 0.28, 0.28) for side in (-1, 1)]
    if form == 1:
        ear = line((wide * 0.8, -high * 0.6), (wide * 0.85, -high * 1.25), (wide * 0.3, -high * 0.95))
        return [ear, ear * (-1, 1)]
    return [line((0.2 * hair * wide, -high * 0.95), (0.28 * hair * wide, -high * 1.25)) for hair in range(-2, 3)]


def person(rng: Rng) -> Strokes:
    """Draw a stick figure, or one with a dress."""
    head, hips, shoulders = rng.uniform(0.18, 0.32), rng.uniform(0.2, 0.45), rng.uniform(-0.3, 0.1)
    reach, lift, neck = rng.uniform(0.3, 0.7), rng.normal(0, 0.3), -1 + 2 * head
    body = line((0, neck), (rng.normal(0, 0.05), hips))
    if chance(rng, 0.2):
        body = line((0, neck), (-0.4, hips), (0.4, hips), (0, neck))
    arms = line((-reach, shoulders + lift), (0, shoulders), (reach, shoulders + rng.normal(lift, 0.15)))
    legs = line((-rng.uniform(0.2, 0.5), 1), (0, hips), (rng.uniform(0.2, 0.5), 1))
    return [arc(0, -1 + head, head, head), body, arms, legs]


def flower(rng: Rng) -> Strokes:
    core, petal, narrowness = rng.uniform(0.15, 0.35), rng.uniform(0.25, 0.42), rng.uniform(0.5, 0.9)
    angles = around(count(rng, 4, 8), rng, 0.06)
    strokes = [arc(0, 0, core, core)]
    for angle, (x, y) in zip(angles, polar(np.full(len(angles), core + petal), angles), strict=True):
        strokes += moved([arc(0, 0, petal, petal * narrowness)], x, y, angle=angle)
    if chance(rng, 0.6):
        strokes.append(line((0, core + 2 * petal), (rng.normal(0, 0.15), rng.uniform(1.6, 2.6))))
        if chance(rng, 0.5):
            strokes.append(arc(0.3, 1.6, 0.3, 0.13))
    return strokes


def sun(rng: Rng) -> Strokes:
    radius, angles = rng.uniform(0.4, 0.7), around(count(rng, 5, 12), rng, 0.15)
    rays = [polar(np.array([radius * 1.1, 1.0]), np.full(2, angle)) for angle in angles]
    return [arc(0, 0, radius, radius), *rays]


def leafy_tree(rng: Rng) -> Strokes:
    return _trunk(rng) + moved(cloud(rng), 0, -0.3, wide=0.75, high=0.75)


def fir(rng: Rng) -> Strokes:
    levels = count(rng, 1, 3)
    strokes = _trunk(rng)
    for level in range(levels):
        foot, half = 0.3 - 0.45 * (levels - 1 - level), 0.4 + 0.15 * level
        strokes.append(line((-half, foot), (0, foot - 0.6), (half, foot), (-half, foot)))
    return strokes


def _trunk(rng: Rng) -> Strokes:
    half = rng.uniform(0.08, 0.22)
    sides = [line((-half, 0.3), (-half, 1)), line((half, 0.3), (half, 1))]
    return sides if chance(rng, 0.7) else [line((0, 0), (0, 1))]


def twig(rng: Rng) -> Strokes:
    """Draw a bare tree, or a blade of grass."""
    starts = np.linspace(-0.6, 0.5, count(rng, 2, 4))
    return [
        line((0, -0.9), (0, 1)),
        *(line((0, y), (side * rng.uniform(0.3, 0.6), y - rng.uniform(0.2, 0.5))) for y in starts for side in (-1, 1)),
    ]


def leaf(rng: Rng) -> Strokes:
    """Draw a leaf with its veins: without them, it would look like a slashed zero."""
    half = rng.uniform(0.45, 0.7)
    right = half * np.sin(np.linspace(0, math.pi, 15)) ** rng.uniform(0.8, 1.2)
    side = np.stack([right, np.linspace(-1, 1, 15)], axis=1)
    veins = [line((0, y), (slope * half * 0.7, y - 0.3)) for y in (-0.2, 0.25, 0.6) for slope in (-1, 1)]
    stalk = line((0, -0.8), (rng.normal(0, 0.1), 1.5))
    return moved([side, side * (-1, 1), stalk, *veins], angle=rng.uniform(-1, 1))


def carrot(rng: Rng) -> Strokes:
    """Draw a carrot or a radish with its leaves."""
    half = rng.uniform(0.3, 0.6)
    side = curve((half * 0.7, -0.6), (half, 0), (half * 0.7, 0.6), (0.03, 1.1))
    leaves = [line((0, -0.6), (x, -rng.uniform(1, 1.4))) for x in np.linspace(-0.5, 0.5, count(rng, 3, 4))]
    bands = [line((0, y), (half * 0.6, y)) for y in rng.uniform(-0.3, 0.6, count(rng, 0, 2))]
    return [side, side * (-1, 1), line((-half * 0.7, -0.6), (half * 0.7, -0.6)), *leaves, *bands]


def fish(rng: Rng) -> Strokes:
    tail = line((-0.75, 0), (-1.2, -0.4), (-1.2, 0.4), (-0.75, 0))
    strokes = [arc(0, 0, 0.8, rng.uniform(0.3, 0.5)), tail, arc(0.45, -0.1, 0.06, 0.06)]
    return moved(strokes, wide=-1) if chance(rng, 0.5) else strokes


def four_legged(rng: Rng) -> Strokes:
    legs = [line((x, 0.28), (x + rng.normal(0, 0.06), 0.95)) for x in (-0.5, -0.3, 0.3, 0.5)]
    strokes = [arc(0, 0, 0.7, 0.35), arc(0.85, -0.4, 0.28, 0.25), *legs, line((-0.7, -0.1), (-1.0, -0.5))]
    return moved(strokes, wide=-1) if chance(rng, 0.5) else strokes


def snail(rng: Rng) -> Strokes:
    shell = moved(spiral(rng), 0, -0.2, wide=0.6, high=0.6)
    return [*shell, line((-0.9, 0.5), (0.7, 0.5), (0.95, 0), (0.9, -0.3))]


def insect(rng: Rng) -> Strokes:
    strokes = [arc(0, 0, 0.35, 0.55), arc(0, -0.75, 0.22, 0.22)]
    for y in np.linspace(-0.4, 0.4, count(rng, 3, 4)):
        strokes += [line((side * 0.3, y), (side * rng.uniform(0.7, 1), y + rng.normal(0, 0.2))) for side in (-1, 1)]
    return strokes


def cat(rng: Rng) -> Strokes:
    """Draw a cat's head with whiskers."""
    ear = line((0.75, -0.55), (0.8, -1.25), (0.3, -0.9))
    whiskers = [
        line((side * 0.25, 0.2), (side * 1.1, 0.2 + rise)) for side in (-1, 1) for rise in (-0.15, rng.uniform(0, 0.3))
    ]
    return [arc(0, 0, 0.95, 0.85), ear, ear * (-1, 1), dot(-0.35, -0.2), dot(0.35, -0.2), *whiskers]


BEINGS: dict[Kind, float] = {
    face: 7,
    person: 3,
    flower: 3,
    sun: 2,
    leafy_tree: 1.2,
    fir: 1.2,
    twig: 1.2,
    leaf: 0.8,
    carrot: 0.8,
    fish: 1.2,
    four_legged: 1.2,
    snail: 1.2,
    insect: 1.2,
    cat: 1,
}
"""Each kind, and how often it is drawn relative to the others."""
