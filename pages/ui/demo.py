"""A guided demo for whoever presents the app: five stops, each a sentence and one button.

Where a visitor stands is in the session; whether a stop is done is seen from the board and the run, so that whatever a
visitor does by hand counts as well. It needs no network, and no images but the bundled sample.
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
from mnist_core.runs.assignments import Assignment
from mnist_core.runs.status import find_run
from pages.ui.widgets.board import board, put_example

DEMO = "demo"
WELL_READ = 3541
"""Place in the sample of a seven that all shipped versions read with certainty."""
BAD_FIVE = (
    "94,22 84,29 79,20 68,29 62,22 58,34 60,41 46,46 48,54 58,46 62,57 71,52 63,64 68,72 53,71 52,82 40,76 36,86 "
    "26,76 18,82",
)
"""Strokes as SVG writes points: `x,y` in pixels of the canvas."""
SCRIBBLE = ("60,200 85,80 110,205 130,75 155,210 175,70 205,200 225,80", "50,120 120,150 180,110 235,160")

State = Literal["open", "going on", "failed", "done"]


@dataclass
class Tour:
    """Where a visitor who takes the demo stands."""

    place: int = 0
    """Of the stop, from 0."""
    run: str = ""
    """The id of the run that the demo started; empty where it started none."""
    told: State = "open"
    """How the stop stood when the banner was drawn last."""


@dataclass(frozen=True)
class Stop:
    """A station of the demo: one sentence and one button, which does it for the visitor, then leads on."""

    page: str
    sentence: str
    onward: str
    """The button once the stop is done."""
    offer: str = ""
    """The button until then."""
    act: Callable[[], None] = lambda: None
    """What that one does."""
    arrive: Callable[[], None] = lambda: None
    """What happens when a visitor presses to come here."""
    state: Callable[[], State] = lambda: "done"
    outcome: str = ""
    """The sentence once the stop is done, where it is another one."""


def take_part(here: str) -> None:
    """The banner of the demo for the page at the path `here`, while a visitor takes it; below the navigation."""
    tour: Tour | None = st.session_state.get(DEMO)
    if tour is None:
        return
    stop, number = STOPS[tour.place], tour.place + 1
    tour.told = stop.state()
    words, label, busy = stop.sentence, f"Go to stop {number}", False
    if here == stop.page:
        labels = {"open": stop.offer, "going on": "It is learning …", "failed": "Try again", "done": stop.onward}
        label, busy = labels[tour.told], tour.told == "going on"
        words = stop.outcome if stop.outcome and tour.told == "done" else words
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=DEMO):
        st.markdown(f"**Stop {number} of {len(STOPS)}** · {words}", width="stretch")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            # by its key the browser knows it for the same button, and never shows an old one beside it
            if st.button(label, type="primary", key=f"{DEMO}-button", disabled=busy):
                _press(tour, here)
            if st.button("Leave the demo", type="tertiary"):
                del st.session_state[DEMO]
                st.query_params.pop(DEMO, None)
                st.rerun()


def offer_demo() -> None:
    """The button that begins the demo, where it is not on; a link with `?demo=1` begins it too, and one with a later
    stop's number, as after a reload, goes on there."""
    if DEMO not in st.session_state and (asked := st.query_params.get(DEMO)):
        number = int(asked) if asked.isdecimal() else 1
        st.session_state[DEMO] = Tour(place=min(max(number, 1), len(STOPS)) - 1)
    if DEMO not in st.session_state and st.button("Guided demo", icon=":material/tour:", type="tertiary"):
        st.session_state[DEMO] = Tour()
        st.switch_page(STOPS[0].page, query_params=address())


def address() -> dict[str, str]:
    """What a page's address says of the demo while it is on."""
    tour: Tour | None = st.session_state.get(DEMO)
    return {} if tour is None else {DEMO: str(tour.place + 1)}


def keep_up() -> None:
    """Have the page drawn anew where what happened since the banner was drawn changes it."""
    tour: Tour | None = st.session_state.get(DEMO)
    if tour is not None and STOPS[tour.place].state() != tour.told:
        st.rerun()


def _press(tour: Tour, here: str) -> None:
    """Lead to the stop's page, do for the visitor what the stop is about, or go on to the next stop."""
    stop = STOPS[tour.place]
    if here == stop.page and tour.told != "done":
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


def _put(strokes: tuple[str, ...], pen: int, what: str) -> None:
    points = [np.array([point.split(",") for point in stroke.split()], float) for stroke in strokes]
    board().put(255 - draw_strokes(points, pen), f"{what}, drawn for the demo. Draw on it, or clear.")


def _train() -> None:
    st.session_state[DEMO].run = jobs.start(Assignment(RECIPES["quick"], "sample")).id


def _trained() -> State:
    if not (identifier := st.session_state[DEMO].run):
        return "open"
    with suppress(RunError):  # somebody deleted it
        run = find_run(identifier)
        return "going on" if not run.ended else "done" if run.state == "finished" else "failed"
    return "failed"


def _have_a_digit() -> None:
    if board().is_empty or board().origin:  # but what a visitor drew by hand stays
        put_example(WELL_READ)


STOPS = (
    Stop(
        page="app.py",
        sentence="Draw a digit, 0 to 9, on the white paper, and see what the network makes of it.",
        offer="Draw one for me",
        act=lambda: put_example(WELL_READ),
        state=_drawn,
        onward="Next: draw it badly",
    ),
    Stop(
        page="app.py",
        sentence="Now make it hard: draw one that is tiny, slanted and shaky, in a corner of the paper.",
        offer="Draw one badly for me",
        act=lambda: _put(BAD_FIVE, 7, "A bad five"),
        arrive=lambda: board().clear(),
        state=_drawn,
        onward="Next: scribble",
    ),
    Stop(
        page="app.py",
        sentence="Now scribble. A reader worth trusting says so when it is no digit.",
        offer="Scribble for me",
        act=lambda: _put(SCRIBBLE, 16, "A scribble"),
        arrive=lambda: board().clear(),
        state=_drawn,
        onward="Next: retrain it",
    ),
    Stop(
        page="pages/1_Train.py",
        sentence="Train a new version in seconds, and compare it with the one that answers now.",
        outcome="Done. [See below](#outcome) how well both read, and whether the difference is more than chance.",
        offer="Train now",
        act=_train,
        state=_trained,
        onward="Next: look inside",
    ),
    Stop(
        page="pages/3_Look_inside.py",
        sentence="Look inside: how far a digit can move before the answer changes, and what each layer makes of it.",
        arrive=_have_a_digit,
        onward="Finish",
    ),
)
