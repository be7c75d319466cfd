"""Draw what is inside a network: weights, and what ink contributes."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_core.images.framing import FRAME, Window
from mnist_core.network.model import MLP

FOR, AGAINST = np.array([96, 165, 250]), np.array([251, 146, 60])
"""Blue and orange on black: ink there excites the unit, or inhibits it."""
SPEAKS_FOR, SPEAKS_AGAINST, SAYS_NOTHING = (29, 78, 216), (234, 88, 12), (203, 206, 214)
"""Blue, orange and grey for ink on white paper."""
SHADES = 127
"""Shades from grey to blue, and from grey to orange, in a picture of contributions."""
CONTRIBUTIONS_SIDE = 112
"""Pixels of a side of a picture of contributions; browsers enlarge it smoothly."""
HATCH, HATCH_WIDTH = 6, 1
"""Pixels from one grey line to the next where ink speaks against, and of a line, so that no colours are needed."""


def first_layer(model: MLP, most: int = 100) -> NDArray[np.uint8]:
    """Draw what the first hidden units look for: RGB, a tile of 28×28 for each of the first `most` units.

    There are about twice as many columns as rows.
    """
    weights = next(model.parameters()).detach().float().cpu().numpy()[:most]
    columns = math.ceil(math.sqrt(2 * len(weights)))
    rows = math.ceil(len(weights) / columns)
    tiles = np.zeros((rows * columns, FRAME + 2, FRAME + 2, 3), np.uint8)  # a black line around each
    tiles[: len(weights), 1:-1, 1:-1] = weight_pictures(weights.reshape(-1, FRAME, FRAME))
    side = FRAME + 2
    return tiles.reshape(rows, columns, side, side, 3).swapaxes(1, 2).reshape(rows * side, columns * side, 3)


def weight_pictures(weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw what units look for: RGB (n, 28, 28, 3) of weights (n, 28, 28).

    Blue where ink excites the unit, orange where it inhibits it, black where it does not matter. Each unit is scaled by
    its own largest weight.
    """
    strength = weights / np.abs(weights).max(axis=(1, 2), keepdims=True).clip(1e-12)
    colours = np.where(strength[..., None] > 0, FOR, AGAINST) * np.abs(strength)[..., None]
    pictures: NDArray[np.uint8] = colours.astype(np.uint8)
    return pictures


def contributions_png(contributions: NDArray[np.float64], view: Window) -> bytes:
    """Draw what each pixel of a frame contributes, as a square PNG to lie beneath the ink of the drawing.

    Args:
        contributions: of each pixel of the frame (28, 28). Blue: above 0; orange and hatched: below 0; grey: none.
        view: the grid of the picture's pixels laid over the frame.
    """
    side = CONTRIBUTIONS_SIDE
    rows = _interpolation(side, view.top, view.scale)
    columns = _interpolation(side, view.left, view.scale)
    spoken = (rows @ contributions @ columns.T) * (SHADES / max(float(np.abs(contributions).max()), 1e-12))
    against = spoken < 0
    shade = np.rint(np.abs(spoken)).clip(0, SHADES).astype(np.uint8)
    shade[against & _HATCHED] = 0
    shade[against] += SHADES + 1  # the second half of the palette
    picture = Image.fromarray(shade).convert("P")
    picture.putpalette(_PALETTE)
    return _as_png(picture, compress_level=1)  # twice as fast to write, and a tenth larger


def _palette() -> bytes:
    """Return RGB of the shades from grey to blue, then of those from grey to orange."""
    strength = np.linspace(0, 1, SHADES + 1)[:, None] ** 0.6
    nothing = np.array(SAYS_NOTHING)
    halves = [nothing + (np.array(colour) - nothing) * strength for colour in (SPEAKS_FOR, SPEAKS_AGAINST)]
    return np.concatenate(halves).astype(np.uint8).tobytes()


_PALETTE = _palette()
_HATCHED = np.add.outer(np.arange(CONTRIBUTIONS_SIDE), np.arange(CONTRIBUTIONS_SIDE)) % HATCH < HATCH_WIDTH


def _interpolation(count: int, start: float, scale: float) -> NDArray[np.float64]:
    """Return a matrix (count, 28) that interpolates linearly between a frame's pixels along one axis.

    Pixel 0 of the `count` begins at `start` in the frame; `scale` of them cover a pixel of the frame.
    """
    places = (start + (np.arange(count) + 0.5) / scale - 0.5).clip(0, FRAME - 1)
    shares: NDArray[np.float64] = np.maximum(1 - np.abs(places[:, None] - np.arange(FRAME)), 0)
    return shares


def to_png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture (H, W), (H, W, 3) or (H, W, 4) as a PNG file."""
    return _as_png(Image.fromarray(picture))


def _as_png(picture: Image.Image, compress_level: int = 6) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=compress_level)
    return file.getvalue()
