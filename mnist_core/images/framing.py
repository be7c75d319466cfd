"""Bring any picture of a digit into the 28×28 frame that MNIST uses.

MNIST was made by scaling each digit, keeping its aspect ratio, into a box of 20×20 pixels and placing that box in
28×28 so that the centre of mass is the centre (LeCun, Bottou, Bengio & Haffner 1998, section III A). Networks trained
on MNIST classify drawings made that way far better than drawings that are only shrunk. Pens differ more than MNIST's
did, so all strokes are first brought to one width.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_array

from mnist_core.images.ink import FULL_INK, find_ink
from mnist_core.images.problems import find_problems
from mnist_core.images.structure import find_structure, reasons

FRAME = 28
BOX = 20

PEN_WIDTH = 2.7
"""Width of strokes in the frame, in its pixels; about the middle of MNIST's own."""
WORKING_SIDE, MARGIN = 100, 12
"""Pixels of the longer side at which strokes are redrawn, and of room around them to grow into."""
MOST_SHRINKING = 0.42
"""A pen's width can shrink by at most twice this share; more would break strokes at their thinnest places."""


@dataclass(frozen=True)
class Window:
    """A grid of pixels laid over a picture: where it begins and how fine it is."""

    top: float
    """In the picture's pixels."""
    left: float
    scale: float
    """Pixels of the grid for each pixel of the picture."""

    def within(self, outer: "Window") -> "Window":
        """Return this window, which lies over what `outer` shows, as a window over the picture behind `outer`."""
        return Window(
            outer.top + self.top / outer.scale, outer.left + self.left / outer.scale, outer.scale * self.scale
        )

    def resample(self, ink: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
        """Return ink (H, W) in `height` × `width` pixels of this grid."""
        rows = _resampling(ink.shape[0], height, self.scale, self.top)
        columns = _resampling(ink.shape[1], width, self.scale, self.left)
        seen: NDArray[np.float32] = rows @ ink @ columns.T
        return seen


class Box(NamedTuple):
    """The smallest rectangle that holds all ink of a picture, in its pixels; `bottom` and `right` lie outside."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class Drawing:
    """All that is worked out from a picture of one digit, once."""

    frame: NDArray[np.uint8]
    """What the network gets (28, 28): light ink on black."""
    window: Window
    """Where in the picture the frame lies, so that what is found in one can be shown in the other."""
    box: Box
    """Where in the picture the ink lies."""
    size: tuple[int, int]
    """Height and width of the picture in pixels."""
    problems: tuple[str, ...]
    """Sentences that say what may spoil the answer; see `find_problems`."""
    ink: NDArray[np.uint8]
    """The ink as it was drawn, light on black, scaled so that its longer side is `WORKING_SIDE` pixels."""

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """What the drawing has that no digit has, worked out when first asked for; see `structure.reasons`."""
        return reasons(find_structure(self.ink))

    @classmethod
    def of(cls, image: Image.Image | NDArray[np.uint8], *, paper: int | None = None) -> Self:
        """Frame a picture and look for problems; the arguments are those of `normalize_drawing`.

        Raises:
            EmptyDrawingError: there is no ink.
            DrawingError: `image` is not a picture, is damaged or too large.
        """
        ink = find_ink(image, paper=paper)
        frame, window, box, copy = _frame(ink.amount)
        height, width = ink.amount.shape
        return cls(frame, window, box, (height, width), find_problems(ink), _in_bytes(copy))

    @classmethod
    def of_frame(cls, frame: NDArray[np.uint8]) -> Self:
        """Return the drawing whose picture is a frame (28, 28) itself; no problems are looked for."""
        box = _bounds(frame)
        copy, _ = _working_copy(frame[box.top : box.bottom, box.left : box.right].astype(np.float32))
        return cls(frame, Window(0.0, 0.0, 1.0), box, (FRAME, FRAME), (), _in_bytes(copy))


def normalize_drawing(image: Image.Image | NDArray[np.uint8], *, paper: int | None = None) -> NDArray[np.uint8]:
    """Bring a picture of one digit into MNIST's frame.

    Args:
        image: a PIL image of any mode, or uint8 (H, W), (H, W, 3) or (H, W, 4); light ink on dark or dark on
            light, or on a transparent background; any size; ink may be faint and may touch the edges.
        paper: brightness of the background, 0…255, where it is known, as it is on the canvas.

    Returns:
        uint8 (28, 28), light ink on black.

    Raises:
        EmptyDrawingError: there is no ink.
        DrawingError: `image` is not a picture, is damaged or too large.
    """
    return _frame(find_ink(image, paper=paper).amount)[0]


def _frame(ink: NDArray[np.float32]) -> tuple[NDArray[np.uint8], Window, Box, NDArray[np.float32]]:
    """Return the frame of ink (H, W), where in the ink it lies, the bounds of the ink, and its working copy."""
    box = _bounds(ink)
    copy, large = _working_copy(ink[box.top : box.bottom, box.left : box.right])
    frame, placed = _place(_with_even_pen(copy))
    window = placed.within(large).within(Window(float(box.top), float(box.left), 1.0))
    return frame, window, box, copy


def _in_bytes(ink: NDArray[np.float32]) -> NDArray[np.uint8]:
    # rounded up, so that the faintest ink stays
    scaled: NDArray[np.uint8] = np.ceil(np.minimum(ink, 1) * 255).astype(np.uint8)
    return scaled


def _bounds(ink: NDArray[np.float32] | NDArray[np.uint8]) -> Box:
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    return Box(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)


def _working_copy(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], Window]:
    """Return ink (H, W) scaled to `WORKING_SIDE` pixels with `MARGIN` around it, 0…1, and where in the ink it lies."""
    ink = np.minimum(ink / np.quantile(ink[ink > 0], FULL_INK), 1)
    (top, bottom), (left, right) = _extent(ink.max(axis=1)), _extent(ink.max(axis=0))
    scale = WORKING_SIDE / max(bottom - top, right - left)
    height, width = ((np.array([bottom - top, right - left]) * scale).astype(int) + 2 * MARGIN).tolist()
    window = Window(top - MARGIN / scale, left - MARGIN / scale, scale)
    return window.resample(ink, height, width), window


def _with_even_pen(large: NDArray[np.float32]) -> NDArray[np.float32]:
    """Redraw ink, a working copy (H, W), with a pen whose width is a fixed share of the digit's size.

    All strokes grow or shrink alike, by a distance measured from their edges, so that the answer does not depend on
    how wide the pen was or how large the digit was drawn.
    """
    stroke = large >= 0.5
    inside = _distance_to_edge(stroke, large)
    # across a stroke, depth runs evenly from 0 to half its width; ends and joints, which differ, hardly move the median
    pen = max(1.0, 4 * float(np.median(inside[stroke])))
    wanted = max(WORKING_SIDE - pen, 1.0) * PEN_WIDTH / (BOX - PEN_WIDTH)
    growth = min(max((wanted - pen) / 2, -MOST_SHRINKING * pen), MARGIN - 2)
    depth = np.where(stroke, inside, -_distance_to_edge(~stroke, 1 - large) if growth > 0 else -1)
    depth = np.where(np.abs(depth) <= 0.6, large - 0.5, depth)  # on the edge itself, its shade is exact
    redrawn: NDArray[np.float32] = np.clip(depth + (growth + 0.5), 0, 1).astype(np.float32)
    return redrawn


def _distance_to_edge(shape: NDArray[np.bool_], coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how deep each pixel lies in a shape, in pixels.

    The coverage of the first pixel outside makes this finer than whole pixels.
    """
    distances, nearest = distance_transform_edt(shape, return_indices=True)
    depth: NDArray[np.float32] = distances.astype(np.float32) - 0.5 + coverage[nearest[0], nearest[1]]
    return depth


def _place(ink: NDArray[np.float32]) -> tuple[NDArray[np.uint8], Window]:
    """Scale ink (H, W) so that its longer side fills the box, and centre its mass; return frame and its window."""
    spans = _extent(ink.max(axis=1)), _extent(ink.max(axis=0))
    scale = BOX / max(end - start for start, end in spans)
    top, left = (_start(ink.sum(axis=axis), span, FRAME / scale) for axis, span in zip((1, 0), spans, strict=True))
    window = Window(top, left, scale)
    frame = window.resample(ink, FRAME, FRAME)
    # thin strokes fade in the shrinking; MNIST's reach full white
    stretched: NDArray[np.uint8] = (frame * (255 / frame.max())).round().astype(np.uint8)
    return stretched, window


def _start(mass: NDArray[np.float32], span: tuple[float, float], side: float) -> float:
    """Return where along one axis a frame `side` long begins, so that the centre of mass is its middle.

    A digit that would stick out (a long, light tail) is moved in until all its ink is inside.
    """
    centre = float((mass * (np.arange(len(mass)) + 0.5)).sum() / mass.sum())
    return min(max(centre - side / 2, span[1] - side), span[0])


def _extent(profile: NDArray[np.float32]) -> tuple[float, float]:
    """Return where ink begins and ends along one axis, finer than whole pixels, from the strongest ink of each row."""
    inked = np.flatnonzero(profile >= 0.5)
    first, last = int(inked[0]), int(inked[-1])
    before = profile[first - 1] if first else 0.0
    after = profile[last + 1] if last + 1 < len(profile) else 0.0
    return first + 1 - float(profile[first] + before), last + float(profile[last] + after)


def _resampling(count: int, wanted: int, scale: float, start: float) -> csr_array:
    """Return a matrix (wanted, count): the share that each new pixel takes of each old one, from `start` on.

    Shrinking averages over each new pixel's area, enlarging interpolates linearly.
    """
    begin = start + np.arange(wanted)[:, None] / scale
    if scale <= 1:
        old = np.floor(begin).astype(int) + np.arange(int(1 / scale) + 2)  # all that a new pixel may cover
        shares = (np.minimum(begin + 1 / scale, old + 1) - np.maximum(begin, old)) * scale
    else:
        middle = begin + 0.5 / scale - 0.5
        old = np.floor(middle).astype(int) + np.arange(2)
        shares = 1 - np.abs(middle - old)
    shares = np.where((old >= 0) & (old < count), np.maximum(shares, 0), 0).astype(np.float32)
    ends = np.arange(wanted + 1) * old.shape[1]
    return csr_array((shares.ravel(), old.clip(0, count - 1).ravel(), ends), shape=(wanted, count))
