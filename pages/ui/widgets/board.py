"""The board people draw on: a canvas whose content lives in the visit, so that it outlasts other pages and a reload."""

import base64
import io
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from mnist_core.errors import EmptyDrawingError
from mnist_core.images.framing import Drawing
from mnist_core.images.ink import read_picture
from mnist_core.images.strokes import PAPER
from pages.ui import loaders
from pages.ui.visit import lasting

SIDE = 280
"""Pixels of the canvas; fits a phone with room beside it to scroll by."""
INK = "#111111"
CANVAS_KEY = "canvas"
EMPTY: dict[str, Any] = {"objects": []}


@dataclass
class Board:
    """What is drawn, as the server knows it."""

    png: bytes | None = None
    """The picture on the canvas, dark ink on white paper, as a PNG; None while nothing is drawn."""
    strokes: list[dict[str, Any]] = field(default_factory=list)
    """The canvas's own description, one object a stroke."""
    origin: str = ""
    """Where the picture comes from; empty if the visitor drew it."""
    shown: dict[str, Any] = field(default_factory=lambda: EMPTY)
    """What the canvas was last told to show."""
    revision: int = 0
    """Grows with each thing the canvas is told to show."""
    cleared: tuple[bytes, list[dict[str, Any]], str] | None = None
    """PNG, strokes and origin of what was cleared last; undo restores it when nothing newer is left."""
    last_sent: bytes | None = None
    """The PNG that the canvas sent last."""
    framed: tuple[bytes, Drawing | None] | None = None
    """A PNG with what was worked out from it; None where it has no ink."""

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is drawn."""
        return self.png is None

    def drawing(self) -> Drawing:
        """Return what is drawn, framed; each picture is decoded and framed once.

        Raises:
            EmptyDrawingError: nothing is drawn.
        """
        if self.png is None:
            raise EmptyDrawingError("Nothing is drawn yet. Draw a digit.")
        if self.framed is None or self.framed[0] != self.png:
            self.framed = self.png, _framed(self.png)
        drawing = self.framed[1]
        if drawing is None:
            raise EmptyDrawingError("There is no ink on the paper. Draw a digit.")
        return drawing

    def frame(self) -> NDArray[np.uint8]:
        """Return the frame (28, 28) of what is drawn.

        Raises:
            EmptyDrawingError: nothing is drawn.
        """
        return self.drawing().frame

    def clear(self) -> None:
        """Start with clean paper."""
        if self.png is not None:
            self.cleared = self.png, self.strokes, self.origin
        self.png, self.origin = None, ""
        self._show([])

    def start_over(self) -> None:
        """Start with clean paper for another drawing; undo does not restore this one."""
        self.clear()
        self.cleared = None

    @property
    def can_undo(self) -> bool:
        """Return whether there is something to undo."""
        return bool(self.strokes) or self.cleared is not None

    def undo(self) -> None:
        """Take back the last stroke, or the last clearing; the canvas then sends the picture that is left."""
        if not self.strokes and self.cleared:
            self.png, strokes, self.origin = self.cleared
            self.cleared = None
            self._show(strokes)
        elif len(self.strokes) <= 1:
            self.png, self.origin = None, ""
            self._show([])
        else:
            self._show(self.strokes[:-1])

    def put(self, digit: NDArray[np.uint8], origin: str) -> None:
        """Show a square picture (28, 28) or larger, light on black, as if it had been drawn; it can be drawn on."""
        file = io.BytesIO()
        Image.fromarray(255 - digit).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file, "PNG")
        self.png, self.origin = file.getvalue(), origin
        source = "data:image/png;base64," + base64.b64encode(self.png).decode()
        place = {"left": 0, "top": 0, "originX": "left", "originY": "top", "width": SIDE, "height": SIDE}
        self._show([{"type": "Image", "src": source, **place}])

    @property
    def paper(self) -> str:
        """White, as a CSS colour that also holds the revision: an alpha above 1 counts as 1.

        The canvas returns the paper's colour, and nothing else that tells what it had been told to show.
        """
        return f"rgba(255, 255, 255, {1 + self.revision})"

    def receive(self, png: bytes, drawn: dict[str, Any]) -> None:
        """Take over what the canvas sent, unless it has been told to show something else since.

        Args:
            png: the picture on the canvas.
            drawn: the canvas's own description of it: `objects`, one a stroke, and `background`, the paper's colour.
        """
        if drawn.get("background", self.paper) != self.paper:
            return
        self.last_sent = png
        strokes = drawn["objects"]
        if [stroke.get("type") for stroke in strokes] != ["Image"]:
            self.origin = ""  # drawn on: no longer the example it was
        self.strokes = strokes
        self.png = png if strokes else None

    def show_again(self) -> None:
        """Have a canvas that has just appeared show what was drawn on the one before."""
        self._show(self.strokes)
        self.last_sent = None

    def _show(self, strokes: list[dict[str, Any]]) -> None:
        self.strokes = strokes
        self.revision += 1  # the canvas redraws only when it is told something new
        self.shown = {"objects": strokes, "revision": self.revision}


def _framed(png: bytes) -> Drawing | None:
    try:
        # in grey, which the pen and the examples are: a quarter of the pixels' bytes
        return Drawing.of(read_picture(io.BytesIO(png)).convert("L"), paper=PAPER)
    except EmptyDrawingError:
        return None


def board(key: str = CANVAS_KEY) -> Board:
    """Return this visitor's board; a page with a canvas of its own gives its `key`."""
    return lasting(f"board-{key}", Board)


def put_example(index: int | None = None) -> None:
    """Put a digit of the bundled sample on the board: the one at `index`, or any."""
    sample = loaders.sample()
    index = random.randrange(len(sample)) if index is None else index
    origin = f"An example from MNIST's training images, labelled {sample.labels[index]}. Draw on it, or clear."
    board().put(sample.images[index], origin)


def draw_board(pen_width: int, key: str = CANVAS_KEY) -> Board:
    """Place the canvas and take over what was drawn on it."""
    current = board(key)
    if key not in st.session_state or st.session_state.get(f"shown-{key}") is not current:
        current.show_again()
    st.session_state[f"shown-{key}"] = current
    sent = st_canvas(
        stroke_width=pen_width,
        stroke_color=INK,
        background_color=current.paper,
        width=SIDE,
        height=SIDE,
        initial_drawing=current.shown,
        return_image_data=True,
        key=key,
    )
    png = sent.image_bytes
    if png is not None and png != current.last_sent:  # every rerun repeats what was sent last
        current.receive(png, sent.json_data or EMPTY)
    return current
