"""What visitors draw instead of digits, each in ten ways, is declined by `best`, or at least not called a sure digit.

The strokes are written down here, not taken from the program that draws non-digits for training.
"""

from collections import Counter
from itertools import pairwise

import numpy as np

from mnist_core import DigitClassifier
from mnist_core.evaluation.pen_strokes import frame_canvas
from mnist_core.files import SHIPPED
from mnist_core.images.strokes import SETTINGS, Stroke, render

WAYS = 10


def line(*corners: tuple[float, float]) -> Stroke:
    """Points close together, as a mouse sends them."""
    parts = [np.linspace(begin, end, 20, endpoint=False) for begin, end in pairwise(np.array(corners, float))]
    return np.concatenate([*parts, [corners[-1]]])


def arc(x: float, y: float, wide: float, high: float, begin: float = 0.0, end: float = 2.0) -> Stroke:
    """Part of an ellipse, from `begin` to `end` in half turns, clockwise from the right."""
    turn = np.linspace(begin * np.pi, end * np.pi, 60)
    return np.stack([x + wide * np.cos(turn), y + high * np.sin(turn)], axis=1)


def star() -> Stroke:
    turn = np.pi * (0.8 * np.arange(6) - 0.5)  # to every second of five points
    return line(*zip(50 + 50 * np.cos(turn), 50 + 50 * np.sin(turn), strict=True))


def heart() -> Stroke:
    turn = np.linspace(0, 2 * np.pi, 80)
    across = 16 * np.sin(turn) ** 3
    up = 13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)
    return np.stack([50 + 3 * across, 50 - 3 * up], axis=1)


def spiral() -> Stroke:
    turn = np.linspace(0.5, 6 * np.pi, 150)
    return np.stack([50 + 2.6 * turn * np.cos(turn), 50 + 2.6 * turn * np.sin(turn)], axis=1)


SHAPES = {
    "square": [line((0, 0), (100, 0), (100, 100), (0, 100), (0, 0))],
    "triangle": [line((50, 0), (100, 90), (0, 90), (50, 0))],
    "star": [star()],
    "heart": [heart()],
    "smiley": [arc(50, 50, 50, 50), line((33, 35), (33, 38)), line((67, 35), (67, 38)), arc(50, 52, 26, 24, 0.1, 0.9)],
    "house": [line((0, 100), (0, 45), (50, 0), (100, 45), (100, 100), (0, 100)), line((40, 100), (40, 65), (60, 65))],
    "arrow": [line((0, 50), (100, 50)), line((70, 25), (100, 50), (70, 75))],
    "spiral": [spiral()],
    "question mark": [
        np.concatenate([arc(50, 25, 27, 25, 1.0, 2.4), line((58, 48), (50, 60), (50, 75))]),
        line((50, 97), (50, 100)),
    ],
    "A": [line((0, 100), (45, 0), (90, 100)), line((20, 62), (70, 62))],
    "B": [
        line((0, 0), (0, 100)),
        np.concatenate([line((0, 0), (35, 0)), arc(35, 24, 28, 24, -0.5, 0.5), line((35, 48), (0, 48))]),
        np.concatenate([line((0, 48), (40, 48)), arc(40, 74, 32, 26, -0.5, 0.5), line((40, 100), (0, 100))]),
    ],
    "C": [arc(50, 50, 45, 50, -0.25, -1.75)],
    "D": [
        line((0, 0), (0, 100)),
        np.concatenate([line((0, 0), (25, 0)), arc(25, 50, 50, 50, -0.5, 0.5), line((25, 100), (0, 100))]),
    ],
    "E": [line((60, 0), (0, 0), (0, 100), (60, 100)), line((0, 48), (48, 48))],
    "F": [line((60, 0), (0, 0), (0, 100)), line((0, 48), (48, 48))],
}


def by_hand(strokes: list[Stroke], random: np.random.Generator) -> list[Stroke]:
    """Draw strokes as another hand would: wider or narrower, slanted, turned and unsteady."""
    turn, slant, wide = random.uniform(-0.2, 0.2), random.uniform(-0.2, 0.2), random.uniform(0.8, 1.25)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    bends = random.normal(0, 1.2, (3, 2, 2))  # three waves across the drawing, slow ones the largest
    drawn = []
    for stroke in strokes:
        phase = stroke / 100 * 2 * np.pi
        bent = sum(
            a * np.sin((k + 1) * phase[:, ::-1]) + b * np.cos((k + 1) * phase[:, ::-1])
            for k, (a, b) in enumerate(bends)
        )
        shaky = np.cumsum(random.normal(0, 0.25, stroke.shape), axis=0)
        drawn.append((stroke + bent + shaky - shaky.mean(axis=0)) @ np.array([[wide, 0], [slant, 1]]) @ turned)
    return drawn


def test_at_most_one_in_twenty_is_called_a_sure_digit() -> None:
    random = np.random.default_rng(15)
    best = DigitClassifier.load(SHIPPED / "best")
    called: Counter[str] = Counter()
    for name, strokes in SHAPES.items():
        for way in range(WAYS):
            canvas = render(by_hand(strokes, random), SETTINGS[way % len(SETTINGS)])
            prediction = best.predict_frame(frame_canvas(canvas))
            called[name] += prediction.sure
    assert called.total() <= 0.05 * WAYS * len(SHAPES), f"called a sure digit: {+called}"
