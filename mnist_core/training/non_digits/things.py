"""Things that people make: houses, vehicles, vessels and small objects."""

import numpy as np

from mnist_core.training.non_digits.pen import (
    Kind,
    Rng,
    Strokes,
    arc,
    box,
    chance,
    closed,
    count,
    curve,
    joined,
    line,
    moved,
    smooth,
)


def house(rng: Rng) -> Strokes:
    wide, roof, eaves = rng.uniform(0.6, 1), rng.uniform(-1.1, -0.8), rng.uniform(-0.35, 0.05)
    walls = box(-wide, eaves, wide, 1)
    over = rng.uniform(0, 0.25)
    strokes = [
        walls if chance(rng, 0.7) else line((-wide, eaves), (-wide, 1), (wide, 1), (wide, eaves)),
        line((-wide - over, eaves), (rng.normal(0, 0.1), roof), (wide + over, eaves)),
    ]
    if chance(rng, 0.7):
        x, width, height = rng.uniform(-0.4, 0.2) * wide, rng.uniform(0.2, 0.4) * wide, rng.uniform(0.3, 0.6)
        strokes.append(line((x, 1), (x, 1 - height), (x + width, 1 - height), (x + width, 1)))
    for _ in range(count(rng, 0, 2)):
        strokes += _window(rng, rng.uniform(-0.7, 0.4) * wide, rng.uniform(eaves + 0.1, 0.4))
    if chance(rng, 0.25):
        strokes.append(line((wide * 0.5, -0.6), (wide * 0.5, -0.95), (wide * 0.75, -0.95), (wide * 0.75, -0.4)))
    return strokes


def _window(rng: Rng, x: float, y: float) -> Strokes:
    size = rng.uniform(0.15, 0.3)
    bars = [line((x + size / 2, y), (x + size / 2, y + size)), line((x, y + size / 2), (x + size, y + size / 2))]
    return [box(x, y, x + size, y + size), *(bars if chance(rng, 0.4) else [])]


WINE_GLASS = line((0.45, -1), (0.4, -0.4), (0.05, 0), (0.05, 0.8), (0.4, 1))
HOURGLASS = line((0.5, -1), (0.04, 0), (0.5, 1))
VASE = line((0.45, -1), (0.25, -0.6), (0.5, 0.1), (0.45, 0.7), (0.25, 1))
BOTTLE = line((0.12, -1), (0.12, -0.55), (0.35, -0.25), (0.35, 1))
CUP = line((0.5, -0.8), (0.4, 0.8))
JUG = line((0.35, -1), (0.6, -0.3), (0.3, 0.4), (0.5, 1))
BRUSH = line((0.1, -1), (0.3, -0.7), (0.12, -0.4), (0.12, 1))
COCKTAIL = line((0.6, -0.6), (0.25, 0.1), (0.12, 0.3), (0.12, 0.8), (0.45, 0.9))
PROFILES = (WINE_GLASS, HOURGLASS, VASE, BOTTLE, CUP, JUG, BRUSH, COCKTAIL)
"""The right sides of things that are the same left and right."""
ANGULAR = (HOURGLASS, CUP)


def vessel(rng: Rng) -> Strokes:
    """Draw a thing that is the same left and right, such as a bottle, sometimes with a pattern or a handle."""
    profile = PROFILES[rng.integers(len(PROFILES))]
    uneven = profile + rng.normal(0, 0.04, profile.shape)
    right = uneven if any(profile is other for other in ANGULAR) else smooth(uneven)
    left = right * (-1, 1)
    strokes = joined([left[::-1], right]) if chance(rng, 0.4) else [left, right]
    (top_x, top), (bottom_x, bottom) = right[0], right[-1]
    if chance(rng, 0.6):
        strokes.append(line((-top_x, top), (top_x, top)) if chance(rng, 0.5) else arc(0, top, abs(top_x), 0.12))
    if chance(rng, 0.8):
        strokes.append(line((-bottom_x, bottom), (bottom_x, bottom)))
    widened = moved(strokes + _decoration(rng), wide=rng.uniform(0.85, 1.5))
    return moved(widened, angle=rng.normal(0, 0.15))


def _decoration(rng: Rng) -> Strokes:
    """Draw bands, crossed lines, leaves on top, a handle, or nothing."""
    form = rng.integers(5)
    if form == 0:
        return [line((-0.3, y), (0.3, y + rng.normal(0, 0.1))) for y in np.linspace(-0.5, 0.6, count(rng, 2, 5))]
    if form == 1:
        rising = [line((-0.3, y + 0.2), (0.3, y - 0.2)) for y in np.linspace(-0.4, 0.6, count(rng, 2, 4))]
        return rising + [stroke * (-1, 1) for stroke in rising]
    if form == 2:
        return [line((0, -0.9), (x, -1.4)) for x in rng.uniform(-0.5, 0.5, count(rng, 2, 4))]
    return [arc(0.45, 0, 0.35, 0.4, -0.25, 0.25)] if form == 3 else []


