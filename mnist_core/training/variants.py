"""Shapes that are rare in MNIST: slashed zeros, ones with a foot, crossed sevens, and shapes that are not digits.

All shapes are line maps (see `skeletons`) of shape (56, 56), made from those of digits. Positions are in pixels of the
frame, from its centre, x to the right and y down.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from mnist_core.training.skeletons import FINE, REACH, UNITS

GRID = (torch.arange(FINE) + 0.5) / 2 - FINE / 4
ON_LINE = (REACH - 0.4) * UNITS
CHUNK = 1000  # shapes; bounds memory


def write_differently(maps: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Add a slash to zeros, a foot, a flag or both to ones and a bar to sevens, in maps (n, 56, 56) uint8."""
    ways = {0: _slashes, 1: _feet_and_flags, 7: _bars}
    written = maps.clone()
    for digit, way in ways.items():
        for chosen in torch.split(torch.nonzero(labels == digit)[:, 0], CHUNK):
            written[chosen] = torch.maximum(maps[chosen], _to_map(way(maps[chosen] >= ON_LINE, generator)))
    return written


def non_digits(maps: Tensor, labels: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Make `count` shapes (56, 56) that are not digits, from digits (n, 56, 56).

    They are rotated or mirrored digits (where that gives no other digit), halves, pairs side by side, and scribbles.
    """

    def pick(digits: Sequence[int], share: float) -> Tensor:
        suited = torch.nonzero(torch.isin(labels, torch.tensor(digits)))[:, 0]
        if not len(suited):
            return maps[:0]
        return maps[suited[torch.randint(len(suited), (round(share * count),), generator=generator)]]

    half = FINE // 2
    shapes = [
        pick((2, 3, 4, 5, 6, 7, 9), 0.12).rot90(1, (1, 2)),
        pick((2, 3, 4, 5, 6, 7, 9), 0.12).rot90(3, (1, 2)),
        pick((3, 4, 7), 0.08).rot90(2, (1, 2)),
        pick((3, 4, 6, 7, 9), 0.12).flip(2),
        pick((4, 6, 7, 9), 0.1).flip(1),
        _without(pick((0, 2, 3, 4, 5), 0.07), slice(half, None), slice(None)),
        _without(pick((0, 3, 5), 0.07), slice(None, half), slice(None)),
        _without(pick((0, 2, 4, 5, 8), 0.07), slice(None), slice(half, None)),
        _without(pick((0, 2, 6), 0.05), slice(None), slice(None, half)),
        _side_by_side(pick(range(10), 0.1), pick(range(10), 0.1)),
    ]
    rest = count - sum(map(len, shapes))
    shapes += [_scribbles(min(CHUNK, rest - start), generator) for start in range(0, rest, CHUNK)]
    return torch.cat(shapes)[:count]


def _slashes(lines: Tensor, generator: torch.Generator) -> Tensor:
    """Return distances to a slash through each shape, mostly from corner to corner, sometimes nearly level."""
    count = len(lines)
    top, bottom, left, right = _box(lines)
    steep = torch.atan2(bottom - top, right - left) + _uniform(count, -0.5, 0.5, generator)
    angle = torch.where(_chance(count, 0.3, generator), _uniform(count, -0.2, 0.5, generator), steep)
    half = torch.hypot(right - left, bottom - top) / 2
    up, down = half * _uniform(count, 0.4, 1.15, generator), half * _uniform(count, 0.4, 1.15, generator)
    lean = torch.where(_chance(count, 0.08, generator), -1.0, 1.0)  # a few lean the other way
    x = (left + right) / 2 + _uniform(count, -1, 1, generator)
    y = (top + bottom) / 2 + _uniform(count, -1.5, 1.5, generator)
    begin = x + lean * up * angle.cos(), y - up * angle.sin()
    end = x - lean * down * angle.cos(), y + down * angle.sin()
    return _distance_to_segment(*begin, *end)


def _feet_and_flags(lines: Tensor, generator: torch.Generator) -> Tensor:
    """Return distances to a foot below each shape (missing in 25%) and a flag falling from its top (in 30%)."""
    count = len(lines)
    top, bottom, _, _ = _box(lines)
    x_top, x_bottom = _x_on_row(lines, top), _x_on_row(lines, bottom)
    before, after, tilt = (_uniform(count, low, high, generator) for low, high in ((1, 6), (1, 6), (-1, 1)))
    foot = _distance_to_segment(x_bottom - before, bottom + tilt, x_bottom + after, bottom - tilt)
    length, angle = _uniform(count, 2, 9, generator), _uniform(count, 0.3, 1.1, generator)
    flag = _distance_to_segment(x_top, top, x_top - length * angle.cos(), top + length * angle.sin())
    kind = torch.rand(count, generator=generator)
    return torch.minimum(foot + 99 * (kind >= 0.75)[:, None, None], flag + 99 * (kind <= 0.3)[:, None, None])


def _bars(lines: Tensor, generator: torch.Generator) -> Tensor:
    """Return distances to a level bar across the middle of each shape."""
    count = len(lines)
    top, bottom, _, _ = _box(lines)
    y = top + (bottom - top) * _uniform(count, 0.35, 0.65, generator)
    x = _x_on_row(lines, y, last=True)
    before, after, tilt = (_uniform(count, low, high, generator) for low, high in ((1.5, 6), (1.5, 6), (-1.5, 1)))
    return _distance_to_segment(x - before, y - tilt, x + after, y + tilt)


def _without(maps: Tensor, rows: slice, columns: slice) -> Tensor:
    maps = maps.clone()
    maps[:, rows, columns] = 0
    return maps


def _side_by_side(lefts: Tensor, rights: Tensor) -> Tensor:
    """Put two digits into one frame, each squeezed to half its width."""
    narrow = [
        interpolate(maps[:, None, :, 8:48].float(), size=(FINE, FINE // 2), mode="bilinear", align_corners=False)
        for maps in (lefts, rights)
    ]
    return torch.cat(narrow, dim=3)[:, 0].round().byte()


def _scribbles(count: int, generator: torch.Generator) -> Tensor:
    """Draw one or two smooth random curves (cubic Béziers) per shape."""
    share = torch.linspace(0, 1, 9)[:, None]
    bernstein = torch.cat([(1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3], dim=1)
    distance = torch.full((count, FINE, FINE), 99.0)
    for chance in (1.0, 0.6):
        curve = bernstein @ _uniform(count * 8, -14, 14, generator).view(count, 4, 2)
        absent = 99 * ~_chance(count, chance, generator)[:, None, None]
        for begin, end in zip(curve.unbind(1), curve.unbind(1)[1:], strict=False):
            distance = torch.minimum(distance, _distance_to_segment(*begin.unbind(1), *end.unbind(1)) + absent)
    return _to_map(distance)


def _distance_to_segment(x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor) -> Tensor:
    """Return the distances (n, 56, 56) of the map's points to one segment per image, given by its ends (n,)."""
    x0, y0, along_x, along_y = (value[:, None, None] for value in (x0, y0, x1 - x0, y1 - y0))
    x, y = GRID[None, None, :] - x0, GRID[None, :, None] - y0
    nearest = ((x * along_x + y * along_y) / (along_x**2 + along_y**2).clamp(min=1e-6)).clamp(0, 1)
    return torch.hypot(x - nearest * along_x, y - nearest * along_y)


def _to_map(distances: Tensor) -> Tensor:
    return ((REACH - distances) * UNITS).clamp(0, 255).round().byte()


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


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * (high - low) + low


def _chance(count: int, share: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) < share
