"""A guided demo for people who present the app: five stops, each a sentence and a button.

The session holds which stop a visitor is at. The board and the run show whether the stop is done, so what a visitor
does by hand counts too. The demo needs no network and no images but the bundled sample.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st

from mnist_core import RECIPES
from mnist_core.errors import RunError
from mnist_core.images.strokes import draw_strokes
from mnist_core.runs import jobs
from mnist_core.runs.folder import RunRequest
from mnist_core.runs.status import find_run
from pages.ui.widgets.board import board, put_example
from pages.ui.widgets.pressing import pressed

DEMO = "demo"
CLEAR_SEVEN = 3541
"""Index in the sample of a seven that all shipped versions classify correctly, with high confidence."""
SHAKY_FIVE = (
    "94,22 84,29 79,20 68,29 62,22 58,34 60,41 46,46 48,54 58,46 62,57 71,52 63,64 68,72 53,71 52,82 40,76 36,86 "
    "26,76 18,82",
)
"""Strokes, each a list of points `x,y` in pixels of the canvas, as in SVG."""
SCRIBBLE = ("60,200 85,80 110,205 130,75 155,210 175,70 205,200 225,80", "50,120 120,150 180,110 235,160")

State = Literal["open", "running", "failed", "done"]


@dataclass
class Tour:
    """Where a visitor is in the demo."""

    place: int = 0
    """Index of the stop."""
    run: str = ""
    """Id of the run that the demo started, or empty."""
    shown: State = "open"
    """State of the stop when the banner was last drawn."""


@dataclass(frozen=True)
class Stop:
    """One stop of the demo: its button acts for the visitor, then leads to the next stop."""

    page: str
    sentence: str
    next_label: str
    """Label of the button once the stop is done."""
    act_label: str = ""
    """Label of the button before that."""
    act: Callable[[], None] = lambda: None
    """What the button does before the stop is done."""
    arrive: Callable[[], None] = lambda: None
    """What happens when the button of the stop before leads here."""
    state: Callable[[], State] = lambda: "done"
    done_sentence: str = ""
    """Replaces the sentence once the stop is done, if given."""


def take_part(here: str) -> None:
    """Show the demo's banner below the navigation of the page at the path `here`, if the demo is on."""
    tour: Tour | None = st.session_state.get(DEMO)
    if tour is None:
        return
    stop, number = STOPS[tour.place], tour.place + 1
    tour.shown = stop.state()
    sentence, label, busy = stop.sentence, f"Go to stop {number}", False
    if here == stop.page:
        labels = {"open": stop.act_label, "running": "Training …", "failed": "Try again", "done": stop.next_label}
        label, busy = labels[tour.shown], tour.shown == "running"
        sentence = stop.done_sentence if stop.done_sentence and tour.shown == "done" else sentence
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=DEMO):
        st.markdown(f"**Stop {number} of {len(STOPS)}** · {sentence}", width="stretch")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            # one key for all labels: the browser changes the button, and never shows an old one beside it
            if pressed(label, type="primary", key=f"{DEMO}-button", disabled=busy):
                _press(tour, here)
            if pressed("Leave the demo", type="tertiary", key="leave-demo"):
                del st.session_state[DEMO]
                st.query_params.pop(DEMO, None)
                st.rerun()


def offer_demo() -> None:
    """Show the button that starts the demo, unless it is on.

    A link with `?demo=1` starts it too; one with another number, as after a reload, resumes it at that stop.
    """
    if DEMO not in st.session_state and (asked := st.query_params.get(DEMO)):
        number = int(asked) if asked.isdecimal() else 1
        st.session_state[DEMO] = Tour(place=min(max(number, 1), len(STOPS)) - 1)
    if DEMO not in st.session_state and pressed(
        "Guided demo", icon=":material/tour:", type="tertiary", key="begin-demo"
    ):
        st.session_state[DEMO] = Tour()
        st.switch_page(STOPS[0].page, query_params=address())


def address() -> dict[str, str]:
    """Return the query parameters by which a link resumes the demo; empty if it is off."""
    tour: Tour | None = st.session_state.get(DEMO)
    return {} if tour is None else {DEMO: str(tour.place + 1)}


def keep_up() -> None:
    """Rerun the page if the state of the stop has changed since the banner was drawn."""
    tour: Tour | None = st.session_state.get(DEMO)
    if tour is not None and STOPS[tour.place].state() != tour.shown:
        st.rerun()


def _press(tour: Tour, here: str) -> None:
    """Open the stop's page, act for the visitor, or lead to the next stop."""
    stop = STOPS[tour.place]
    if here == stop.page and tour.shown != "done":
        stop.act()
    elif here == stop.page and stop is STOPS[-1]:
        del st.session_state[DEMO]
        stop = STOPS[0]
    elif here == stop.page:
        tour.place += 1
        stop = STOPS[tour.place]
        stop.arrive()
    st.switch_page(stop.page, query_params=address())


def _drawn() -> State:
    return "open" if board().is_empty else "done"


def _draw(strokes: tuple[str, ...], pen: int, name: str) -> None:
    points = [np.array([point.split(",") for point in stroke.split()], float) for stroke in strokes]
    board().put(255 - draw_strokes(points, pen), f"{name}, drawn for the demo. Draw on it, or clear.")


def _train() -> None:
    st.session_state[DEMO].run = jobs.start(RunRequest(RECIPES["quick"], "sample")).id


def _trained() -> State:
    if not (identifier := st.session_state[DEMO].run):
        return "open"
    with suppress(RunError):  # the run may have been deleted
        run = find_run(identifier)
        return "running" if not run.ended else "done" if run.state == "finished" else "failed"
    return "failed"


def _put_a_digit() -> None:
    """Put a digit on the board, unless the visitor has drawn one by hand."""
    if board().is_empty or board().origin:
        put_example(CLEAR_SEVEN)


STOPS = (
    Stop(
        page="app.py",
        sentence="Draw a digit from 0 to 9. The network classifies it after every stroke.",
        act_label="Draw one for me",
        act=lambda: put_example(CLEAR_SEVEN),
        state=_drawn,
        next_label="Next: draw it badly",
    ),
    Stop(
        page="app.py",
        sentence="Now make it hard: draw a digit that is tiny, slanted and shaky, in a corner.",
        act_label="Draw one badly for me",
        act=lambda: _draw(SHAKY_FIVE, 7, "A shaky five"),
        arrive=lambda: board().clear(),
        state=_drawn,
        next_label="Next: scribble",
    ),
    Stop(
        page="app.py",
        sentence="Now scribble. A model you can trust says so when a drawing is not a digit.",
        act_label="Scribble for me",
        act=lambda: _draw(SCRIBBLE, 16, "A scribble"),
        arrive=lambda: board().clear(),
        state=_drawn,
        next_label="Next: retrain it",
    ),
    Stop(
        page="pages/1_Train.py",
        sentence="Train a new version in seconds and compare it with the active one.",
        done_sentence="Done. [See below](#outcome) which version makes fewer mistakes, and whether that may be chance.",
        act_label="Train now",
        act=_train,
        state=_trained,
        next_label="Next: look inside",
    ),
    Stop(
        page="pages/3_Look_inside.py",
        sentence="Look inside: how far can a digit move before the answer changes, and what does each layer see?",
        arrive=_put_a_digit,
        next_label="Finish",
    ),
)
