"""Moving the digit until the answer changes: a slider, a chart and a sentence for each direction."""

import math
from dataclasses import dataclass
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from mnist_core import Prediction
from mnist_core.explanation.robustness import DIRECTIONS, Direction, Movement, Reach
from pages.ui.explore.charts import BLUE, GREY
from pages.ui.widgets.answer import data_uri, headline

STYLE = Path(__file__).with_name("page.css")
HEIGHT = 170

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Way:
    """How one direction is presented to visitors."""

    title: str
    axis: str
    help: str
    unit: str
    backward: str
    onward: str
    farther: tuple[str, str]
    """What to call places beyond either end, such as `farther left`."""
    step: float
    scale: float = 1.0
    """What a value is multiplied with for the slider."""

    def place(self, value: float) -> str:
        """Return a value in words, such as `32° left`."""
        side = self.backward if value < 0 else self.onward if value > 0 else ""
        return f"{abs(value) * self.scale:g}{self.unit} {side}".strip()


PIXELS = "In pixels of the 28 × 28 image that the network sees"
SIDEWAYS = ("left", "right", ("farther left", "farther right"))
WAYS: dict[Direction, Way] = {
    "rotation": Way("Turn", "degrees clockwise", "Around the centre of the image", "°", *SIDEWAYS, 1),
    "right": Way("Shift sideways", "pixels to the right", PIXELS, " px", *SIDEWAYS, 0.5),
    "down": Way("Shift up or down", "pixels down", PIXELS, " px", "up", "down", ("farther up", "farther down"), 0.5),
    "sharpness": Way(
        "Blur or sharpen",
        "% sharper",
        "Below 0: out of focus. Above 0: with hard edges",
        "%",
        "blurred",
        "sharpened",
        ("more blurred", "sharper"),
        5,
        100,
    ),
}


def movement_now() -> Movement:
    """Return the movement that the sliders are set to."""
    return Movement(**{name: st.session_state.get(f"move-{name}", 0.0) / way.scale for name, way in WAYS.items()})


def reset_movement() -> None:
    """Set all sliders to 0."""
    for name in WAYS:
        st.session_state[f"move-{name}"] = 0.0


def show_moved(frame: Frame, movement: Movement, prediction: Prediction) -> None:
    """Show the frame as `movement` left it, enlarged, and what the network answers to it."""
    values = ((way, getattr(movement, name)) for name, way in WAYS.items())
    places = ", ".join(way.place(value) for way, value in values if value) or "not moved"
    picture = f'<img src="{data_uri(frame)}" alt="The digit, 28 by 28 pixels: {places}">'
    st.html(f'<div class="moved">{picture}{headline(prediction)}</div>')


def move_along(direction: Direction) -> None:
    """Show the slider of one direction."""
    way, (low, high) = WAYS[direction], DIRECTIONS[direction][[0, -1]] * WAYS[direction].scale
    st.session_state.setdefault(f"move-{direction}", 0.0)
    st.slider(
        way.title,
        float(low),
        float(high),
        step=float(way.step),
        format=f"%g{way.unit.replace('%', '%%')}",
        key=f"move-{direction}",
        help=f"{way.help}.",
        persist_state="session",
    )


def show_reach(direction: Direction, reach: Reach, digit: int, now: float, probable: float) -> None:
    """Show how probable `digit` is along one direction, and for how long it stays the answer.

    Args:
        now: the slider's value; there the probability is `probable`.
    """
    way = WAYS[direction]
    stays = (reach.values >= reach.low) & (reach.values <= reach.high)
    table = pd.DataFrame({"value": reach.values * way.scale, "probability": reach.probabilities, "stays": stays})
    table["here"] = False
    table.loc[len(table)] = [now * way.scale, probable, False, True]
    ends = (reach.values[[0, -1]] * way.scale).tolist()
    base = alt.Chart(table).encode(
        x=alt.X(
            "value:Q",
            title=way.axis,
            scale=alt.Scale(domain=ends, nice=False),
            axis=alt.Axis(values=np.linspace(*ends, 5).tolist(), format="d", grid=False),
        ),
        tooltip=[
            alt.Tooltip("value:Q", title=way.axis),
            alt.Tooltip("probability:Q", title=f"probability of {digit}", format=".1%"),
        ],
    )
    along, here = base.transform_filter("!datum.here"), base.transform_filter("datum.here")
    share = alt.Axis(format=".0%", values=[0, 0.5, 1])
    probability = alt.Y("probability:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=share)
    # layers are hidden from screen readers, which would announce an empty one as an image without a name
    chart = alt.layer(
        along.transform_filter("datum.stays").mark_area(color=BLUE, opacity=0.25, aria=False).encode(y=probability),
        along.mark_line(color=BLUE, strokeWidth=2, aria=False).encode(y=probability),
        here.mark_rule(color=GREY, strokeDash=[4, 4], aria=False),
        here.mark_circle(color=BLUE, opacity=1, size=110, aria=False).encode(y=probability),
        height=HEIGHT,
        padding={"left": 0, "right": 8, "top": 0, "bottom": 8},
        title=alt.Title(f"Probability of {digit}", fontSize=13, fontWeight="normal", anchor="start", offset=6),
    )
    # the details are in the sentence below: a chart whose `alt` changes is redrawn, which flickers
    st.altair_chart(chart, key=f"reach-{direction}", alt=f"Probability of {digit} along this direction; in words below")
    st.markdown(reach_in_words(direction, reach, digit))


def reach_in_words(direction: Direction, reach: Reach, digit: int) -> str:
    """Return from where to where the answer stays the same, and what it becomes beyond."""
    way = WAYS[direction]
    if math.isnan(reach.low):
        middle = reach.digits[len(reach.digits) // 2]
        return f"With the other sliders as they are, the answer is already {middle} instead of {digit}."
    first, last = (int(np.flatnonzero(reach.values == end)[0]) for end in (reach.low, reach.high))
    beyond = [
        f"{words} it becomes {reach.digits[place]}"
        for words, place in zip(way.farther, (first - 1, last + 1), strict=True)
        if 0 <= place < len(reach.digits)
    ]
    if not beyond:
        return f"The answer stays {digit} all the way."
    outside = ", ".join([beyond[0].capitalize(), *(words.replace("it becomes ", "") for words in beyond[1:])])
    return f"The answer stays {digit} from {way.place(reach.low)} to {way.place(reach.high)}. {outside}."
