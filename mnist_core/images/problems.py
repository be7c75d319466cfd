"""Find what may be wrong with a drawing, in sentences for whoever drew it."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, label

from mnist_core.images.ink import Ink

FAINT_CONTRAST = 0.2
"""Ink with less contrast, as a share of the range from black to white, is hard to tell from its background."""
INKED = 0.5
"""A pixel with at least this amount of ink counts as inked."""
TALL, APART, HEAVY = 0.5, 0.2, 0.1
"""Two shapes are two digits when each is at least `TALL` of the drawing's height, they overlap sideways by at most
`APART` of the narrower one, and each holds at least `HEAVY` of the ink. Of real digits 1 in 2,000 looks like two, and
of pairs side by side 199 in 200 do."""

ROUND, FILLED = 0.32, 0.35
"""A dot is as deep as `ROUND` of its longer side, and fills at least `FILLED` of the square around it."""

TOUCHES_EDGE = "The ink touches the edge, so part of the digit may be missing. Draw it further in."
TOO_FAINT = "The ink is faint, so parts of it may be lost. Draw it darker, or choose a picture with more contrast."
A_DOT = "This is hardly more than a dot. Draw it larger, or with a thinner pen."
TWO_DIGITS = "These look like two separate digits. Draw one at a time."


class _Shape(NamedTuple):
    """The bounds and area of a connected piece of ink, in pixels."""

    top: int
    bottom: int
    left: int
    right: int
    area: int


def find_problems(ink: Ink) -> tuple[str, ...]:
    """Return sentences that say what may spoil the answer and what to do about it; none where nothing is found."""
    inked = ink.amount >= INKED
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    shape = inked[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    found = {
        TOUCHES_EDGE: inked[[0, -1]].any() or inked[:, [0, -1]].any(),
        TOO_FAINT: ink.contrast < FAINT_CONTRAST,
        A_DOT: is_dot(shape),
        TWO_DIGITS: _holds_two_digits(shape),
    }
    return tuple(problem for problem, here in found.items() if here)


def is_dot(inked: NDArray[np.bool_]) -> bool:
    """Return whether ink (H, W) is a mere blob without a stroke; framing would enlarge it to the size of a digit."""
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if not len(rows):
        return False
    shape = np.pad(inked[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    longer = max(shape.shape) - 2
    return bool(shape.sum() >= FILLED * longer**2 and distance_transform_edt(shape).max() >= ROUND * longer)


def _holds_two_digits(inked: NDArray[np.bool_]) -> bool:
    shapes = _shapes(inked)
    height = max(shape.bottom for shape in shapes) - min(shape.top for shape in shapes)
    ink = sum(shape.area for shape in shapes)
    large = [shape for shape in shapes if shape.bottom - shape.top >= TALL * height and shape.area >= HEAVY * ink]
    return any(_overlap(one, other) <= APART for one, other in combinations(large, 2))


def _shapes(inked: NDArray[np.bool_]) -> list[_Shape]:
    numbered, _ = label(inked, structure=np.ones((3, 3)))
    return [
        _Shape(rows.start, rows.stop, columns.start, columns.stop, int((numbered[rows, columns] == number).sum()))
        for number, (rows, columns) in enumerate(find_objects(numbered), 1)
    ]


def _overlap(one: _Shape, other: _Shape) -> float:
    """Return how much two shapes overlap sideways, as a share of the narrower one; negative where there is a gap."""
    common = min(one.right, other.right) - max(one.left, other.left)
    return common / min(one.right - one.left, other.right - other.left)
