"""From any picture of a digit to the 28×28 frame that MNIST uses. Nothing else in the project knows how.

MNIST was made by scaling each digit, keeping its aspect, into a box of 20×20 pixels, and placing it in 28×28 so
that its centre of mass is the centre (LeCun, Bottou, Bengio & Haffner 1998, section III A). Networks trained on
MNIST read drawings made that way far better than drawings merely shrunk. Pens differ more than MNIST's did, so strokes
are first brought to one width.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_array

from mnist_core.images.ink import find_ink

FRAME = 28
BOX = 20

FULL_INK = 0.9
"""This share of the ink may be fainter than what counts as a stroke's full shade: a few dark specks do not."""
PEN = 2.7
"""Width of strokes in the frame, in its pixels; about the middle of MNIST's own."""
WORKING_SIDE, MARGIN = 100, 12
"""Pixels of the longer side at which strokes are redrawn, and of room around for them to grow."""
MOST_SHRINKING = 0.42
"""A pen's width can shrink by twice this share; more would break strokes where they are thinner than most."""


@dataclass(frozen=True)
class Window:
    """A grid of pixels laid over a picture: where it begins there, and how fine it is."""

    top: float
    """In the picture's pixels."""
    left: float
    scale: float
    """Pixels of the grid for each of the picture."""

    def within(self, outer: "Window") -> "Window":
        """This window, which lies over what is seen through `outer`, as one over the picture behind that."""
        return Window(
            outer.top + self.top / outer.scale, outer.left + self.left / outer.scale, outer.scale * self.scale
        )

    def resample(self, ink: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
        """The ink (H, W) in `height` × `width` pixels of this grid."""
        rows = _resampling(ink.shape[0], height, self.scale, self.top)
        columns = _resampling(ink.shape[1], width, self.scale, self.left)
        seen: NDArray[np.float32] = rows @ ink @ columns.T
        return seen


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
    return frame_drawing(image)[0]


def frame_drawing(image: Image.Image | NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Window]:
    """The same, and where in the picture the frame lies, so that what is found in the one can be shown in the other."""
    ink = find_ink(image).amount
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    redrawn, large = _with_even_pen(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    frame, placed = _place(redrawn)
    return frame, placed.within(large).within(Window(float(rows[0]), float(columns[0]), 1.0))


def _with_even_pen(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], Window]:
    """Ink (H, W), redrawn at a size of its own as if with a pen whose width is a fixed share of the digit's size; and
    where in the old the new one lies.

    All strokes grow or shrink alike, by a distance measured from their edges, so that what is read does not depend on
    how wide the pen was or how large the digit was drawn.
    """
    ink = np.minimum(ink / np.quantile(ink[ink > 0], FULL_INK), 1)
    (top, bottom), (left, right) = _extent(ink.max(axis=1)), _extent(ink.max(axis=0))
    scale = WORKING_SIDE / max(bottom - top, right - left)
    height, width = ((np.array([bottom - top, right - left]) * scale).astype(int) + 2 * MARGIN).tolist()
    window = Window(top - MARGIN / scale, left - MARGIN / scale, scale)
    large = window.resample(ink, height, width)

    stroke = large >= 0.5
    inside = _distance_to_edge(stroke, large)
    # across a stroke, depth runs evenly from 0 to half its width; ends and joints, which differ, hardly move the median
    pen = max(1.0, 4 * float(np.median(inside[stroke])))
    wanted = max(WORKING_SIDE - pen, 1.0) * PEN / (BOX - PEN)
    growth = min(max((wanted - pen) / 2, -MOST_SHRINKING * pen), MARGIN - 2)
    depth = np.where(stroke, inside, -_distance_to_edge(~stroke, 1 - large) if growth > 0 else -1)
    depth = np.where(np.abs(depth) <= 0.6, large - 0.5, depth)  # on the edge itself, its shade is exact
    redrawn: NDArray[np.float32] = np.clip(depth + (growth + 0.5), 0, 1).astype(np.float32)
    return redrawn, window


def _distance_to_edge(shape: NDArray[np.bool_], coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    """How deep each pixel lies in a shape, in pixels; finer than whole ones, by how much of the first pixel outside is
    covered."""
    distances, nearest = distance_transform_edt(shape, return_indices=True)
    depth: NDArray[np.float32] = distances.astype(np.float32) - 0.5 + coverage[nearest[0], nearest[1]]
    return depth


def _place(ink: NDArray[np.float32]) -> tuple[NDArray[np.uint8], Window]:
    """The frame of ink (H, W), its longer side filling the box and its centre of mass in the middle; and where in the
    ink it lies."""
    spans = _extent(ink.max(axis=1)), _extent(ink.max(axis=0))
    scale = BOX / max(end - start for start, end in spans)
    top, left = (_start(ink.sum(axis=axis), span, FRAME / scale) for axis, span in zip((1, 0), spans, strict=True))
    window = Window(top, left, scale)
    frame = window.resample(ink, FRAME, FRAME)
    # thin strokes fade in the shrinking; MNIST's reach full white
    stretched: NDArray[np.uint8] = (frame * (255 / frame.max())).round().astype(np.uint8)
    return stretched, window


def _start(mass: NDArray[np.float32], span: tuple[float, float], side: float) -> float:
    """Where along one axis a frame `side` long begins, so that the centre of mass is its middle.

    A digit that would stick out (a long, light tail) is moved in as far as keeps all its ink.
    """
    centre = float((mass * (np.arange(len(mass)) + 0.5)).sum() / mass.sum())
    return min(max(centre - side / 2, span[1] - side), span[0])


def _extent(profile: NDArray[np.float32]) -> tuple[float, float]:
    """Where ink begins and ends along one axis, finer than whole pixels, from the strongest ink of each row."""
    inked = np.flatnonzero(profile >= 0.5)
    first, last = int(inked[0]), int(inked[-1])
    before = profile[first - 1] if first else 0.0
    after = profile[last + 1] if last + 1 < len(profile) else 0.0
    return first + 1 - float(profile[first] + before), last + float(profile[last] + after)


def _resampling(count: int, wanted: int, scale: float, start: float) -> csr_array:
    """A matrix (wanted, count): what each new pixel takes from the old ones, beginning at `start` among them.

    Shrinking averages over each new pixel's area, enlarging interpolates linearly.
    """
    old = np.arange(count)
    begin = start + np.arange(wanted)[:, None] / scale
    if scale <= 1:
        shares = (np.minimum(begin + 1 / scale, old + 1) - np.maximum(begin, old)) * scale
    else:
        shares = 1 - np.abs(begin + 0.5 / scale - (old + 0.5))
    return csr_array(np.maximum(shares, 0).astype(np.float32))
