"""A sitting: a writer is asked for twenty digits, one after the other, and writes them."""

import random
from dataclasses import dataclass, field

import streamlit as st

from mnist_core.errors import EmptyDrawingError
from pages.ui import loaders
from pages.ui.board import board, draw_board
from pages.ui.keeping import keeper, show_unsaved, stored
from pages.ui.layout import errors_in_words
from pages.ui.visit import lasting

CANVAS = "writing-canvas"
EACH = 2
"""Times that each digit is asked for."""
PEN_WIDTH = 20


@dataclass
class Sitting:
    """What a writer is asked for, and how far they are."""

    digits: list[int] = field(default_factory=list)
    """Empty before the first sitting."""
    done: int = 0
    written: int = 0
    """Those that were not skipped."""

    def begin(self) -> None:
        """Ask for digits, shuffled."""
        self.digits, self.done, self.written = random.sample(list(range(10)) * EACH, 10 * EACH), 0, 0

    def stop(self) -> None:
        """Ask for no more."""
        self.digits = self.digits[: self.done]

    @property
    def goes_on(self) -> bool:
        """Whether there is more to write."""
        return self.done < len(self.digits)


def is_writing() -> bool:
    """Whether a sitting goes on."""
    return _sitting().goes_on


def _sitting() -> Sitting:
    return lasting("sitting", Sitting)


@st.fragment
@errors_in_words()
def write_digits(*, writing: bool) -> None:
    """The invitation to write; then digit after digit, until all are done or the writer stops.

    `writing` is what `is_writing` said when the page was drawn; when that changes, the whole page is drawn anew.
    """
    if is_writing() != writing:
        st.rerun()
    sitting = _sitting()
    if not sitting.digits:
        ready = bool(keeper().consent)
        st.button(
            f"Write {10 * EACH} digits",
            type="primary",
            icon=":material/edit:",
            on_click=_begin,
            disabled=not ready,
            help=None if ready else "They are for keeping: switch that on first",
        )
    elif not sitting.goes_on:
        written = "1 digit" if sitting.written == 1 else f"{sitting.written} digits"
        st.success(f"Done: {written} written. How well your hand is read stands below.")
        st.button("Write more", icon=":material/edit:", on_click=_begin)
    else:
        _ask_for(sitting)
    show_unsaved()


def _ask_for(sitting: Sitting) -> None:
    digit, count = sitting.digits[sitting.done], len(sitting.digits)
    st.progress(sitting.done / count, text=f"{sitting.done + 1} of {count}")
    st.html(f'<p class="asked-for" role="status">Write a <b>{digit}</b></p>')
    current = draw_board(PEN_WIDTH, CANVAS)
    drawn = current.picture is not None
    with st.container(horizontal=True, gap="small"):
        label = "Next" if sitting.done + 1 < count else "Finish"
        st.button(label, type="primary", icon=":material/arrow_forward:", on_click=_next, disabled=not drawn)
        st.button("Clear", icon=":material/delete:", on_click=current.clear, disabled=not drawn)
        st.button("Skip this one", icon=":material/skip_next:", on_click=_go_on, args=[False])
        st.button("Stop here", icon=":material/stop:", on_click=sitting.stop)


def _begin() -> None:
    _sitting().begin()
    board(CANVAS).clear()


@errors_in_words()
def _next() -> None:
    """Keep what was written, and ask for the next."""
    current, sitting = board(CANVAS), _sitting()
    try:
        frame = current.frame()
    except EmptyDrawingError:
        return
    reader = loaders.active_reader()
    prediction = reader.classifier.predict_frame(frame)
    keeper().keep(stored(current, reader.name, prediction, frame, sitting.digits[sitting.done]))
    _go_on(True)


def _go_on(written: bool) -> None:
    sitting = _sitting()
    sitting.done += 1
    sitting.written += written
    board(CANVAS).clear()
