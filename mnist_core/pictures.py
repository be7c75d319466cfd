"""Pictures of what is inside a network."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_core.model import MLP
from mnist_core.preprocessing import FRAME

FOR, AGAINST = np.array([96, 165, 250]), np.array([251, 146, 60])
"""Blue and orange: ink there speaks for the unit, or against it."""


def first_layer(model: MLP, most: int = 100) -> NDArray[np.uint8]:
    """What the first hidden units look for: RGB, a tile of 28×28 for each of the first `most`, in about twice as many
    columns as rows.

    Blue where ink excites the unit, orange where it inhibits it, black where it does not matter; each tile is scaled by
    its own largest weight.
    """
    weights = next(model.parameters()).detach().float().cpu().numpy()[:most]
    columns = math.ceil(math.sqrt(2 * len(weights)))
    rows = math.ceil(len(weights) / columns)
    strength = weights / np.abs(weights).max(axis=1, keepdims=True).clip(1e-12)
    colours = np.where(strength[..., None] > 0, FOR, AGAINST) * np.abs(strength)[..., None]
    tiles = np.zeros((rows * columns, FRAME + 2, FRAME + 2, 3), np.uint8)  # a black line around each
    tiles[: len(weights), 1:-1, 1:-1] = colours.reshape(-1, FRAME, FRAME, 3)
    side = FRAME + 2
    return tiles.reshape(rows, columns, side, side, 3).swapaxes(1, 2).reshape(rows * side, columns * side, 3)


def to_png(picture: NDArray[np.uint8]) -> bytes:
    """A picture (H, W) or (H, W, 3) as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
