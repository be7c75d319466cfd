"""A hand that draws: strokes become uneven, and then a picture of lines."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnist_core.images.framing import BOX, FRAME
from mnist_core.training.non_digits.pen import TURN, Rng, Stroke, Strokes, chance, moved
from mnist_core.training.skeletons import THINNING

STEP = 0.06
"""Distance between the points of a stroke, where the whole drawing is 2 wide or high."""
MOST_WOBBLE, MOST_LOOSENESS = 0.09, 0.06
"""How far lines bend, and how far strokes miss each other, in the same unit."""
WAVES = 3
CUT = 14
"""A stroke ends early, or begins late, by up to this part of it."""


def by_hand(strokes: Strokes, rng: Rng) -> Strokes:
    """Return strokes as uneven as a hand draws them: bent, not quite meeting, with round corners."""
    left, top, size = _place(strokes)
    even = [_resampled((stroke - (left, top)) / size * 2) for stroke in strokes]
    wobble, looseness = rng.uniform(0, MOST_WOBBLE), rng.uniform(0, MOST_LOOSENESS)
    frequency, phase = rng.uniform(0.8, 2.5, (2, WAVES, 2)), rng.uniform(0, TURN, (2, WAVES))
    points = np.concatenate(even)
    bend = np.sin(np.einsum("nd,kwd->nkw", points, frequency) + phase).sum(2)
    drawn = np.split(points + wobble * bend, np.cumsum([len(stroke) for stroke in even])[:-1])
    uneven = [_loosened(stroke, looseness, rng) for stroke in drawn]
    stretch = np.exp(rng.normal(0, 0.12))
    return moved(uneven, wide=stretch, high=1 / stretch, angle=rng.normal(0, 0.1))


def draw_lines(strokes: Strokes) -> NDArray[np.bool_]:
    """Return strokes as lines one pixel wide (84, 84), scaled to the frame's box and centred."""
    left, top, size = _place(strokes)
    pixel = THINNING / FRAME
    image = Image.new("1", (THINNING, THINNING))
    pencil = ImageDraw.Draw(image)
    for stroke in strokes:
        placed = (stroke - (left, top)) * (BOX * pixel / size) + THINNING / 2 - 0.5
        pencil.line(placed.ravel().tolist(), fill=1)
    return np.asarray(image)


def _place(strokes: Strokes) -> tuple[float, float, float]:
    """Return x and y of the middle of a drawing, and its longer side."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    left, top = (low + high) / 2
    return float(left), float(top), max(float((high - low).max()), 1e-6)


def _resampled(stroke: Stroke) -> Stroke:
    """Return points on the same path at equal distances."""
    along = np.concatenate([[0.0], np.hypot(*np.diff(stroke, axis=0).T).cumsum()])
    at = np.linspace(0, along[-1], max(3, int(along[-1] / STEP)))
    return np.stack([np.interp(at, along, stroke[:, axis]) for axis in (0, 1)], axis=1)


def _loosened(stroke: Stroke, looseness: float, rng: Rng) -> Stroke:
    """Return the stroke moved a little, sometimes with an end cut off and with round corners."""
    stroke = stroke + rng.normal(0, looseness, 2)
    if looseness > MOST_LOOSENESS / 3 and len(stroke) >= CUT:
        missing = int(rng.integers(0, len(stroke) // CUT + 1))
        stroke = stroke[missing:] if chance(rng, 0.5) else stroke[: len(stroke) - missing]
    if len(stroke) > 4 and chance(rng, 0.5):
        stroke = np.concatenate([stroke[:1], (stroke[:-2] + 2 * stroke[1:-1] + stroke[2:]) / 4, stroke[-1:]])
    return stroke
