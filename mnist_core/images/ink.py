"""From any picture to the ink in it: whatever its mode, its size, its colours, and whichever is the darker."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mnist_core.errors import DrawingError, EmptyDrawingError

LEAST_CONTRAST = 0.03
"""Ink must differ from its background by this share of the range from black to white; noise does not."""
FAINTEST = 0.1
"""Fainter than this share of the strongest ink is taken for background."""
MOST_NOISE = 0.2
"""Paper's noise is less than this share of the range from black to white; what differs by more is ink."""
LARGEST_SIDE = 2048
"""Larger pictures are shrunk to this first."""
BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)
"""Weights of red, green and blue, 0…255, in perceived brightness, 0…1 (ITU-R BT.601)."""


@dataclass(frozen=True)
class Ink:
    """What is drawn in a picture."""

    amount: NDArray[np.float32]
    """(H, W): 0 is background, 1 the strongest ink there is."""
    contrast: float
    """How far that differs from its background, as a share of the range from black to white."""


def find_ink(image: Image.Image | NDArray[np.uint8]) -> Ink:
    """Tell ink from background.

    Args:
        image: a PIL image of any mode, or uint8 (H, W), (H, W, 3) or (H, W, 4); light ink on dark or dark on
            light, or on a transparent background; any size.

    Raises:
        EmptyDrawingError: there is no ink.
        DrawingError: not a picture of one of these forms.
    """
    luminance = _luminance(image)
    border = np.concatenate([luminance[0], luminance[-1], luminance[1:-1, 0], luminance[1:-1, -1]])
    background = float(np.median(border))
    lighter, darker = float(luminance.max()) - background, background - float(luminance.min())
    contrast = max(lighter, darker)
    # of paper, in a scan or a photo; not the grey edges of ink that runs along the border
    noise = min(4 * float(np.median(np.abs(border - background))), MOST_NOISE)
    if contrast < max(LEAST_CONTRAST, 2 * noise):
        raise EmptyDrawingError("There is no ink here. Draw a digit, or choose a picture with more contrast.")
    amount = (luminance - background) * ((1 if lighter >= darker else -1) / contrast)
    amount[amount < max(FAINTEST, noise / contrast)] = 0
    return Ink(amount, contrast)


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
