"""How far a digit can be turned, shifted or blurred before the answer changes: sliders, charts, sentences."""

import math
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from mnist_core import Prediction
from mnist_core.explanation.robustness import DIRECTIONS, Direction, Movement, Reach
from pages.ui.explore.charts import BLUE, GREY
from pages.ui.widgets.answer import data_uri, headline

HEIGHT = 170

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Way:
    """A direction, as people are told of it."""

    title: str
    axis: str
    help: str
    unit: str
    backward: str
    onward: str
    farther: tuple[str, str]
    """Beyond either end."""
    step: float
    scale: float = 1.0
    """The slider shows this many times the value."""

    def place(self, value: float) -> str:
        """A place on the way, such as "32° to the left"."""
        side = self.backward if value < 0 else self.onward if value > 0 else ""
        return f"{abs(value) * self.scale:g}{self.unit} {side}".strip()


PIXELS = "In pixels of the 28 × 28 that the network sees"
SIDEWAYS = ("to the left", "to the right", ("farther left", "farther right"))
WAYS: dict[Direction, Way] = {
    "rotation": Way("Turn", "degrees clockwise", "About the middle", "°", *SIDEWAYS, 1),
    "right": Way("Shift sideways", "pixels to the right", PIXELS, " px", *SIDEWAYS, 0.5),
    "down": Way("Shift up or down", "pixels down", PIXELS, " px", "up", "down", ("farther up", "farther down"), 0.5),
    "sharpness": Way(
        "Blur or sharpen",
        "% sharper",
        "Below 0 as if out of focus, above 0 with hard edges",
        "%",
        "blurred",
        "sharpened",
        ("more blurred", "sharper"),
        5,
        100,
    ),
}


def movement_now() -> Movement:
    """How far the sliders have moved the digit."""
    return Movement(**{name: st.session_state.get(f"move-{name}", 0.0) / way.scale for name, way in WAYS.items()})


def put_back() -> None:
    """Set all sliders to 0."""
    for name in WAYS:
        st.session_state[f"move-{name}"] = 0.0


def show_moved(frame: Frame, prediction: Prediction) -> None:
    """The moved frame, large, and what the network answers to it."""
    st.html(
        f"""<style>
.stMainBlockContainer h2 {{ font-size: 1.2rem; }}
.st-key-how-far {{ display: grid; grid-template-columns: 14rem minmax(0, 1fr); gap: 2.5rem; align-items: start; }}
.st-key-how-far > * {{ width: auto; }}
.st-key-how-far > :first-child {{ position: sticky; top: 4rem; z-index: 5; background: light-dark(#fff, #171614); }}
.moved img {{ width: 14rem; height: 14rem; image-rendering: pixelated; border-radius: .5rem; display: block; }}
.moved .answer {{ flex-direction: column; align-items: flex-start; gap: .25rem; margin-top: 1rem; }}
.moved .answer .digit {{ font-size: 5.5rem; min-width: 0; text-align: left; }}
.moved .answer.unsure .digit {{ font-size: 4rem; }}
@media (max-width: 640px) {{
  .st-key-how-far {{ grid-template-columns: minmax(0, 1fr); gap: 1rem; }}
  .st-key-how-far > :first-child {{ top: 0; }}
  .moved {{ display: flex; gap: 1rem; align-items: center; padding: .5rem 0; }}
  .moved img {{ width: 8rem; height: 8rem; flex: none; }}
  .moved .answer {{ min-height: 0; margin: 0; }}
  .moved .answer .digit, .moved .answer.unsure .digit {{ font-size: 3.5rem; }}
  .moved .answer .sure {{ font-size: 1.2rem; }}
  .moved .answer .next {{ font-size: .875rem; }}
}}
</style>
<div class="moved"><img src="{data_uri(frame)}" alt="The moved digit, 28 by 28 pixels">{headline(prediction)}</div>"""
    )


def move_along(direction: Direction) -> None:
    """The slider of one direction."""
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
    """How probable `digit` stays along one direction, and how far it is the answer.

    Args:
        now: where on the way the frame is; there the digit is as `probable`.
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
    # the chart has a description of its own; an empty layer, which has none, would be read out as a nameless image
    chart = alt.layer(
        along.transform_filter("datum.stays").mark_area(color=BLUE, opacity=0.25, aria=False).encode(y=probability),
        along.mark_line(color=BLUE, strokeWidth=2, aria=False).encode(y=probability),
        here.mark_rule(color=GREY, strokeDash=[4, 4], aria=False),
        here.mark_circle(color=BLUE, opacity=1, size=110, aria=False).encode(y=probability),
        height=HEIGHT,
        padding={"left": 0, "right": 8, "top": 0, "bottom": 8},
        title=alt.Title(f"Probability of {digit}", fontSize=13, fontWeight="normal", anchor="start", offset=6),
    )
    # said in a sentence of its own, as a chart with another `alt` is drawn anew, which flickers
    st.altair_chart(chart, key=f"reach-{direction}", alt=f"Probability of {digit} along this direction; in words below")
    st.markdown(reach_in_words(direction, reach, digit))


def reach_in_words(direction: Direction, reach: Reach, digit: int) -> str:
    """From where to where the answer stays the same, and what it becomes then."""
    way = WAYS[direction]
    if math.isnan(reach.low):
        middle = reach.digits[len(reach.digits) // 2]
        return f"With the other sliders as they are it reads {middle} to begin with, not {digit}."
    first, last = (int(np.flatnonzero(reach.values == end)[0]) for end in (reach.low, reach.high))
    beyond = [
        f"{words} it reads {reach.digits[place]}"
        for words, place in zip(way.farther, (first - 1, last + 1), strict=True)
        if 0 <= place < len(reach.digits)
    ]
    if not beyond:
        return f"It stays {digit} all the way."
    outside = ", ".join([beyond[0].capitalize(), *(words.replace("it reads ", "") for words in beyond[1:])])
    return f"It stays {digit} from {way.place(reach.low)} to {way.place(reach.high)}. {outside}."
