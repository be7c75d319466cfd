"""The lines of digits: strokes thinned to one pixel, and maps from which digits can be redrawn.

A *line map* holds, on a grid twice as fine as the frame, how close each point is to the nearest line: 255 on the line,
`UNITS` less per pixel of the frame away from it, and 0 from about four pixels on. Thresholded, it is the digit drawn
with an even pen of any width; it can be enlarged, rotated or bent first.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from torch.nn.functional import interpolate

FINE = 56
"""Rows and columns of a map, for a frame of 28."""
UNITS = 64
"""A map's value falls by this much for each pixel of the frame."""
REACH = 255 / UNITS
"""Distance from a line, in pixels of the frame, at which its map falls to 0."""

THINNING = 84
"""Rows and columns in which strokes are thinned: three times the frame, so that lines lie in the middle of strokes."""
_STROKE = 0.45  # share of full ink from which a pixel belongs to a stroke
_CHUNK = 500  # images; bounds memory


def line_maps(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return line maps (n, 56, 56) of the skeletons of digits (n, 28, 28), light ink on black."""
    maps = np.empty((len(images), FINE, FINE), np.uint8)
    for start in range(0, len(images), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        enlarged = _resize(images[chunk].astype(np.float32) / np.float32(255), THINNING, "bicubic")
        maps[chunk] = maps_of_lines(skeletonize(enlarged > _STROKE))
    return maps


def maps_of_lines(lines: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return line maps (n, 56, 56) of lines one pixel wide (n, 84, 84)."""
    away = [distance_transform_edt(~drawing) for drawing in lines]
    distances = np.stack(away).astype(np.float32) * np.float32(28 / THINNING)
    return np.clip(255 - UNITS * _resize(distances, FINE, "bilinear"), 0, 255).round().astype(np.uint8)


def enlarged_twice(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Enlarge digits (n, 28, 28) smoothly to (n, 56, 56)."""
    chunks = (images[start : start + _CHUNK] for start in range(0, len(images), _CHUNK))
    return np.concatenate(
        [
            np.clip(_resize(chunk.astype(np.float32), FINE, "bicubic"), 0, 255).round().astype(np.uint8)
            for chunk in chunks
        ]
    )


def skeletonize(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Thin shapes (n, height, width), all at once, to lines one pixel wide (Zhang & Suen 1984)."""
    pixels = np.pad(masks, ((0, 0), (1, 1), (1, 1))).astype(np.uint8)
    thinning = np.arange(len(pixels))
    while len(thinning):
        part = pixels[thinning]
        inner = part[:, 1:-1, 1:-1]
        changed = np.zeros(len(part), bool)
        for removable in _REMOVABLE:
            removed = removable[_neighbour_codes(part)] & inner
            inner ^= removed
            changed |= removed.any(axis=(1, 2))
        pixels[thinning] = part
        thinning = thinning[changed]
    return pixels[:, 1:-1, 1:-1].astype(bool)


_NEIGHBOURS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))  # clockwise from the top


def _neighbour_codes(padded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return, for each inner pixel, a byte with one bit for each of its eight neighbours."""
    height, width = padded.shape[1] - 1, padded.shape[2] - 1
    codes = np.zeros((len(padded), height - 1, width - 1), np.uint8)
    for bit, (down, right) in enumerate(_NEIGHBOURS):
        codes |= padded[:, 1 + down : height + down, 1 + right : width + right] << np.uint8(bit)
    return codes


def _removable_codes() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return, for both halves of a pass, whether a pixel with such neighbours can go without breaking the shape."""
    tables = np.zeros((2, 256), np.uint8)
    for code in range(256):
        around = [code >> bit & 1 for bit in range(8)]
        ends = sum(not one and other for one, other in zip(around, [*around[1:], around[0]], strict=True))
        if not 2 <= sum(around) <= 6 or ends != 1:
            continue
        top, right, bottom, left = around[::2]
        tables[0, code] = not (top and right and bottom) and not (right and bottom and left)
        tables[1, code] = not (top and right and left) and not (top and bottom and left)
    return tables[0], tables[1]


_REMOVABLE = _removable_codes()


def _resize(images: NDArray[np.float32], side: int, mode: str) -> NDArray[np.float32]:
    resized: NDArray[np.float32] = interpolate(
        torch.from_numpy(images)[:, None], size=(side, side), mode=mode, align_corners=False
    )[:, 0].numpy()
    return resized
