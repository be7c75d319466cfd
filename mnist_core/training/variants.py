"""Other people's ways to write digits, which are rare in MNIST: slashed zeros, ones with a foot, nines with a gap.

All shapes are line maps (see `skeletons`) of shape (56, 56), made from those of digits. Positions are in pixels of the
frame, from its centre, x to the right and y down.
"""

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from mnist_core.training.segments import CHUNK, GRID, ON_LINE, chance, distance_to_segment, to_map, uniform
from mnist_core.training.skeletons import FINE

DIGITS_WITH_VARIANTS = (0, 1, 7, 8, 9)
OPEN_ZEROS = 0.35
"""Share of the zeros that get a gap instead of a slash."""
GAPS = 1.0, 2.4
"""Smallest and largest radius of a gap, in pixels of the frame."""

ROUNDING = 0.25
"""A line may be closer than the nearest of its points in the map, by up to this many pixels of the frame."""


def write_differently(maps: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Write digits differently in maps (n, 56, 56) uint8; digits without variants stay as they are.

    Ones get a foot, a tail or a flag, sevens a bar, zeros a slash or a gap, eights and nines a gap.
    """
    written = maps.clone()
    opened = (labels == 8) | (labels == 9) | ((labels == 0) & chance(len(labels), OPEN_ZEROS, generator))
    for digit, way in {0: _slashes, 1: _feet_and_flags, 7: _bars}.items():
        for chosen in torch.split(torch.nonzero((labels == digit) & ~opened)[:, 0], CHUNK):
            written[chosen] = torch.maximum(maps[chosen], to_map(way(maps[chosen] >= ON_LINE, generator)))
    for chosen in torch.split(torch.nonzero(opened)[:, 0], CHUNK) if opened.any() else ():
        written[chosen] = _with_gaps(maps[chosen], generator)
    return written


def _slashes(lines: Tensor, generator: torch.Generator) -> Tensor:
    """Return distances to a slash through each shape: from corner to corner, or (in 25% each) upright or level."""
    count = len(lines)
    top, bottom, left, right = _box(lines)
    steep = torch.atan2(bottom - top, right - left) + uniform(count, -0.5, 0.5, generator)
    way = torch.rand(count, generator=generator)
    angle = torch.where(way < 0.25, uniform(count, -0.2, 0.5, generator), steep)
    angle = torch.where(way > 0.75, uniform(count, 1.3, 1.7, generator), angle)
    half = torch.hypot(right - left, bottom - top) / 2
    up, down = half * uniform(count, 0.4, 1.15, generator), half * uniform(count, 0.4, 1.15, generator)
    lean = torch.where(chance(count, 0.08, generator), -1.0, 1.0)  # a few lean the other way
    x = (left + right) / 2 + uniform(count, -1, 1, generator)
    y = (top + bottom) / 2 + uniform(count, -1.5, 1.5, generator)
    begin = x + lean * up * angle.cos(), y - up * angle.sin()
    end = x - lean * down * angle.cos(), y + down * angle.sin()
    return distance_to_segment(*begin, *end)


def _feet_and_flags(lines: Tensor, generator: torch.Generator) -> Tensor:
    """Return distances to a foot below each shape (missing in 25%) and a flag at its top (missing in 30%).

    A foot in three is a tail: it goes to the right only, and up. A flag may be a level serif.
    """
    count = len(lines)
    top, bottom, _, _ = _box(lines)
    x_top, x_bottom = _x_on_row(lines, top), _x_on_row(lines, bottom)
    before, after, tilt = (uniform(count, low, high, generator) for low, high in ((1, 6), (1, 6), (-1, 1)))
    tail = chance(count, 1 / 3, generator)
    before, tilt = torch.where(tail, 0, before), torch.where(tail, after * uniform(count, 0.1, 0.9, generator), tilt)
    foot = distance_to_segment(x_bottom - before, bottom + torch.where(tail, 0, tilt), x_bottom + after, bottom - tilt)
    angle = uniform(count, 0, 1.1, generator)
    length = uniform(count, 2, 9, generator) * torch.where(angle < 0.3, 0.5, 1.0)
    flag = distance_to_segment(x_top, top, x_top - length * angle.cos(), top + length * angle.sin())
    kind = torch.rand(count, generator=generator)
    return torch.minimum(foot + 99 * (kind >= 0.75)[:, None, None], flag + 99 * (kind <= 0.3)[:, None, None])


def _bars(lines: Tensor, generator: torch.Generator) -> Tensor:
    """Return distances to a bar across the middle of each shape."""
    count = len(lines)
    top, bottom, _, _ = _box(lines)
    y = top + (bottom - top) * uniform(count, 0.35, 0.65, generator)
    x = _x_on_row(lines, y, last=True)
    before, after, tilt = (uniform(count, low, high, generator) for low, high in ((1.5, 6), (1.5, 6), (-2.5, 1)))
    return distance_to_segment(x - before, y - tilt, x + after, y + tilt)


def _with_gaps(maps: Tensor, generator: torch.Generator) -> Tensor:
    """Return shapes whose lines are cut near the top, somewhere between the middle and the right."""
    lines = maps >= ON_LINE
    count = len(lines)
    top, bottom, left, right = _box(lines)
    x = left + (right - left) * uniform(count, 0.45, 1, generator)
    y = top + (bottom - top) * uniform(count, 0, 0.2, generator)
    away = torch.where(lines, torch.hypot(GRID - x[:, None, None], GRID[:, None] - y[:, None, None]), torch.inf)
    nearest = away.flatten(1).argmin(1)  # where the line is cut
    x, y = GRID[nearest % FINE], GRID[nearest // FINE]
    kept = (
        torch.hypot(GRID - x[:, None, None], GRID[:, None] - y[:, None, None])
        > uniform(count, *GAPS, generator)[:, None, None]
    )
    distances = [distance_transform_edt(~shape) / 2 - ROUNDING for shape in (lines & kept).numpy()]
    return torch.minimum(maps, to_map(torch.from_numpy(np.stack(distances))))


def _box(lines: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return top, bottom, left and right (n,) of shapes (n, 56, 56)."""
    edges = []
    for axis in (2, 1):
        taken = lines.any(axis).byte()
        edges += [GRID[taken.argmax(1)], GRID[FINE - 1 - taken.flip(1).argmax(1)]]
    return edges[0], edges[1], edges[2], edges[3]


def _x_on_row(lines: Tensor, y: Tensor, *, last: bool = False) -> Tensor:
    """Return the x (n,) of shapes on the row at `y` (n,): the middle of the ink there, or its last point."""
    row = lines[torch.arange(len(lines)), ((y + FINE / 4) * 2).long().clamp(0, FINE - 1)].float()
    if last:
        return GRID[FINE - 1 - row.flip(1).argmax(1)]
    return (row * GRID).sum(1) / row.sum(1).clamp(min=1)
