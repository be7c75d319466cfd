"""One drawing as it is kept, and what is refused before it reaches the database."""

import json
import struct
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_core.drawings.schema import FRAME_BYTES, LONGEST_NAME, LONGEST_VERSION
from mnist_core.errors import RefusedDrawingError
from mnist_core.images.datasets import NOT_A_DIGIT

LARGEST_PNG = 500_000
"""Bytes; more than noise takes on our canvas."""
LARGEST_SIDE = 2048
"""Pixels of a PNG, across or down."""
LONGEST_STROKES = 500_000
"""Letters of JSON; minutes of scribbling."""
LABELS = range(NOT_A_DIGIT, 10)
"""0 to 9, or `NOT_A_DIGIT`."""
DIGITS = range(10)
YEARS = range(2000, 9999)
"""Clocks that are elsewhere are wrong."""


@dataclass(frozen=True)
class StoredDrawing:
    """A drawing, what its writer says it is, and what a version made of it."""

    id: str
    """UUID, as `str(uuid4())` writes it; made where the drawing is, so that saving twice keeps it once."""
    time: datetime
    """When it was confirmed or corrected, with its zone."""
    writer: str
    """Who drew it; empty where nobody said."""
    label: int
    """What it is: 0 to 9, or `NOT_A_DIGIT`."""
    png: bytes
    """The ink as it was on the canvas."""
    strokes: str
    """JSON: the canvas's objects, or a list of strokes."""
    frame: bytes
    """784 pixels, uint8, row by row: what the network saw."""
    digit: int
    """The version's answer."""
    confidence: float
    """From 0 to 1."""
    accepted: bool
    """Whether the version took it for a digit."""
    version: str
    """The version's name."""

    @property
    def image(self) -> NDArray[np.uint8]:
        """The frame (28, 28), light ink on black."""
        return np.frombuffer(self.frame, np.uint8).reshape(28, 28)

    def check(self) -> None:
        """See that it can be kept.

        Raises:
            RefusedDrawingError: it cannot; the message names the first thing that is wrong.
        """
        _require(
            _is_uuid(self.id), f"its id {self.id!r:.60} is not a UUID in small letters, such as str(uuid4()) gives"
        )
        _require(self.time.tzinfo is not None, "its time has no zone; give UTC")
        _require(self.time.year in YEARS, f"its time is in the year {self.time.year}")
        _check_text("the writer's name", self.writer, LONGEST_NAME)
        _check_text("the version's name", self.version, LONGEST_VERSION)
        _require(type(self.label) is int and self.label in LABELS, f"its label {self.label!r:.20} is no int of -1 to 9")
        _require(type(self.digit) is int and self.digit in DIGITS, f"the answer {self.digit!r:.20} is no int of 0 to 9")
        sure = isinstance(self.confidence, float | int) and 0 <= self.confidence <= 1
        _require(sure, f"its confidence {self.confidence!r:.20} is no number from 0 to 1")
        _require(isinstance(self.accepted, bool), f"accepted is {self.accepted!r:.20} instead of True or False")
        _require(isinstance(self.frame, bytes), "its frame is not bytes; give frame.tobytes()")
        _require(len(self.frame) == FRAME_BYTES, f"its frame has {len(self.frame):,} bytes instead of {FRAME_BYTES}")
        _check_strokes(self.strokes)
        _check_png(self.png)


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise RefusedDrawingError(f"The drawing cannot be kept: {problem}.")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except (ValueError, TypeError, AttributeError):
        return False


def _check_text(what: str, text: str, longest: int) -> None:
    _require(len(text) <= longest, f"{what} is longer than {longest} letters; shorten it")
    odd = any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)
    _require(not odd, f"{what} has letters that cannot be shown; leave them out")


def _check_strokes(strokes: str) -> None:
    _require(len(strokes) <= LONGEST_STROKES, f"its strokes are longer than {LONGEST_STROKES:,} letters of JSON")
    try:
        strokes.encode()
        held = json.loads(strokes)
    except (ValueError, RecursionError):
        held = None
    _require(isinstance(held, list | dict), "its strokes are not a list or an object in JSON")
    _require("\0" not in strokes, "its strokes hold a zero byte")


def _check_png(png: bytes) -> None:
    _require(isinstance(png, bytes), "its PNG is not bytes")
    _require(len(png) <= LARGEST_PNG, f"its PNG is larger than {LARGEST_PNG:,} bytes")
    _require(png[:8] == b"\x89PNG\r\n\x1a\n" and len(png) >= 24, "its picture is not a PNG")
    width, height = struct.unpack(">II", png[16:24])  # before Pillow makes room for as many pixels as it claims
    _require(max(width, height) <= LARGEST_SIDE, f"its PNG is larger than {LARGEST_SIDE} × {LARGEST_SIDE} pixels")
    try:
        with Image.open(BytesIO(png), formats=["PNG"]) as picture:
            picture.load()
    except (OSError, ValueError, SyntaxError, struct.error) as error:
        raise RefusedDrawingError(f"The drawing cannot be kept: its PNG is damaged ({error}).") from error
