"""The Draw page: draw a digit, be told at once which it is, how sure the network is, and what it saw."""

import streamlit as st

from mnist_core import Prediction
from mnist_core.errors import EmptyDrawingError
from mnist_core.network.calibration import ACCEPTED
from mnist_core.versions.active import active_name
from mnist_core.versions.catalogue import entries, title_of
from pages.ui import loaders
from pages.ui.demo import keep_up
from pages.ui.handwriting.keeping import ask_what_it_was, remember_consent
from pages.ui.layout import begin_page, errors_in_words
from pages.ui.loaders import Reader
from pages.ui.widgets.answer import (
    RIVAL,
    STRICTNESS,
    choose_rival,
    choose_strictness,
    show_answer,
    show_version,
    show_waiting,
)
from pages.ui.widgets.board import SIDE, Board, draw_board, put_example
from pages.ui.widgets.why import show_nearest, show_why

PEN_WIDTH, NEAREST = "pen_width", "nearest"


@st.fragment
@errors_in_words()
def draw_and_answer() -> None:
    """All that changes with a stroke; nothing else of the page runs again."""
    side_by_side = st.container(horizontal=True, gap="medium", key="draw-and-answer")
    with side_by_side.container(width=SIDE):
        current = draw_board(st.session_state.get(PEN_WIDTH, 20))
        with st.container(horizontal=True, gap="small", key="tools"):
            st.button("Clear", icon=":material/delete:", on_click=current.clear, type="primary")
            st.button("Undo", icon=":material/undo:", on_click=current.undo, disabled=not current.can_undo)
            st.button("Try an example", icon=":material/casino:", on_click=errors_in_words()(put_example))
        st.slider("Pen width", 8, 40, 20, step=2, key=PEN_WIDTH, persist_state="session")
    reader = loaders.active_reader()
    with side_by_side.container(key="answer"):
        answered = answer(current, reader)
        if current.origin:
            st.caption(current.origin)
        if reader.problem:
            st.warning(f"The version that was chosen cannot be used, so the shipped one answers. {reader.problem}")
        if answered:
            ask_what_it_was(current, reader.name, answered, current.frame())
    if answered:
        give_reasons(current, reader, answered)
    choose_strictness(reader.record)
    show_version(title_of(reader.name), reader.record)
    remember_consent()  # even with nothing drawn: another tab may be told a new answer
    keep_up()


def answer(current: Board, reader: Reader) -> Prediction | None:
    """What the active version says of the drawing, and, if one was chosen, another one beside it."""
    try:
        frame, problems = current.frame(), current.problems()
    except EmptyDrawingError:
        show_waiting()
        return None
    accept = st.session_state.get(STRICTNESS, ACCEPTED)
    prediction = reader.classifier.predict_frame(frame, accept=accept)
    if rival := st.session_state.get(RIVAL):
        titles = (title_of(reader.name), title_of(rival))
        candidate = loaders.reader_of(rival).classifier.predict_frame(frame, accept=accept)
        show_answer(prediction, frame, problems, titles, candidate)
    else:
        show_answer(prediction, frame, problems)
    return prediction


def give_reasons(current: Board, reader: Reader, prediction: Prediction) -> None:
    """Why that is the answer; made after it was shown, so that it does not wait."""
    frame, window = current.framed()
    show_why(reader, prediction, frame, current.ink(), window)
    nearest = st.expander("Which training digits are most like this one?", on_change="rerun", key=NEAREST)
    if nearest.open:
        with nearest:
            show_nearest(reader, frame)


@st.fragment(run_every="2s")
def follow_active_version() -> None:
    """Let this tab answer anew when another one, or a command line, makes another version active."""
    name = active_name()
    if st.session_state.setdefault("answering_version", name) != name:
        st.session_state["answering_version"] = name
        st.rerun()


begin_page("Draw")
st.title("Draw a digit")
draw_and_answer()
with errors_in_words():
    choose_rival({entry.name: entry.title for entry in entries() if not entry.active})
follow_active_version()
