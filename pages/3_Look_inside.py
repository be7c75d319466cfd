"""The Look inside page: when the answer changes as the digit moves, and what each layer does with it."""

import streamlit as st

from mnist_core.errors import EmptyDrawingError
from mnist_core.explanation.robustness import Movement, move, reach
from mnist_core.explanation.units import look_inside
from mnist_core.versions.catalogue import title_of
from pages.ui import loaders
from pages.ui.inside.moving import STYLE, WAYS, Frame, move_along, movement_now, reset_movement, show_moved, show_reach
from pages.ui.inside.network import MOST_UNITS, show_exciting, show_network, show_unit
from pages.ui.layout import begin_page, errors_in_words, plain
from pages.ui.widgets.board import board, put_example
from pages.ui.wording import answered_by_shipped


@st.fragment
@errors_in_words()
def move_and_look() -> None:
    """Show everything that changes as the digit moves."""
    reader = loaders.active_reader()
    if reader.problem:
        st.warning(answered_by_shipped(reader.problem))
    try:
        frame = board().frame()
    except EmptyDrawingError:
        invite()
    else:
        how_far(reader, frame)
        inside(reader, move(frame, movement_now()))


def invite() -> None:
    """Show what to do when there is no drawing."""
    st.markdown("See what each layer of the network does with a digit. Start with one:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Try an example", icon=":material/casino:", type="primary", on_click=errors_in_words()(put_example))
        st.page_link("app.py", label="Draw one yourself", icon=":material/draw:")


def how_far(reader: loaders.Reader, frame: Frame) -> None:
    """Show the moved frame with its answer, and for each direction a slider and how far the answer holds."""
    movement = movement_now()
    digit = reader.classifier.predict_frame(frame).digit
    moved = move(frame, movement)
    prediction = reader.classifier.predict_frame(moved)
    st.header("When does the answer change?", anchor=False)
    with st.container(key="how-far"):
        with st.container():
            show_moved(moved, movement, prediction)
        with st.container():
            cells = [*st.columns(2, gap="medium"), *st.columns(2, gap="medium")]
            for direction, cell in zip(WAYS, cells, strict=True):
                with cell:
                    move_along(direction)
                    found = reach(reader.classifier, frame, direction, movement)
                    show_reach(direction, found, digit, getattr(movement, direction), prediction.probabilities[digit])
            st.button("Reset", icon=":material/restart_alt:", on_click=reset_movement, disabled=movement == Movement())
    st.caption(
        f"Curves: the probability of {digit}, the answer to the digit as drawn, along one direction, with the other "
        f"sliders as they are. Filled: the answer stays {digit}. Dot: where the digit is now."
    )


@st.fragment
@errors_in_words()
def inside(reader: loaders.Reader, frame: Frame) -> None:
    """Show the network as it processes the moved frame; picking a unit reruns only this."""
    layers = look_inside(reader.classifier.model, frame)
    st.header("What each layer does with the digit", anchor=False)
    st.markdown(
        "Ink excites the units that look for it. These excite or inhibit the units of the next layer. The last layer "
        "speaks for one digit or another."
    )
    show_network(frame, layers, reader.classifier.predict_frame(frame))
    st.caption(
        f"Version: **{plain(title_of(reader.name))}**. Each circle is a unit. Inside: the ink it looks for. The ring "
        f"around it: the longer, the more active. Shown are the {MOST_UNITS} most active units of each layer and their "
        "strongest connections: solid blue excites, dashed orange inhibits. Click a unit to learn more."
    )
    show_unit(layers)
    show_exciting(loaders.exemplars(reader), layers)


begin_page("Look inside")
st.html(STYLE)
st.title("Look inside the network")
move_and_look()
