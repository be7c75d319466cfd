"""Line maps (see `skeletons`) of straight lines, many at once.

Positions are in pixels of the frame, from its centre, x to the right and y down.
"""

import torch
from torch import Tensor

from mnist_core.training.skeletons import FINE, REACH, UNITS

GRID = (torch.arange(FINE) + 0.5) / 2 - FINE / 4
"""Positions of a map's rows and columns."""
ON_LINE = (REACH - 0.4) * UNITS
"""Value of a map from which a point counts as on the line."""
CHUNK = 1000  # shapes; bounds memory


def distance_to_segment(x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor) -> Tensor:
    """Return the distances (n, 56, 56) of the map's points to one segment per image, given by its ends (n,)."""
    x0, y0, along_x, along_y = (value[:, None, None] for value in (x0, y0, x1 - x0, y1 - y0))
    x, y = GRID[None, None, :] - x0, GRID[None, :, None] - y0
    nearest = ((x * along_x + y * along_y) / (along_x**2 + along_y**2).clamp(min=1e-6)).clamp(0, 1)
    return torch.hypot(x - nearest * along_x, y - nearest * along_y)


def to_map(distances: Tensor) -> Tensor:
    """Return the line maps (n, 56, 56) uint8 of distances to lines, in pixels of the frame."""
    return ((REACH - distances) * UNITS).clamp(0, 255).round().byte()


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Return random numbers (n,) between two bounds."""
    return torch.rand(count, generator=generator) * (high - low) + low


def chance(count: int, share: float, generator: torch.Generator) -> Tensor:
    """Return booleans (n,) that are true as often as `share` says."""
    return torch.rand(count, generator=generator) < share
