"""A sitting: the page asks for twenty digits, one after the other, and the visitor writes them."""

import random
from dataclasses import dataclass, field

import streamlit as st

from mnist_core.errors import EmptyDrawingError
from pages.ui import loaders
from pages.ui.handwriting.keeper import keeper, stored
from pages.ui.handwriting.keeping import ask_for_consent, show_unsaved
from pages.ui.layout import errors_in_words
from pages.ui.visit import lasting
from pages.ui.widgets.board import board, draw_board
from pages.ui.wording import counted

CANVAS = "writing-canvas"
TIMES_EACH = 2  # each digit is asked for
COUNT = 10 * TIMES_EACH
PEN_WIDTH = 20


@dataclass
class Sitting:
    """The digits that a writer is asked for, and how many are done."""

    digits: list[int] = field(default_factory=list)
    """Empty before the first sitting."""
    done: int = 0
    kept: list[str] = field(default_factory=list)
    """Ids of the drawings; a skipped digit has none."""
    last: tuple[int, int] | None = None
    """The digit asked for last and the answer to it; None if there is none, or it was skipped."""
    asking: bool = False
    """Whether the visitor wants to begin, and must first say whether drawings may be kept."""

    def begin(self) -> None:
        """Start asking for digits, in random order."""
        self.digits, self.done = random.sample(list(range(10)) * TIMES_EACH, COUNT), 0
        self.kept, self.last, self.asking = [], None, False

    def stop(self) -> None:
        """Ask for no more digits."""
        self.digits = self.digits[: self.done]

    @property
    def unfinished(self) -> bool:
        """Whether there are digits left to write."""
        return self.done < len(self.digits)


def is_writing() -> bool:
    """Return whether the visitor is writing; this ends when drawings may no longer be kept."""
    sitting = _sitting()
    if not keeper().consent:
        sitting.stop()
    return sitting.unfinished


def _sitting() -> Sitting:
    return lasting("sitting", Sitting)


@st.fragment
@errors_in_words()
def write_digits(*, writing: bool, consent: bool | None) -> None:
    """Invite the visitor to write; then ask for one digit after the other, until all are done or they stop.

    Args:
        writing: what `is_writing` returned when the page was drawn; a change redraws the whole page.
        consent: whether drawings might be kept then; the same holds.
    """
    if (is_writing(), keeper().consent) != (writing, consent):
        st.rerun()
    sitting = _sitting()
    if sitting.unfinished:
        _ask_for(sitting)
    else:
        _invite(sitting)
    show_unsaved()


def _invite(sitting: Sitting) -> None:
    if not sitting.digits:
        st.button(f"Write {COUNT} digits", type="primary", icon=":material/edit:", on_click=_begin)
    else:
        saved = sum(keeper().is_saved(id) for id in sitting.kept)
        kept = counted(saved, "digit")
        if keeper().consent:
            st.success(f"Done: {kept} kept. See below how often the network is right.")
        else:
            st.info(f"Writing has ended, as nothing is kept any more. Kept before: {kept}.")
        st.button("Write more", icon=":material/edit:", on_click=_begin)
    if sitting.asking and not keeper().consent:
        about = "The network learns from what you write. See above what is kept, and under which name."
        ask_for_consent(about, name=False, on_answer=_begin_if)


def _ask_for(sitting: Sitting) -> None:
    digit, count = sitting.digits[sitting.done], len(sitting.digits)
    st.progress(sitting.done / count, text=f"{sitting.done + 1} of {count}")
    st.html(  # always one element: if elements above the canvas come and go, it is recreated empty
        f'<div class="asked-for" role="status"><p>Write a <b>{digit}</b></p>{_last_answer(sitting)}</div>'
    )
    current = draw_board(PEN_WIDTH, CANVAS)
    drawn = not current.is_empty
    with st.container(horizontal=True, gap="small"):
        label = "Next" if sitting.done + 1 < count else "Finish"
        st.button(label, type="primary", icon=":material/arrow_forward:", on_click=_next, disabled=not drawn)
        st.button("Undo", icon=":material/undo:", on_click=current.undo, disabled=not current.can_undo)
        st.button("Clear", icon=":material/delete:", on_click=current.clear, disabled=not drawn)
        st.button("Skip", icon=":material/skip_next:", on_click=_ask_for_next)
        st.button("Stop", icon=":material/stop:", on_click=sitting.stop)


def _last_answer(sitting: Sitting) -> str:
    """Return a line about the digit before."""
    if sitting.last is None:
        return ""
    asked, answer = sitting.last
    style, mark = ("right", "✓") if asked == answer else ("wrong", "✗")
    return f'<p class="read {style}"><b>{mark}</b> Your {asked} was classified as {answer}</p>'


def _begin() -> None:
    """Begin if drawings may be kept; otherwise ask first."""
    sitting = _sitting()
    if keeper().consent:
        sitting.begin()
        board(CANVAS).start_over()
    else:
        sitting.asking = True


def _begin_if(consent: bool) -> None:
    _sitting().asking = False
    if consent:
        _begin()


@errors_in_words()
def _next() -> None:
    """Keep what was written, and ask for the next digit."""
    current, sitting = board(CANVAS), _sitting()
    if not is_writing():
        return
    try:
        frame = current.frame()
    except EmptyDrawingError:
        return
    reader = loaders.active_reader()
    prediction = reader.classifier.predict_frame(frame)
    asked = sitting.digits[sitting.done]
    drawing = stored(current, reader.name, prediction, asked)
    keeper().keep(drawing)
    sitting.kept.append(drawing.id)
    _ask_for_next((asked, prediction.digit))


def _ask_for_next(last: tuple[int, int] | None = None) -> None:
    sitting = _sitting()
    sitting.done += 1
    sitting.last = last
    board(CANVAS).start_over()
