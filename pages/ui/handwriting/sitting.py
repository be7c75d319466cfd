"""A sitting: a writer is asked for twenty digits, one after the other, and writes them."""

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
    kept: list[str] = field(default_factory=list)
    """Ids of what was written; those that were skipped have none."""
    read: tuple[int, int] | None = None
    """What was asked for last, and what it was read as; None where nothing was, or it was skipped."""
    asking: bool = False
    """Whether the visitor wants to begin, and is asked first whether drawings may be kept."""

    def begin(self) -> None:
        """Ask for digits, shuffled."""
        self.digits, self.done = random.sample(list(range(10)) * EACH, 10 * EACH), 0
        self.kept, self.read, self.asking = [], None, False

    def stop(self) -> None:
        """Ask for no more."""
        self.digits = self.digits[: self.done]

    @property
    def goes_on(self) -> bool:
        """Whether there is more to write."""
        return self.done < len(self.digits)


def is_writing() -> bool:
    """Whether a sitting goes on; it ends when drawings may no longer be kept."""
    sitting = _sitting()
    if not keeper().consent:
        sitting.stop()
    return sitting.goes_on


def _sitting() -> Sitting:
    return lasting("sitting", Sitting)


@st.fragment
@errors_in_words()
def write_digits(*, writing: bool, consent: bool | None) -> None:
    """The invitation to write; then digit after digit, until all are done or the writer stops.

    `writing` is what `is_writing` said when the page was drawn, and `consent` the answer then; when one of them
    changes, the whole page is drawn anew.
    """
    if (is_writing(), keeper().consent) != (writing, consent):
        st.rerun()
    sitting = _sitting()
    if sitting.goes_on:
        _ask_for(sitting)
    else:
        _invite(sitting)
    show_unsaved()


def _invite(sitting: Sitting) -> None:
    if not sitting.digits:
        st.button(f"Write {10 * EACH} digits", type="primary", icon=":material/edit:", on_click=_begin)
    else:
        saved = sum(keeper().is_saved(id) for id in sitting.kept)
        kept = "1 digit" if saved == 1 else f"{saved} digits"
        if keeper().consent:
            st.success(f"Done: {kept} kept. How well your hand is read stands below.")
        else:
            st.info(f"From now on nothing is kept, so this ended. Kept before: {kept}.")
        st.button("Write more", icon=":material/edit:", on_click=_begin)
    if sitting.asking and not keeper().consent:
        about = "What you write is for the reader to learn from; above stands what is kept, and under which name."
        ask_for_consent(about, name=False, on_answer=_begin_if)


def _ask_for(sitting: Sitting) -> None:
    digit, count = sitting.digits[sitting.done], len(sitting.digits)
    st.progress(sitting.done / count, text=f"{sitting.done + 1} of {count}")
    st.html(  # one element, always there: were one to come above the canvas, that would begin anew, empty
        f'<div class="asked-for" role="status"><p>Write a <b>{digit}</b></p>{_how_it_was_read(sitting)}</div>'
    )
    current = draw_board(PEN_WIDTH, CANVAS)
    drawn = not current.is_empty
    with st.container(horizontal=True, gap="small"):
        label = "Next" if sitting.done + 1 < count else "Finish"
        st.button(label, type="primary", icon=":material/arrow_forward:", on_click=_next, disabled=not drawn)
        st.button("Undo", icon=":material/undo:", on_click=current.undo, disabled=not current.can_undo)
        st.button("Clear", icon=":material/delete:", on_click=current.clear, disabled=not drawn)
        st.button("Skip this one", icon=":material/skip_next:", on_click=_go_on)
        st.button("Stop here", icon=":material/stop:", on_click=sitting.stop)


def _how_it_was_read(sitting: Sitting) -> str:
    """A line about the digit before."""
    if sitting.read is None:
        return ""
    asked, answer = sitting.read
    right = asked == answer
    return (
        f'<p class="read {"right" if right else "wrong"}"><b>{"✓" if right else "✗"}</b> Your {asked} was read as '
        f"{answer}</p>"
    )


def _begin() -> None:
    """Begin, if drawings may be kept; else ask."""
    sitting = _sitting()
    if keeper().consent:
        sitting.begin()
        board(CANVAS).start_anew()
    else:
        sitting.asking = True


def _begin_if(consent: bool) -> None:
    _sitting().asking = False
    if consent:
        _begin()


@errors_in_words()
def _next() -> None:
    """Keep what was written, and ask for the next."""
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
    _go_on((asked, prediction.digit))


def _go_on(read: tuple[int, int] | None = None) -> None:
    sitting = _sitting()
    sitting.done += 1
    sitting.read = read
    board(CANVAS).start_anew()
