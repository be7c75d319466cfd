"""Symbols as hands write them, from the question mark to the braces."""

import math

import numpy as np

from mnist_core.training.non_digits.pen import (
    TURN,
    Kind,
    Rng,
    Stroke,
    Strokes,
    arc,
    chance,
    count,
    curve,
    either,
    joined,
    line,
    polar,
)


def question_mark(rng: Rng) -> Strokes:
    u = rng.uniform
    hook = curve((-0.5, -0.6), (-0.3, -1), (0.3, -1), (0.5, -0.55), (0.1, -0.1), (0, 0.2), (0, u(0.25, 0.45)))
    return [hook * (u(0.7, 1.2), 1), _point(u(-0.05, 0.05), u(0.85, 1), rng)]


def at_sign(rng: Rng) -> Strokes:
    inner = arc(0, 0, 0.4, 0.4, rng.uniform(-0.2, 0), 0.95)
    outer = arc(0.05, 0.05, 1, 0.9, 0, -rng.uniform(0.75, 0.95))
    if chance(rng, 0.6):
        return joined([inner, curve((0.42, -0.3), (0.45, 0.35), (0.85, 0.4), (1, 0)), outer])
    return [inner, outer, line((0.42, -0.4), (0.5, 0.4))]


def asterisk(rng: Rng) -> Strokes:
    rays = count(rng, 3, 4)
    tips = polar(np.ones(rays), rng.uniform(0, TURN) + np.arange(rays) * math.pi / rays)
    return [np.stack([-tip, tip]) for tip in tips]


def hash_sign(rng: Rng) -> Strokes:
    slant, gap, lower = rng.uniform(0, 0.3), rng.uniform(0.25, 0.45), rng.uniform(0.7, 1.2)
    uprights = [line((slant + side * gap, -1), (side * gap - slant, 1)) for side in (-1, 1)]
    return [*uprights, line((-1, -gap), (1, -gap * lower)), line((-1, gap), (1, gap))]


def ampersand(rng: Rng) -> Strokes:
    """Write an ampersand, or an epsilon with a bar."""
    if chance(rng, 0.3):
        upper = ((0.6, -0.6), (0, -0.8), (-0.4, -0.45), (0.1, -0.1))
        return [curve(*upper, (-0.5, 0.2), (-0.4, 0.7), (0.2, 0.75), (0.6, 0.4)), line((0.1, -1), (0.1, 1))]
    up = ((0.8, 1), (-0.1, -0.1), (-0.35, -0.6), (0, -1), (0.3, -0.65))
    down = ((-0.1, -0.15), (-0.6, 0.4), (-0.3, 0.95), (0.25, 0.8), (0.75, 0.1))
    return [curve(*up, *down) * (rng.uniform(0.7, 1.2), 1)]


def percent_sign(rng: Rng) -> Strokes:
    """Write a slash between two rings, the upper one often joined to it, the lower one often small."""
    size, tall = rng.uniform(0.22, 0.42), rng.uniform(0.9, 1.3)
    small = size * (rng.uniform(0.3, 0.8) if chance(rng, 0.4) else 1)
    upper, lower = arc(-0.55, -0.5, size, size * tall), arc(0.55, 0.5, small, small * tall)
    slash = line((rng.uniform(0.3, 0.8), -0.95), (-rng.uniform(0.3, 0.8), 0.95))
    if chance(rng, 0.4):
        start = (float(slash[0, 0]), -0.95)
        return [np.concatenate([upper, curve((size - 0.55, -0.5), (0, -0.6), start)[1:], slash[1:]]), lower]
    return [upper, lower, slash]


def dollar_sign(rng: Rng) -> Strokes:
    upper = ((0.6, -0.6), (0.1, -0.9), (-0.5, -0.55), (-0.2, -0.1))
    snake = curve(*upper, (0.4, 0.25), (0.4, 0.7), (-0.1, 0.9), (-0.6, 0.6)) * (rng.uniform(0.7, 1.2), 1)
    if chance(rng, 0.7):
        return [snake, line((rng.uniform(-0.05, 0.1), -1.25), (rng.uniform(-0.1, 0.05), 1.25))]
    return [snake, line((-0.12, -1.2), (-0.12, 1.2)), line((0.12, -1.2), (0.12, 1.2))]