def _wheels(rng: Rng) -> tuple[Strokes, float, float]:
    """Draw two wheels on the ground; also return half the distance between them, and their radius."""
    radius, half = rng.uniform(0.2, 0.42), rng.uniform(0.5, 0.75)
    return [arc(-half, 0.6, radius, radius), arc(half, 0.6, radius, radius)], half, radius


def car(rng: Rng) -> Strokes:
    wheels, _, _ = _wheels(rng)
    body = line((-1.1, 0.5), (-1.1, 0), (-0.6, 0), (-0.35, -0.5), (0.4, -0.5), (0.65, 0), (1.1, 0), (1.1, 0.5))
    return [*wheels, closed(body)]


def bicycle(rng: Rng) -> Strokes:
    wheels, half, _ = _wheels(rng)
    frame = line((-half, 0.6), (-0.1, -0.2), (0.45, -0.2), (half, 0.6))
    return [*wheels, frame, line((-0.1, -0.2), (0.1, 0.6), (0.45, -0.2)), line((0.4, -0.4), (0.6, -0.45))]


def bus(rng: Rng) -> Strokes:
    wheels, _, _ = _wheels(rng)
    return [*wheels, box(-1, -0.5, 1, 0.4), box(-0.8, -0.3, -0.3, 0), box(0.2, -0.3, 0.7, 0)]


def spectacles(rng: Rng) -> Strokes:
    lenses, half, radius = _wheels(rng)
    arm = line((half + radius, 0), (half + radius + 0.3, -0.25))
    return [*moved(lenses, 0, -0.6), line((radius - half, 0), (half - radius, 0.03)), arm, arm * (-1, 1)]


def umbrella(rng: Rng) -> Strokes:
    hook = arc(-0.15, 0.9, 0.15, 0.15, 0, 0.5)
    return [arc(0, 0, 1, rng.uniform(0.7, 1), 0.5, 1), line((-1, 0), (1, 0)), line((0, 0), (0, 0.9)), hook]


def mushroom(rng: Rng) -> Strokes:
    stem = rng.uniform(0.2, 0.35)
    foot = line((-stem, -0.2), (-0.25, 0.9), (0.25, 0.9), (stem, -0.2))
    return [arc(0, -0.2, 0.9, rng.uniform(0.5, 0.8), 0.5, 1), line((-0.9, -0.2), (0.9, -0.2)), foot]


def envelope(rng: Rng) -> Strokes:
    return [box(-1, -0.65, 1, 0.65), line((-1, -0.65), (0, rng.uniform(0, 0.15)), (1, -0.65))]


def boat(rng: Rng) -> Strokes:
    hull, height = line((-1, 0.2), (1, 0.2), (0.7, 0.8), (-0.7, 0.8)), rng.uniform(0.7, 1)
    return [closed(hull), line((0, 0.2), (0, -height)), line((0, -height), (0.7, -0.1), (0, -0.1))]


def ladder(rng: Rng) -> Strokes:
    half = rng.uniform(0.35, 1)
    rungs = [line((-half, y), (half, y)) for y in np.linspace(-0.7, 0.7, count(rng, 3, 5))]
    return [line((-half, -1), (-half, 1)), line((half, -1), (half, 1)), *rungs]


def key(rng: Rng) -> Strokes:
    bit = rng.uniform(0.2, 0.35)
    return [arc(0, 0, 0.4, 0.4), line((0.4, 0), (1.5, 0), (1.5, bit)), line((1.2, 0), (1.2, bit * 0.8))]


def furniture(rng: Rng) -> Strokes:
    """Draw a table, or a chair."""
    legs = [line((-0.7, -0.2), (-0.7, 0.9)), line((0.7, -0.2), (0.7, 0.9))]
    back = [line((-0.7, -0.2), (-0.7, -1))] if chance(rng, 0.5) else []
    return [line((-0.8, -0.2), (0.8, -0.2)), *legs, *back]


def mug(rng: Rng) -> Strokes:
    steam = [curve((x, -0.4), (x + 0.1, -0.7), (x, -0.95)) for x in (-0.4, 0, 0.3)]
    return [box(-0.8, -0.3, 0.6, 0.8), arc(0.6, 0.2, 0.35, 0.3, -0.25, 0.25), *(steam if chance(rng, 0.5) else [])]


def light_bulb(rng: Rng) -> Strokes:
    base = line((-0.25, 0.3), (-0.2, 0.8), (0.2, 0.8), (0.25, 0.3))
    return [arc(0, -0.3, 0.6, rng.uniform(0.55, 0.7)), base, line((-0.2, 0.55), (0.2, 0.55))]


THINGS: dict[Kind, float] = {
    house: 4,
    vessel: 8,
    car: 0.8,
    bicycle: 0.8,
    bus: 0.8,
    spectacles: 0.8,
    umbrella: 0.9,
    mushroom: 0.9,
    envelope: 0.9,
    boat: 0.9,
    ladder: 0.9,
    key: 0.9,
    furniture: 0.9,
    mug: 0.9,
    light_bulb: 0.9,
}
"""Each kind, and how often it is drawn relative to the others."""
