"""The Draw page: draw a digit, be told at once which it is, how sure the network is, and what it saw."""

import random

import streamlit as st

from mnist_core import registry
from mnist_core.calibration import ACCEPTED
from mnist_core.catalogue import entries, title_of
from mnist_core.errors import EmptyDrawingError
from pages.ui import loaders
from pages.ui.answer import RIVAL, STRICTNESS, choose_rival, choose_strictness, show_answer, show_version, show_waiting
from pages.ui.board import SIDE, board, draw_board
from pages.ui.layout import begin_page, errors_in_words

PEN_WIDTH = "pen_width"


@st.fragment
@errors_in_words()
def draw_and_answer() -> None:
    """All that changes with a stroke; nothing else of the page runs again."""
    side_by_side = st.container(horizontal=True, gap="medium", key="draw-and-answer")
    with side_by_side.container(width=SIDE):
        current = draw_board(st.session_state.get(PEN_WIDTH, 20))
        with st.container(horizontal=True, gap="small", key="tools"):
            st.button("Clear", icon=":material/delete:", on_click=current.clear, type="primary")
            st.button("Undo", icon=":material/undo:", on_click=current.undo, disabled=not current.strokes)
            st.button("Try an example", icon=":material/casino:", on_click=put_example)
        st.slider("Pen width", 8, 40, 20, step=2, key=PEN_WIDTH, persist_state="session")
    with side_by_side.container(key="answer"):
        reader = loaders.active_reader()
        try:
            frame, problems = current.frame(), current.problems()
            accept = st.session_state.get(STRICTNESS, ACCEPTED)
            prediction = reader.classifier.predict_frame(frame, accept=accept)
            if rival := st.session_state.get(RIVAL):
                titles = (title_of(reader.name), title_of(rival))
                candidate = loaders.reader_of(rival).classifier.predict_frame(frame, accept=accept)
                show_answer(prediction, frame, problems, titles, candidate)
            else:
                show_answer(prediction, frame, problems)
        except EmptyDrawingError:
            show_waiting()
        if current.origin:
            st.caption(current.origin)
        choose_strictness(reader.record)
        show_version(title_of(reader.name), reader.record)
        if reader.problem:
            st.warning(f"The version that was chosen cannot be used, so the shipped one answers. {reader.problem}")


@errors_in_words()
def put_example() -> None:
    """Put a digit of the bundled sample on the board."""
    sample = loaders.sample()
    index = random.randrange(len(sample))
    label = sample.labels[index]
    board().put(
        sample.images[index], f"An example from MNIST's training images, labelled {label}. Draw on it, or clear."
    )


@st.fragment(run_every="2s")
def follow_active_version() -> None:
    """Let this tab answer anew when another one, or a command line, makes another version active."""
    name = registry.active_name()
    if st.session_state.setdefault("answering_version", name) != name:
        st.session_state["answering_version"] = name
        st.rerun()


begin_page("Draw")
st.title("Draw a digit")
draw_and_answer()
with errors_in_words():
    choose_rival({entry.name: entry.title for entry in entries() if not entry.active})
follow_active_version()
