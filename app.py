"""The Draw page: draw a digit and see at once which it is, how sure the network is, and why."""

import streamlit as st

from mnist_core import Prediction
from mnist_core.errors import EmptyDrawingError
from mnist_core.images.framing import Drawing
from mnist_core.network.calibration import ACCEPTED
from mnist_core.versions.active import active_name
from mnist_core.versions.catalogue import entries, title_of
from pages.ui import loaders
from pages.ui.demo import keep_up
from pages.ui.handwriting.keeping import ask_what_it_was, remember_consent, rerun_if_consent_changed
from pages.ui.layout import begin_page, errors_in_words
from pages.ui.loaders import Reader
from pages.ui.server import giving_way, taking_turns
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

PEN_WIDTH, NEAREST, SHOWN_VERSION = "pen_width", "nearest", "shown_version"


@st.fragment
@errors_in_words()
def draw_and_answer() -> None:
    """Show what changes with a stroke; nothing else of the page runs again."""
    side_by_side = st.container(horizontal=True, gap="medium", key="draw-and-answer")
    paper, answered = side_by_side.container(width=SIDE), side_by_side.container(key="answer")
    with taking_turns():
        with paper:
            board = draw_board(st.session_state.get(PEN_WIDTH, 20))
        reader = loaders.active_reader()
        drawing = drawing_on(board)
        with answered:
            prediction = answer(board, drawing, reader)
    with giving_way():
        if prediction:
            with answered:
                ask_what_it_was(board, reader.name, prediction)
        with paper:
            show_tools(board)
        if drawing and prediction:
            show_why(reader, prediction, drawing, board.png or b"")
    if drawing:
        nearest = st.expander("Which training digits are most like this one?", on_change="rerun", key=NEAREST)
        if nearest.open:
            with nearest:
                show_nearest(reader, drawing.frame)
    rerun_if_consent_changed()
    rerun_if_version_changed()
    keep_up()


def show_tools(board: Board) -> None:
    """Show what can be done to the board."""
    with st.container(horizontal=True, gap="small", key="tools"):
        st.button("Clear", icon=":material/delete:", on_click=board.clear, type="primary")
        st.button("Undo", icon=":material/undo:", on_click=board.undo, disabled=not board.can_undo)
        st.button("Try an example", icon=":material/casino:", on_click=errors_in_words()(put_example))
    st.slider("Pen width", 8, 40, 20, step=2, key=PEN_WIDTH, persist_state="session")


def drawing_on(board: Board) -> Drawing | None:
    """Return what is drawn, None while the paper is clean."""
    try:
        return board.drawing()
    except EmptyDrawingError:
        return None


def answer(board: Board, drawing: Drawing | None, reader: Reader) -> Prediction | None:
    """Show what the active version says, with another one beside it if one was chosen."""
    if drawing is None:
        show_waiting()
        prediction = None
    else:
        accept = st.session_state.get(STRICTNESS, ACCEPTED)
        prediction = reader.classifier.predict_frame(drawing.frame, accept=accept)
        if rival := st.session_state.get(RIVAL):
            titles = (title_of(reader.name), title_of(rival))
            candidate = loaders.reader_of(rival).classifier.predict_frame(drawing.frame, accept=accept)
            show_answer(prediction, drawing, titles, candidate)
        else:
            show_answer(prediction, drawing)
    if board.origin:
        st.caption(board.origin)
    if reader.problem:
        st.warning(f"The active version cannot be used, so the shipped one answers. {reader.problem}")
    return prediction


def show_settings() -> None:
    """Show when the version declines, how accurate it is, and a version to compare it with."""
    reader = loaders.active_reader()
    choose_strictness(reader.record)
    show_version(title_of(reader.name), reader.record)
    choose_rival({entry.name: entry.title for entry in entries() if not entry.active})


@st.fragment(run_every="30s")
def follow_active_version() -> None:
    """Answer again in this tab when the active version is changed in another one, or by a command."""
    rerun_if_version_changed()


def rerun_if_version_changed() -> None:
    """Run the whole page again if it describes another version than the active one."""
    name = active_name()  # reads one small file: every open tab asks for it, again and again
    if st.session_state.setdefault(SHOWN_VERSION, name) != name:
        st.session_state[SHOWN_VERSION] = name
        st.rerun()


begin_page("Draw")
remember_consent()  # before the fragment, which compares with it; even with nothing drawn, another tab may answer
st.title("Draw a digit")
draw_and_answer()
with errors_in_words():
    show_settings()
follow_active_version()
