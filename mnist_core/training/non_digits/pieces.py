"""Shapes made of digits that are no digit any more, and scribbles, as line maps (see `skeletons`)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from mnist_core.training.segments import CHUNK, chance, distance_to_segment, to_map, uniform
from mnist_core.training.skeletons import FINE


def make_pieces(maps: Tensor, labels: Tensor, count: int, generator: torch.Generator) -> Tensor:
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
    along = torch.linspace(0, 1, 9)[:, None]
    bernstein = torch.cat([(1 - along) ** 3, 3 * along * (1 - along) ** 2, 3 * along**2 * (1 - along), along**3], dim=1)
    distance = torch.full((count, FINE, FINE), 99.0)
    for share_with_it in (1.0, 0.6):
        curve = bernstein @ uniform(count * 8, -14, 14, generator).view(count, 4, 2)
        absent = 99 * ~chance(count, share_with_it, generator)[:, None, None]
        for begin, end in zip(curve.unbind(1), curve.unbind(1)[1:], strict=False):
            distance = torch.minimum(distance, distance_to_segment(*begin.unbind(1), *end.unbind(1)) + absent)
    return to_map(distance)
