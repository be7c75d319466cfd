"""How many non-digits of each kind a version declines, as a chart and a table."""

import altair as alt
import pandas as pd
import streamlit as st

from mnist_core.evaluation.pen_strokes import DrawingsEvaluation, NonDigitsEvaluation
from mnist_core.evaluation.statistics import with_interval
from mnist_core.network.calibration import SHARES, SURE_CONFIDENCE
from pages.ui.explore.charts import BLUE, GREY, HEIGHT, ORANGE
from pages.ui.layout import plain

LOOKS = (
    ("blue", BLUE, [1, 0]),
    ("orange, dashed", ORANGE, [6, 3]),
    ("green, dotted", "#16a34a", [2, 2]),
    ("purple, long dashes", "#a855f7", [12, 4]),
)
"""Of each line: its look in words, its colour and its dashes. Further kinds are in the table only."""


def show_non_digits(drawings: DrawingsEvaluation, accepted: float, *, key: str) -> None:
    """Show what a version makes of each kind of non-digits.

    Args:
        accepted: the share of the validation images that the current threshold accepts; one of `SHARES`.
    """
    st.markdown(
        "**Does it decline what is no digit?**",
        help="The more it declines of what is no digit, the more digits it declines as well. The threshold is chosen "
        "on the Draw page.",
    )
    _declined_curve(drawings, accepted, key=key)
    _table(drawings.non_digits, SHARES.index(accepted))


def _declined_curve(drawings: DrawingsEvaluation, accepted: float, *, key: str) -> None:
    """Show how many non-digits are declined when more or fewer of the digits are answered: a line for each kind."""
    drawn = list(zip(drawings.non_digits, LOOKS, strict=False))
    rows = [
        (
            part.kind,
            point.answered / drawings.digits.images,
            refused / part.images,
            point.share,
            point.share == accepted,
        )
        for part, _ in drawn
        for point, refused in zip(drawings.digits.coverage, part.refused, strict=True)
    ]
    kinds = [part.kind for part, _ in drawn]
    share_axis = alt.Axis(format=".0%", tickCount=6)
    base = alt.Chart(pd.DataFrame(rows, columns=["kind", "answered", "declined", "accepts", "here"])).encode(
        x=alt.X("answered:Q", title="share of digits answered", axis=share_axis).scale(zero=False),
        y=alt.Y("declined:Q", title="share of non-digits declined", axis=share_axis),
        color=alt.Color("kind:N", legend=None, scale=alt.Scale(domain=kinds, range=[colour for _, colour, _ in LOOKS])),
        tooltip=[
            "kind:N",
            alt.Tooltip("answered:Q", format=".1%", title="digits answered"),
            alt.Tooltip("declined:Q", format=".1%", title="declined"),
            alt.Tooltip("accepts:Q", format=".1%", title="validation images accepted"),
        ],
    )
    dashes = alt.Scale(domain=kinds, range=[dash for _, _, dash in LOOKS])
    lines = base.mark_line().encode(strokeDash=alt.StrokeDash("kind:N", legend=None, scale=dashes))
    marked = base.transform_filter(alt.datum["here"]).mark_point(size=160, filled=True, opacity=1, shape="diamond")
    names = " · ".join(f"{look}: {part.kind}" for part, (look, _, _) in drawn)
    title = alt.Title("Non-digits declined", subtitle=[names, "diamonds: the current threshold"], subtitleColor=GREY)
    st.altair_chart(
        alt.layer(lines, marked, title=title, height=HEIGHT + 80),  # above the lines are three of text
        key=key,
        alt="Share of non-digits declined by share of digits answered, for each kind, with the current threshold",
    )


def _table(parts: tuple[NonDigitsEvaluation, ...], place: int) -> None:
    """Show the figures of each kind at the current threshold."""
    rows = [
        (
            f"{part.images:,} {plain(part.kind)}",
            with_interval(part.refused[place], part.images, short=True),
            with_interval(part.sure[place], part.images, short=True),
            f"{part.auroc:.3f} ({part.auroc_interval.low:.3f} to {part.auroc_interval.high:.3f})",
        )
        for part in parts
    ]
    st.table(pd.DataFrame(rows, columns=["", "declined", "called a digit, sure", "AUROC"]).set_index(""))
    st.caption(
        f"In brackets: 95% intervals. Sure: with a confidence of {SURE_CONFIDENCE:.0%} or more. AUROC: how often a "
        "random one of them looks less like a digit to the network than a random digit; 1 is perfect, 0.5 is chance."
    )