def exclamation_mark(rng: Rng) -> Strokes:
    return [line((rng.uniform(-0.05, 0.05), -1), (0, rng.uniform(0.1, 0.4))), _point(0, rng.uniform(0.9, 1), rng)]


def semicolon(rng: Rng) -> Strokes:
    """Write a semicolon, or a colon."""
    if chance(rng, 0.6):
        return [_point(0, -0.6, rng), curve((0.05, 0.4), (0.08, 0.6), (-0.15, rng.uniform(0.8, 1.1)))]
    return [arc(0, -0.6, 0.12, 0.12), arc(0, 0.6, 0.12, 0.12)]


def less_or_greater(rng: Rng) -> Strokes:
    """Write < or >; the upper arm falls clearly, unlike the bar of a seven."""
    upper, tip = rng.uniform(0.45, 1), rng.uniform(-0.1, 0.1)
    lower = upper * rng.uniform(0.7, 1.4)
    arms = line((0.6 * rng.uniform(0.7, 1.5), -upper), (-0.6, tip), (0.6 * rng.uniform(0.7, 1.2), lower))
    return [arms * (either(rng), 1)]


def brace(rng: Rng) -> Strokes:
    """Write { or }, with a deep or a shallow tip."""
    tip, waist, end = rng.uniform(-0.5, -0.2), rng.uniform(0.1, 0.3), rng.uniform(0.3, 0.6)
    upper = curve((end, -1), (waist, rng.uniform(-1, -0.85)), (0.12, -0.45), (waist, -0.15), (tip, 0))
    lower = curve((tip, 0), (waist, 0.15), (0.12, 0.45), (waist, rng.uniform(0.85, 1)), (end, 1))
    return [np.concatenate([upper, lower]) * (either(rng) * rng.uniform(0.7, 1.2), 1)]


def parenthesis(rng: Rng) -> Strokes:
    depth = rng.uniform(0.45, 0.7)
    return [curve((depth, -1), (0, -0.6), (0, 0.6), (depth, 1)) * (either(rng), 1)]


def equals_sign(rng: Rng) -> Strokes:
    left, right = 0.3 * rng.uniform(0.7, 1.2, 2)
    return [line((-1, -left), (1, -0.3)), line((-1, 0.3), (1, right))]


def plus_sign(rng: Rng) -> Strokes:
    half, tilt, lean = rng.uniform(0.7, 1.2), *rng.uniform(-0.1, 0.1, 2)
    return [line((-half, tilt), (half, 0)), line((lean, -1), (0, 1))]


def caret(rng: Rng) -> Strokes:
    return [line((-0.6, 0.5), (0, -0.4 * rng.uniform(0.7, 1.2)), (0.6, 0.5))]


def tilde(rng: Rng) -> Strokes:
    height = rng.uniform(0.7, 1.2)
    return [curve((-1, 0.2), (-0.5, -0.35 * height), (0.4, 0.3 * height), (1, -0.25))]


def _point(x: float, y: float, rng: Rng) -> Stroke:
    """Return the dot of a punctuation mark, sometimes as a small ring."""
    return arc(x, y, *rng.uniform(0.02, 0.12, 2))


SYMBOLS: dict[Kind, float] = {
    question_mark: 2,
    at_sign: 1,
    asterisk: 2,
    hash_sign: 1,
    ampersand: 2,
    percent_sign: 4,
    dollar_sign: 2,
    exclamation_mark: 1,
    semicolon: 1,
    less_or_greater: 5,
    brace: 4.5,
    parenthesis: 0.5,
    equals_sign: 1,
    plus_sign: 2,
    caret: 1,
    tilde: 1,
}
"""Each kind, and how often it is drawn relative to the others."""
