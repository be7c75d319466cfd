"""Pictures of a network's weights and of what a drawing's ink contributes."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import zoom

from mnist_core.images.framing import FRAME, Window
from mnist_core.network.model import MLP

FOR, AGAINST = np.array([96, 165, 250]), np.array([251, 146, 60])
"""Blue and orange, on black: ink there excites the unit, or inhibits it."""
SPEAKS_FOR, SPEAKS_AGAINST = np.array([29, 78, 216]), np.array([234, 88, 12])
"""Blue and orange, on white paper: the ink speaks for the digit, or against it."""
PAPER, SAYS_NOTHING = 255, np.array([203, 206, 214])
HATCH = 8
"""Distance in pixels between hatching lines in ink that speaks against, so that it is recognizable without colours."""
ENLARGED = 10


def first_layer(model: MLP, most: int = 100) -> NDArray[np.uint8]:
    """Draw the weights of the first `most` units of the first layer: RGB, a 28×28 tile for each unit, with about twice
    as many columns as rows."""
    weights = next(model.parameters()).detach().float().cpu().numpy()[:most]
    columns = math.ceil(math.sqrt(2 * len(weights)))
    rows = math.ceil(len(weights) / columns)
    tiles = np.zeros((rows * columns, FRAME + 2, FRAME + 2, 3), np.uint8)  # a black line around each
    tiles[: len(weights), 1:-1, 1:-1] = weight_pictures(weights.reshape(-1, FRAME, FRAME))
    side = FRAME + 2
    return tiles.reshape(rows, columns, side, side, 3).swapaxes(1, 2).reshape(rows * side, columns * side, 3)


def weight_pictures(weights: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw the weights (n, 28, 28) of units: RGB (n, 28, 28, 3).

    Blue where ink excites the unit, orange where it inhibits it, black where it does not matter. Each unit is scaled by
    its own largest weight.
    """
    strength = weights / np.abs(weights).max(axis=(1, 2), keepdims=True).clip(1e-12)
    colours = np.where(strength[..., None] > 0, FOR, AGAINST) * np.abs(strength)[..., None]
    pictures: NDArray[np.uint8] = colours.astype(np.uint8)
    return pictures


def spoken_ink(ink: NDArray[np.float32], window: Window, contributions: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Draw a drawing on white paper, RGB (H, W, 3), with its ink coloured by what it contributes.

    Args:
        ink: the amount of ink (H, W), 0 to 1.
        window: where in the drawing the frame lies.
        contributions: of each pixel of the frame (28, 28). Blue: above 0; orange and hatched: below 0; grey: none.
    """
    # contributions are interpolated between the frame's pixels; the ink's edges stay as sharp as they were drawn
    rows = _interpolation(ink.shape[0], window.top, window.scale)
    columns = _interpolation(ink.shape[1], window.left, window.scale)
    inked = np.nonzero(ink)
    spoken = (rows @ contributions @ columns.T)[inked]
    strength = (np.abs(spoken) / max(float(np.abs(contributions).max()), 1e-12)).clip(0, 1) ** 0.6
    strength[(spoken < 0) & ((inked[0] + inked[1]) % HATCH < HATCH // 4)] = 0
    spoken_in = np.where(spoken[:, None] > 0, SPEAKS_FOR, SPEAKS_AGAINST)
    colours = SAYS_NOTHING + (spoken_in - SAYS_NOTHING) * strength[:, None]
    coloured = np.full((*ink.shape, 3), PAPER, np.uint8)
    coloured[inked] = PAPER + (colours - PAPER) * ink[inked][:, None]
    return coloured


def _interpolation(count: int, start: float, scale: float) -> NDArray[np.float64]:
    """Return a matrix (count, 28) that interpolates linearly between a frame's pixels along one axis of a drawing."""
    places = ((np.arange(count) + 0.5 - start) * scale - 0.5).clip(0, FRAME - 1)
    shares: NDArray[np.float64] = np.maximum(1 - np.abs(places[:, None] - np.arange(FRAME)), 0)
    return shares


def enlarged(frame: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Window]:
    """Return a frame (28, 28) in the form that `spoken_ink` takes: ink (280, 280), and where in it the frame lies."""
    ink = zoom(frame / np.float32(255), ENLARGED, order=1, mode="nearest", grid_mode=True)
    return ink.astype(np.float32), Window(0, 0, 1 / ENLARGED)


def to_png(picture: NDArray[np.uint8]) -> bytes:
    """Encode a picture (H, W) or (H, W, 3) as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
