"""Find the ink in a picture, whatever its mode, size and colours, and whichever of ink and background is darker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mnist_core.errors import DrawingError, EmptyDrawingError

LEAST_CONTRAST = 0.03
"""Ink must differ from its background by at least this share of the range from black to white; noise does not."""
FAINTEST = 0.1
"""Ink fainter than this share of the strongest ink counts as background."""
FULL_INK = 0.9
"""This quantile of the ink counts as full ink, so that a few dark specks do not set the scale."""
MOST_NOISE = 0.2
"""Paper noise stays below this share of the range from black to white; anything that differs more is ink."""
LARGEST_SIDE = 2048
"""Pictures with a longer side than this many pixels are shrunk to it first."""
MOST_PIXELS = 50_000_000
"""Pictures with more pixels are refused before they are decoded, which bounds time and memory."""
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""Kinds of files that are read; not those that start other programs, such as EPS."""
BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)
"""Weights of red, green and blue, 0…255, in perceived brightness, 0…1 (ITU-R BT.601)."""


@dataclass(frozen=True)
class Ink:
    """The ink in a picture."""

    amount: NDArray[np.float32]
    """(H, W): 0 is background, 1 the strongest ink in the picture."""
    contrast: float
    """How far the strongest ink differs from the background, as a share of the range from black to white."""


def read_picture(file: Path | IO[bytes]) -> Image.Image:
    """Load a picture from a file, given by its path or opened for reading.

    Raises:
        DrawingError: the file cannot be read, is damaged, has none of the `FORMATS` or more than `MOST_PIXELS`.
    """
    with _picture_errors_in_words(), Image.open(file, formats=FORMATS) as picture:
        _check_size(*picture.size)
        picture.load()
        return picture


def find_ink(image: Image.Image | NDArray[np.uint8], *, paper: int | None = None) -> Ink:
    """Separate ink from background.

    Args:
        image: a PIL image of any mode, or uint8 (H, W), (H, W, 3) or (H, W, 4); light ink on dark or dark on
            light, or on a transparent background; any size up to `MOST_PIXELS`.
        paper: brightness of the background, 0…255, where it is known. Else the picture's border says it, which goes
            wrong when ink covers most of the border.

    Raises:
        EmptyDrawingError: there is no ink.
        DrawingError: `image` has none of these forms, is damaged or too large.
    """
    luminance = _luminance(_pixels(image))
    border = np.concatenate([luminance[0], luminance[-1], luminance[1:-1, 0], luminance[1:-1, -1]])
    background = float(np.median(border)) if paper is None else paper / 255
    lighter, darker = float(luminance.max()) - background, background - float(luminance.min())
    contrast = max(lighter, darker)
    # paper noise in a scan or photo; the cap keeps the grey edges of ink along the border from counting as noise
    noise = min(4 * float(np.median(np.abs(border - background))), MOST_NOISE) if paper is None else 0.0
    if contrast < max(LEAST_CONTRAST, 2 * noise):
        raise EmptyDrawingError("There is no ink here. Draw a digit, or choose a picture with more contrast.")
    amount = (luminance - background) * ((1 if lighter >= darker else -1) / contrast)
    amount[amount < max(FAINTEST, noise / contrast)] = 0
    return Ink(amount, contrast)


def _luminance(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the brightness (H, W) from 0, black, to 1, white.

    Transparent pixels are laid over the background that shows the ink best.
    """
    if pixels.ndim == 2:
        return pixels.astype(np.float32) / np.float32(255)
    red = pixels[..., 0]
    if np.array_equal(red, pixels[..., 1]) and np.array_equal(red, pixels[..., 2]):  # grey, as the canvas sends it
        luminance = red.astype(np.float32) / np.float32(255)
    else:
        luminance = pixels[..., :3].astype(np.float32) @ BRIGHTNESS
    if pixels.shape[2] == 3 or pixels[..., 3].min() == 255:
        return luminance
    alpha = pixels[..., 3].astype(np.float32) / np.float32(255)
    blended: NDArray[np.float32] = luminance * alpha + _background_behind(luminance, alpha) * (1 - alpha)
    return blended


def _background_behind(luminance: NDArray[np.float32], alpha: NDArray[np.float32]) -> np.float32:
    """Choose the brightness to lay behind a transparent picture."""
    visible = luminance[alpha > 0.5] if (alpha > 0.5).any() else luminance[alpha > 0]
    if visible.size == 0:
        return np.float32(0)
    if float(visible.max() - visible.min()) > 0.3:  # ink on a piece of paper: continue the paper
        return np.float32(np.median(visible))
    return np.float32(0 if float(visible.mean()) > 0.5 else 1)  # ink alone: the opposite of its tone


def _pixels(image: Image.Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as uint8 (H, W), (H, W, 3) or (H, W, 4), or raise DrawingError."""
    if isinstance(image, Image.Image):
        with _picture_errors_in_words():
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
    _check_size(image.shape[1], image.shape[0])
    return image


def _pixels_of_picture(image: Image.Image) -> NDArray[np.uint8]:
    _check_size(*image.size)
    image = ImageOps.exif_transpose(image)  # photos say which way is up in their metadata
    if max(image.size) > LARGEST_SIDE:
        image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    if image.mode.startswith(("I", "F")):  # 16 bits and more: spread their range over 8 bits
        return _in_eight_bits(np.asarray(image, np.float64))
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _in_eight_bits(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Spread the range of (H, W) over 0…255."""
    if not np.isfinite(values).all():
        raise ValueError("it holds numbers that are not finite")
    spread = float(np.ptp(values)) or 1.0
    eight_bit: NDArray[np.uint8] = ((values - values.min()) * (255 / spread)).astype(np.uint8)
    return eight_bit


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise DrawingError(
            f"The picture has {width:,} × {height:,} pixels, more than the {MOST_PIXELS:,} that are read. "
            "Shrink it first."
        )


@contextmanager
def _picture_errors_in_words() -> Iterator[None]:
    """Turn whatever Pillow raises into DrawingError; for damaged files that can be nearly any exception."""
    try:
        yield
    except DrawingError:
        raise
    except Exception as error:
        raise DrawingError(f"The picture cannot be read ({error}). Try another file, a PNG or JPEG.") from error
