"""From any picture of a digit to the 28×28 frame that MNIST uses. Nothing else in the project knows how.

MNIST was made by scaling each digit, keeping its aspect, into a box of 20×20 pixels, and placing it in 28×28 so
that its centre of mass is the centre (LeCun, Bottou, Bengio & Haffner 1998, section III A). Networks trained on
MNIST read drawings made that way far better than drawings merely shrunk.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mnist_core.errors import DrawingError, EmptyDrawingError

FRAME = 28
BOX = 20

LEAST_CONTRAST = 0.03
"""Ink must differ from its background by this share of the range from black to white; noise does not."""
INK = 0.1
"""Fainter than this share of the strongest ink is taken for background."""
LARGEST_SIDE = 2048
"""Larger pictures are shrunk to this first."""
BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)
"""Weights of red, green and blue, 0…255, in perceived brightness, 0…1 (ITU-R BT.601)."""


def normalize_drawing(image: Image.Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a picture of one digit into MNIST's frame.

    Args:
        image: a PIL image of any mode, or uint8 (H, W), (H, W, 3) or (H, W, 4); light ink on dark or dark on
            light, or on a transparent background; any size; ink may be faint and may touch the edges.

    Returns:
        uint8 (28, 28), light ink on black.

    Raises:
        EmptyDrawingError: there is no ink.
        DrawingError: not a picture of one of these forms.
    """
    ink = _ink(_luminance(image))
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return _place(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _place(ink: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The frame of ink (H, W) that has been cut to its bounding box, by a single resampling."""
    side = max(ink.shape) * FRAME / BOX  # of the square, in pixels of the drawing, that becomes the frame
    top, left = _start(ink.sum(axis=1), side), _start(ink.sum(axis=0), side)
    above, ahead = math.ceil(-top), math.ceil(-left)
    below, behind = math.ceil(side + top - ink.shape[0]), math.ceil(side + left - ink.shape[1])
    padded = Image.fromarray(np.pad(ink, ((above, below), (ahead, behind))))
    box = (ahead + left, above + top, ahead + left + side, above + top + side)
    frame = np.asarray(padded.resize((FRAME, FRAME), Image.Resampling.BILINEAR, box=box), np.float32)
    # thin strokes fade in the shrinking; MNIST's reach full white
    stretched: NDArray[np.uint8] = (frame * (255 / frame.max())).round().astype(np.uint8)
    return stretched


def _start(mass: NDArray[np.float32], side: float) -> float:
    """Where along one axis the frame begins, so that the centre of mass is its middle.

    A digit that would stick out (a long, light tail) is moved in as far as keeps all its ink.
    """
    centre = float((mass * (np.arange(len(mass)) + 0.5)).sum() / mass.sum())
    return min(max(centre - side / 2, len(mass) - side), 0.0)


def _ink(luminance: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much ink each pixel holds: 0 is background, 1 the strongest ink there is."""
    border = np.concatenate([luminance[0], luminance[-1], luminance[1:-1, 0], luminance[1:-1, -1]])
    background = float(np.median(border))
    lighter, darker = float(luminance.max()) - background, background - float(luminance.min())
    contrast = max(lighter, darker)
    noise = 4 * float(np.median(np.abs(border - background)))  # paper, in a scan or a photo
    if contrast < max(LEAST_CONTRAST, 2 * noise):
        raise EmptyDrawingError("There is no ink here. Draw a digit, or choose a picture with more contrast.")
    ink = (luminance - background) * ((1 if lighter >= darker else -1) / contrast)
    ink[ink < max(INK, noise / contrast)] = 0
    return ink


def _luminance(image: Image.Image | NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W) from 0, black, to 1, white; transparency laid over the background that shows the ink best."""
    pixels = _pixels(image)
    if pixels.ndim == 2:
        return pixels.astype(np.float32) / np.float32(255)
    luminance: NDArray[np.float32] = pixels[..., :3].astype(np.float32) @ BRIGHTNESS
    if pixels.shape[2] == 3:
        return luminance
    alpha = pixels[..., 3].astype(np.float32) / np.float32(255)
    if alpha.min() == 1:
        return luminance
    blended: NDArray[np.float32] = luminance * alpha + _background_behind(luminance, alpha) * (1 - alpha)
    return blended


def _background_behind(luminance: NDArray[np.float32], alpha: NDArray[np.float32]) -> np.float32:
    """What to lay behind a transparent picture."""
    visible = luminance[alpha > 0.5] if (alpha > 0.5).any() else luminance[alpha > 0]
    if visible.size == 0:
        return np.float32(0)
    if float(visible.max() - visible.min()) > 0.3:  # ink on a piece of paper: continue the paper
        return np.float32(np.median(visible))
    return np.float32(0 if float(visible.mean()) > 0.5 else 1)  # ink alone: the opposite of its tone


def _pixels(image: Image.Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
    if isinstance(image, Image.Image):
        return _pixels_of_picture(image)
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise DrawingError(f"A drawing must be a PIL image or an array of uint8, not {kind}. Convert it first.")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.size == 0 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4))):
        raise DrawingError(
            f"A drawing must have the shape (H, W), (H, W, 3) or (H, W, 4), not {image.shape}. Reshape it first."
        )
    return image


def _pixels_of_picture(image: Image.Image) -> NDArray[np.uint8]:
    try:
        image = ImageOps.exif_transpose(image)  # photos say which way is up beside their pixels
        if max(image.size) > LARGEST_SIDE:
            image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        if image.mode.startswith(("I", "F")):  # 16 bits and more: spread over the 8 that follow
            values = np.asarray(image, np.float64)
            spread = float(np.ptp(values)) or 1.0
            eight_bit: NDArray[np.uint8] = ((values - values.min()) * (255 / spread)).astype(np.uint8)
            return eight_bit
        return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DrawingError(f"The picture cannot be read ({error}). Try another file.") from error
