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

from mnist_core.images.framing import Window, frame_drawing
from mnist_core.images.ink import find_ink
from mnist_core.images.problems import find_problems
from pages.ui import loaders
from pages.ui.visit import lasting

SIDE = 280
"""Pixels; fits a phone with room beside it to scroll by."""
PAPER, INK = "#ffffff", "#111111"
CANVAS_KEY = "canvas"
BLANK = np.full((SIDE, SIDE), 255, np.uint8)
EMPTY: dict[str, Any] = {"objects": []}


@dataclass
class Board:
    """What is drawn, as the server knows it."""

    picture: NDArray[np.uint8] | None = None
    """RGBA (SIDE, SIDE, 4); None while nothing is drawn."""
    strokes: list[dict[str, Any]] = field(default_factory=list)
    """The canvas's own description, one object a stroke."""
    origin: str = ""
    """Where the picture comes from, if not from the visitor's hand."""
    shown: dict[str, Any] = field(default_factory=lambda: EMPTY)
    """What the canvas was last told to show."""
    revision: int = 0
    cleared: tuple[NDArray[np.uint8], list[dict[str, Any]], str] | None = None
    """Picture, strokes and origin of what was cleared last; undo brings it back when nothing newer is left."""
    last_sent: bytes | None = None

    def frame(self) -> NDArray[np.uint8]:
        """What the network is to see.

        Raises:
            EmptyDrawingError: nothing is drawn.
        """
        return self.framed()[0]

    def framed(self) -> tuple[NDArray[np.uint8], Window]:
        """The same, and where on the board the frame lies."""
        return frame_drawing(BLANK if self.picture is None else self.picture)

    def ink(self) -> NDArray[np.float32]:
        """How much ink there is at each pixel (SIDE, SIDE), 0 to 1.

        Raises:
            EmptyDrawingError: nothing is drawn.
        """
        return find_ink(BLANK if self.picture is None else self.picture).amount

    def problems(self) -> tuple[str, ...]:
        """What may keep the drawing from being read, in sentences.

        Raises:
            EmptyDrawingError: nothing is drawn.
        """
        return find_problems(BLANK if self.picture is None else self.picture)

    def clear(self) -> None:
        """Start with clean paper."""
        if self.picture is not None:
            self.cleared = self.picture, self.strokes, self.origin
        self.picture, self.origin = None, ""
        self._show([])

    def start_anew(self) -> None:
        """Start with clean paper for another drawing: undo does not bring this one back."""
        self.clear()
        self.cleared = None

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self.strokes) or self.cleared is not None

    def undo(self) -> None:
        """Take the last stroke back, whereupon the canvas sends the picture that is left; or the last clearing."""
        if not self.strokes and self.cleared:
            self.picture, strokes, self.origin = self.cleared
            self.cleared = None
            self._show(strokes)
        elif len(self.strokes) <= 1:
            self.picture, self.origin = None, ""
            self._show([])
        else:
            self._show(self.strokes[:-1])

    def put(self, digit: NDArray[np.uint8], origin: str) -> None:
        """Show a square picture (28, 28) or larger, light on black, as if it had been drawn; it can be drawn on."""
        enlarged = Image.fromarray(255 - digit).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        png = io.BytesIO()
        enlarged.save(png, "PNG")
        source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
        place = {"left": 0, "top": 0, "originX": "left", "originY": "top", "width": SIDE, "height": SIDE}
        self.picture, self.origin = np.asarray(enlarged.convert("RGBA")), origin
        self._show([{"type": "Image", "src": source, **place}])

    def receive(self, png: bytes, picture: NDArray[np.uint8], strokes: list[dict[str, Any]]) -> None:
        """Take over what the canvas sent."""
        self.last_sent = png
        if [stroke.get("type") for stroke in strokes] != ["Image"]:
            self.origin = ""  # drawn on: no longer the example it was
        self.strokes = strokes
        self.picture = picture if strokes else None

    def show_again(self) -> None:
        """Have a canvas that has just appeared show what was drawn on the one before."""
        self._show(self.strokes)
        self.last_sent = None

    def _show(self, strokes: list[dict[str, Any]]) -> None:
        self.strokes = strokes
        self.revision += 1  # the canvas redraws only when it is told something new
        self.shown = {"objects": strokes, "revision": self.revision}


def board(key: str = CANVAS_KEY) -> Board:
    """This visitor's board; a page with a canvas of its own gives its `key`."""
    return lasting(f"board-{key}", Board)


def put_example(index: int | None = None) -> None:
    """Put a digit of the bundled sample on the board, any one unless its place is given."""
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
        background_color=PAPER,
        width=SIDE,
        height=SIDE,
        initial_drawing=current.shown,
        return_image_data=True,
        key=key,
    )
    if sent.image_bytes not in (None, current.last_sent):  # every rerun repeats what was sent last
        current.receive(sent.image_bytes, sent.image_data, (sent.json_data or EMPTY)["objects"])
    return current
