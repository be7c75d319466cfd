"""The Look inside page: how far the drawing can go before the answer changes, and what each layer makes of it."""

import streamlit as st

from mnist_core.errors import EmptyDrawingError
from mnist_core.explanation.robustness import Movement, move, reach
from mnist_core.explanation.units import look_inside
from mnist_core.versions.catalogue import title_of
from pages.ui import loaders
from pages.ui.inside.moving import WAYS, Frame, move_along, movement_now, put_back, show_moved, show_reach
from pages.ui.inside.network import MOST_SHOWN, show_exciting, show_network, show_unit
from pages.ui.layout import begin_page, errors_in_words, plain
from pages.ui.widgets.board import board, put_example


@st.fragment
@errors_in_words()
def move_and_look() -> None:
    """All that changes as the digit moves."""
    reader = loaders.active_reader()
    if reader.problem:
        st.warning(f"The version that was chosen cannot be used, so the shipped one answers. {reader.problem}")
    try:
        frame = board().frame()
    except EmptyDrawingError:
        invite()
    else:
        how_far(reader, frame)
        inside(reader, move(frame, movement_now()))


def invite() -> None:
    """What stands there without a drawing."""
    st.markdown("See what each layer of the network makes of a digit. It needs one to look at:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Try an example", icon=":material/casino:", type="primary", on_click=errors_in_words()(put_example))
        st.page_link("app.py", label="Draw one yourself", icon=":material/draw:")


def how_far(reader: loaders.Reader, frame: Frame) -> None:
    """The moved frame with its answer, and for each direction a slider and how far the answer stays."""
    movement = movement_now()
    digit = reader.classifier.predict_frame(frame).digit
    prediction = reader.classifier.predict_frame(move(frame, movement))
    st.header("How far can it go?", anchor=False)
    with st.container(key="how-far"):
        with st.container():
            show_moved(move(frame, movement), prediction)
        with st.container():
            cells = [*st.columns(2, gap="medium"), *st.columns(2, gap="medium")]
            for direction, cell in zip(WAYS, cells, strict=True):
                with cell:
                    move_along(direction)
                    found = reach(reader.classifier, frame, direction, movement)
                    show_reach(direction, found, digit, getattr(movement, direction), prediction.probabilities[digit])
            st.button("Put it back", icon=":material/restart_alt:", on_click=put_back, disabled=movement == Movement())
    st.caption(
        f"Curves: how probable the network finds {digit}, its answer to the digit as drawn, along one direction, the "
        "others left as they are. Filled: as long as that stays its answer. Dot: where the digit is now."
    )


@st.fragment
@errors_in_words()
def inside(reader: loaders.Reader, frame: Frame) -> None:
    """The network while it reads the moved frame; picking a unit runs nothing but this."""
    layers = look_inside(reader.classifier.model, frame)
    st.header("What each layer does with it", anchor=False)
    st.markdown("Ink excites the units that look for it; they excite or inhibit the next; the last speak for a digit.")
    show_network(frame, layers, reader.classifier.predict_frame(frame))
    st.caption(
        f"This is **{plain(title_of(reader.name))}**. A circle is a unit: in it the ink it looks for, around it a "
        f"ring, the longer the more active it is. The {MOST_SHOWN} most active of each layer are shown, the strongest "
        "first. Lines are the strongest connections: solid blue excites, dashed orange inhibits. Press a unit to learn "
        "more."
    )
    show_unit(layers)
    show_exciting(loaders.exemplars(reader), layers)


begin_page("Look inside")
st.title("Look inside the network")
move_and_look()
