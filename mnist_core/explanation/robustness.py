"""Robustness: how far a frame can be rotated, shifted, blurred or sharpened before its classification changes.

The changed frame is not framed again, which would undo a shift; only the network is tested.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

from mnist_core.network.classifier import DigitClassifier

MAX_BLUR = 4.0
"""Standard deviation of the Gaussian at sharpness −1, in pixels of the frame."""
MAX_STEEPNESS = 8.0
"""How many times steeper the edges of strokes are at sharpness 1."""

Direction = Literal["sharpness", "rotation", "right", "down"]


@dataclass(frozen=True)
class Movement:
    """A change to a frame; by default, none."""

    sharpness: float = 0.0
    """From −1 (blurred beyond recognition) over 0 (unchanged) to 1 (hard edges)."""
    rotation: float = 0.0
    """Degrees, clockwise."""
    right: float = 0.0
    """Pixels of the frame; the same for `down`."""
    down: float = 0.0


DIRECTIONS: dict[Direction, NDArray[np.float64]] = {
    "rotation": np.linspace(-90, 90, 61),
    "right": np.linspace(-10, 10, 41),
    "down": np.linspace(-10, 10, 41),
    "sharpness": np.linspace(-1, 1, 41),
}
"""The values to try in each direction."""


@dataclass(frozen=True)
class Reach:
    """The classifications of a frame that moves in one direction."""

    values: NDArray[np.float64]
    """The positions (n,)."""
    digits: NDArray[np.int64]
    """The predicted digit at each position (n,)."""
    probabilities: NDArray[np.float64]
    """The probability, at each position, of the digit that is predicted for the unmoved frame (n,)."""
    low: float
    """From here to `high` the prediction stays that digit without a break; nan if it is not even in the middle."""
    high: float


def move(frame: NDArray[np.uint8], movement: Movement) -> NDArray[np.uint8]:
    """Apply a movement to a frame (28, 28); ink that leaves the frame is lost."""
    ink = frame / 255
    if movement.sharpness < 0:
        ink = gaussian_filter(ink, -movement.sharpness * MAX_BLUR)
    elif movement.sharpness > 0:
        steepness = MAX_STEEPNESS**movement.sharpness
        ink = np.where(ink > 0, np.clip((ink - 0.5) * steepness + 0.5, 0, 1), 0)
    if movement.rotation or movement.right or movement.down:
        turn = np.deg2rad(movement.rotation)
        back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = (np.array(ink.shape) - 1) / 2
        ink = affine_transform(ink, back, middle - back @ (middle + np.array([movement.down, movement.right])), order=1)
    moved: NDArray[np.uint8] = (ink * 255).round().clip(0, 255).astype(np.uint8)
    return moved


def reach(
    classifier: DigitClassifier, frame: NDArray[np.uint8], direction: Direction, movement: Movement | None = None
) -> Reach:
    """Move a frame (28, 28) step by step in one direction, in the others as `movement` says, and classify each step."""
    held = movement or Movement()
    values = DIRECTIONS[direction]
    steps = [move(frame, replace(held, **{direction: float(value)})) for value in values]
    digit = int(classifier.predict_frames(frame[None])[0].argmax())
    probabilities = classifier.predict_frames(np.stack(steps))
    digits = probabilities.argmax(axis=1)
    low, high = _unbroken(values, digits == digit)
    return Reach(values, digits, probabilities[:, digit].astype(np.float64), low, high)


def _unbroken(values: NDArray[np.float64], holds: Sequence[bool] | NDArray[np.bool_]) -> tuple[float, float]:
    """Return the first and last value of the range around the middle in which all hold."""
    middle = len(values) // 2
    if not holds[middle]:
        return float("nan"), float("nan")
    failing = np.flatnonzero(~np.asarray(holds))
    first = max((int(place) for place in failing if place < middle), default=-1) + 1
    last = min((int(place) for place in failing if place > middle), default=len(values)) - 1
    return float(values[first]), float(values[last])
