"""Count what a drawing is made of, and name what no digit has: many loops, many pieces, much ink.

The limits were chosen on 6,000 of MNIST's training digits, six times enlarged: 15 of them had a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from mnist_core.images.ink import FULL_INK

SPECK, SLIT = 0.0005, 0.002
"""Smaller pieces of ink, and smaller areas of paper inside it, do not count: they come from noise, or where an unsteady
stroke crosses itself. As shares of the square around the drawing."""
MOST_LOOPS = 2
"""An 8 has two closed loops, and so has a crossed 0; a drawing with more is no digit."""
MOST_PIECES = 3
"""A 5 whose bar stands apart has two pieces, and three where the pen failed; a drawing with more is no digit."""
MOST_INK = 3.0
"""A drawing whose strokes are longer than this many of its diagonals is no digit. An 8 needs two, and none of the 6,000
more than 2.6."""

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Structure:
    """What a drawing is made of."""

    pieces: int
    """Separate pieces of ink."""
    loops: int
    """Closed loops: areas of paper that ink surrounds. A thick pen can fill them, and then they do not count."""
    length: float
    """Length of all strokes, in diagonals of the drawing."""


def find_structure(ink: NDArray[np.uint8]) -> Structure:
    """Count the pieces and loops of a drawing and measure its strokes.

    Args:
        ink: light ink on black (H, W), some of it; a longer side of about 100 pixels is enough.
    """
    # a thin pen is nowhere fully inked: half of what it reaches keeps its strokes whole
    inked = ink >= 0.5 * np.quantile(ink[ink > 0], FULL_INK)
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    inked = np.pad(inked[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    height, width = inked.shape[0] - 2, inked.shape[1] - 2
    square = max(height, width) ** 2
    pieces = _areas(inked, diagonal=True)
    papers = _areas(~inked, diagonal=False)  # the first lies around the drawing
    # a stroke has two edges; steps between pixels are longer than the edge by 4 / π on average (Cauchy and Crofton)
    edges = np.count_nonzero(np.diff(inked, axis=0)) + np.count_nonzero(np.diff(inked, axis=1))
    return Structure(
        pieces=max(1, int((pieces >= SPECK * square).sum())),
        loops=int((papers[1:] >= SLIT * square).sum()),
        length=float(edges * np.pi / 8 / np.hypot(height, width)),
    )


def reasons(structure: Structure) -> tuple[str, ...]:
    """Return what a drawing has that no digit has, such as `three closed loops`; nothing if a digit may have it all."""
    loops, pieces = structure.loops, structure.pieces
    both = loops == MOST_LOOPS and pieces == MOST_PIECES  # as a percent sign has, and no digit
    found = []
    if loops > MOST_LOOPS or both:
        found.append(f"{_number(loops)} closed loops")
    if pieces > MOST_PIECES or both:
        found.append(f"{_number(pieces)} separate pieces")
    if structure.length > MOST_INK and not found:  # loops and pieces say more
        found.append("much more ink than a digit")
    return tuple(found)


def declined(reasons: Sequence[str]) -> str:
    """Return a clause that declines a drawing, such as `this does not look like a digit: it has three closed loops`."""
    if not reasons:
        return "this does not look like a digit"
    *others, last = reasons
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"this does not look like a digit: it has {listed}"


def _areas(shape: NDArray[np.bool_], *, diagonal: bool) -> NDArray[np.int64]:
    """Return the area of each connected part of a shape, in pixels, from the top down."""
    numbered, _ = label(shape, structure=np.ones((3, 3)) if diagonal else None)
    return np.bincount(numbered.ravel())[1:]


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)
