"""`StoredDrawing`, one drawing as it is saved, and the checks it has to pass before it reaches the database."""

import json
import struct
import unicodedata
import zlib
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

MAX_PNG_BYTES = 500_000
"""More than noise takes on the Draw page's canvas."""
MAX_PNG_SIDE = 2048
"""Pixels of a PNG, across or down."""
MAX_STROKES_LETTERS = 500_000
"""Letters of JSON, enough for minutes of scribbling."""
LABELS = range(NOT_A_DIGIT, 10)
"""0 to 9, or `NOT_A_DIGIT`."""
DIGITS = range(10)
YEARS = range(2000, 9999)
"""A time outside these comes from a wrong clock."""


@dataclass(frozen=True)
class StoredDrawing:
    """A drawing, what its writer says it is, and what a version said."""

    id: str
    """UUID, as `str(uuid4())` writes it. Whoever has the drawing makes it, so that saving twice stores it once."""
    time: datetime
    """When it was confirmed or corrected, with a time zone."""
    writer: str
    """Who drew it; empty where nobody said."""
    label: int
    """What it is: 0 to 9, or `NOT_A_DIGIT`."""
    png: bytes
    """The ink on the canvas, as a PNG file."""
    strokes: str
    """JSON: the canvas's objects, or a list of strokes."""
    frame: bytes
    """The 784 pixels that the network saw, uint8, row by row."""
    digit: int
    """The digit that the version answered."""
    confidence: float
    """From 0 to 1."""
    accepted: bool
    """Whether the version accepted the drawing, or declined to answer."""
    version: str
    """The version's name."""

    @property
    def image(self) -> NDArray[np.uint8]:
        """The frame, (28, 28), light ink on black."""
        return np.frombuffer(self.frame, np.uint8).reshape(28, 28)

    def check(self) -> None:
        """Check that the drawing can be saved.

        Raises:
            RefusedDrawingError: it cannot; the message names the first thing that is wrong.
        """
        self.check_values()
        _check_strokes(self.strokes)
        _check_png(self.png)

    def check_values(self) -> None:
        """Check everything but the contents of strokes and PNG, in a few microseconds.

        Raises:
            RefusedDrawingError: a value has the wrong type or is out of range.
        """
        _require(
            _is_uuid(self.id), f"its id {self.id!r:.60} is not a UUID in small letters, such as str(uuid4()) gives"
        )
        _require(isinstance(self.time, datetime) and self.time.tzinfo is not None, "its time has no zone; give UTC")
        _require(self.time.year in YEARS, f"its time is in the year {self.time.year}")
        _check_text("the writer's name", self.writer, LONGEST_NAME)
        _check_text("the version's name", self.version, LONGEST_VERSION)
        _require(
            type(self.label) is int and self.label in LABELS, f"its label {self.label!r:.20} is not an int from -1 to 9"
        )
        _require(
            type(self.digit) is int and self.digit in DIGITS, f"the answer {self.digit!r:.20} is not an int from 0 to 9"
        )
        is_share = isinstance(self.confidence, float | int) and 0 <= self.confidence <= 1
        _require(is_share, f"its confidence {self.confidence!r:.20} is not a number from 0 to 1")
        _require(isinstance(self.accepted, bool), f"accepted is {self.accepted!r:.20} instead of True or False")
        _require(isinstance(self.frame, bytes), "its frame is not bytes; give frame.tobytes()")
        _require(len(self.frame) == FRAME_BYTES, f"its frame has {len(self.frame):,} bytes instead of {FRAME_BYTES}")
        _require(isinstance(self.strokes, str), "its strokes are not text")
        _require(isinstance(self.png, bytes), "its PNG is not bytes")


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise RefusedDrawingError(f"The drawing cannot be saved: {problem}.")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except (ValueError, TypeError, AttributeError):
        return False


def _check_text(what: str, text: str, longest: int) -> None:
    _require(isinstance(text, str), f"{what} is not text")
    _require(len(text) <= longest, f"{what} is longer than {longest} letters; shorten it")
    printable = not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)
    _require(printable, f"{what} has letters that cannot be shown; leave them out")


def _check_strokes(strokes: str) -> None:
    _require(
        len(strokes) <= MAX_STROKES_LETTERS, f"its strokes are longer than {MAX_STROKES_LETTERS:,} letters of JSON"
    )
    try:
        strokes.encode()
        parsed = json.loads(strokes)
    except (ValueError, RecursionError):
        parsed = None
    _require(isinstance(parsed, list | dict), "its strokes are not a list or an object in JSON")
    _require("\0" not in strokes, "its strokes contain a zero byte")


def _check_png(png: bytes) -> None:
    _require(len(png) <= MAX_PNG_BYTES, f"its PNG is larger than {MAX_PNG_BYTES:,} bytes")
    _require(png[:8] == b"\x89PNG\r\n\x1a\n" and png[12:16] == b"IHDR" and len(png) >= 24, "its picture is not a PNG")
    _check_size(*struct.unpack(">II", png[16:24]))  # before Pillow makes room for as many pixels as the file claims
    try:
        with Image.open(BytesIO(png), formats=["PNG"]) as picture:
            _check_size(*picture.size)  # a second header further on may claim other sizes
            picture.load()
    except RefusedDrawingError:
        raise
    except (OSError, ValueError, SyntaxError, struct.error, zlib.error, *_BOMB) as error:
        raise RefusedDrawingError(f"The drawing cannot be saved: its PNG is damaged ({error}).") from error


def _check_size(width: int, height: int) -> None:
    _require(max(width, height) <= MAX_PNG_SIDE, f"its PNG is larger than {MAX_PNG_SIDE} × {MAX_PNG_SIDE} pixels")


_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)
