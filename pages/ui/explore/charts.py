"""Charts and tables of training runs and evaluations."""

import math
from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from mnist_core import Evaluation
from mnist_core.evaluation.statistics import wilson_interval
from mnist_core.runs.status import RunStatus
from mnist_core.versions.records import Curve

TRAINING, VALIDATION = "training images", "validation images"
BLUE, ORANGE, GREY = "#3b82f6", "#f97316", "#808495"
COLOURS = {"domain": [TRAINING, VALIDATION], "range": [BLUE, ORANGE]}
DASHES = {"domain": [TRAINING, VALIDATION], "range": [[1, 0], [4, 3]]}
HEIGHT = 260
ABOUT_CURVES = (
    "An epoch is one pass over all training images. After each: how far off the answers were (loss), and how many were "
    "correct (accuracy)"
)
MOST_POINTS = 40  # longer curves are drawn without points
SHARE_CORRECT = "share correct"


def learning_curves(run: RunStatus, *, key: str = "curves") -> None:
    """Show the loss and accuracy of a run, epoch by epoch."""
    curve = run.curve
    done = curve.epoch[-1] if curve.epoch else 1
    # the axis of a long run grows in steps, so that its beginning can be seen
    coming = 10 * 2 ** max(0, math.ceil(math.log2((done + 1) / 10)))
    epoch_curves(curve, done if run.ended else min(coming, run.recipe.epochs), key=key)


def epoch_curves(curve: Curve, epochs: int, *, key: str = "curves") -> None:
    """Show loss and accuracy on training and validation images after each epoch; the axis ends at `epochs`.

    On a page with several of these, each needs a `key` of its own.
    """
    loss, accuracy = st.columns(2)
    with loss:
        values = {TRAINING: curve.train_loss, VALIDATION: curve.validation_loss}
        mean = {"title": "mean loss (log scale)", "axis": {"tickCount": 4}, "scale": {"type": "log", "nice": False}}
        spec = _by_epoch("Loss", curve, values, mean, epochs, ".4f")
        st.vega_lite_chart(spec=spec, key=f"{key}-loss", alt="Loss by epoch")
    with accuracy:
        values = {TRAINING: curve.train_accuracy, VALIDATION: curve.validation_accuracy}
        right = {"title": SHARE_CORRECT, "axis": {"format": ".1%"}, "scale": {"zero": False}}
        spec = _by_epoch("Accuracy", curve, values, right, epochs, ".2%")
        st.vega_lite_chart(spec=spec, key=f"{key}-accuracy", alt="Accuracy by epoch")


def _by_epoch(
    title: str,
    curve: Curve,
    values: Mapping[str, tuple[float, ...]],
    y: Mapping[str, Any],
    epochs: int,
    number_format: str,
) -> dict[str, Any]:
    """Return the chart in Vega-Lite's language: Altair takes 30 ms to write it, and a run shows two twice a second."""
    # shipped records lack some training figures
    rows = [
        {"epoch": epoch, "value": value, "on": on}
        for on, series in values.items()
        for epoch, value in zip(curve.epoch, series)  # noqa: B905
    ]
    looks = {TRAINING: "blue", VALIDATION: "orange, dashed"}
    subtitle = " · ".join(f"{looks[on]}: {on}" for on, series in values.items() if series)
    tooltip = {"field": "value", "type": "quantitative", "format": number_format, "title": title.lower()}
    return {
        "data": {"values": rows},
        "title": {"text": title, "subtitle": subtitle, "subtitleColor": GREY},
        "height": HEIGHT,
        "mark": {"type": "line", "point": {"size": 18} if len(curve.epoch) <= MOST_POINTS else False},
        "encoding": {
            "x": {
                "field": "epoch",
                "type": "quantitative",
                "title": "epoch",
                "axis": {"format": "d", "tickMinStep": 1},
                "scale": {"domain": [0, epochs], "nice": False},
            },
            "y": {"field": "value", "type": "quantitative", **y},
            "color": {"field": "on", "title": None, "scale": COLOURS, "legend": None},
            "strokeDash": {"field": "on", "scale": DASHES, "legend": None},
            "tooltip": [{"field": "on"}, {"field": "epoch", "type": "quantitative"}, tooltip],
        },
    }


def reliability_diagram(evaluation: Evaluation, *, key: str) -> None:
    """Show how many answers of each confidence are correct; on the diagonal, confidence can be trusted."""
    rows = []
    for part in evaluation.reliability:
        if part.images:
            interval = wilson_interval(part.correct, part.images)
            share = part.correct / part.images
            rows.append((part.confidence, share, interval.low, interval.high, part.images))
    columns = ["confidence", "right", "low", "high", "images"]
    share_axis = alt.Axis(format=".0%", tickCount=6)
    base = alt.Chart(pd.DataFrame(rows, columns=columns)).encode(
        x=alt.X("confidence:Q", title="mean confidence", axis=share_axis, scale=alt.Scale(domain=[0, 1])),
        tooltip=[
            alt.Tooltip("confidence:Q", format=".1%"),
            alt.Tooltip("right:Q", format=".1%", title="correct"),
            alt.Tooltip("images:Q", format=","),
        ],
    )
    right = alt.Y("right:Q", title=SHARE_CORRECT, axis=share_axis, scale=alt.Scale(domain=[0, 1]))
    points = base.mark_circle(color=BLUE, opacity=1).encode(
        y=right, size=alt.Size("images:Q", scale=alt.Scale(type="log", range=[40, 400]), legend=None)
    )
    intervals = base.mark_rule(color=BLUE, opacity=0.6).encode(y=alt.Y("low:Q", title=SHARE_CORRECT), y2="high:Q")
    diagonal = (
        alt.Chart(pd.DataFrame({"confidence": [0.0, 1.0], "right": [0.0, 1.0]}))
        .mark_line(color=GREY, strokeDash=[4, 4])
        .encode(x="confidence:Q", y="right:Q")
    )
    title = alt.Title(
        "How far confidence can be trusted",
        subtitle=[
            f"expected calibration error {evaluation.calibration_error:.2%}",
            "dashed: perfect · lines: 95% intervals",
        ],
        subtitleColor=GREY,
    )
    st.altair_chart(
        alt.layer(diagonal, intervals, points, title=title, height=HEIGHT),
        key=key,
        alt="Reliability diagram: share correct by confidence",
    )


def coverage_curve(evaluation: Evaluation, accepted: float, *, key: str) -> None:
    """Show how accurate the answers are when the threshold declines more of the images.

    Args:
        accepted: the share of the validation images that the current threshold accepts; it is marked.
    """
    rows = []
    for part in evaluation.coverage:
        if part.answered:
            interval = wilson_interval(part.correct, part.answered)
            here = part.share == accepted
            answered, right = part.answered / evaluation.images, part.correct / part.answered
            rows.append((answered, right, interval.low, interval.high, part.answered, part.share, here))
    columns = ["answered", "right", "low", "high", "images", "accepts", "here"]
    base = alt.Chart(pd.DataFrame(rows, columns=columns)).encode(
        x=alt.X("answered:Q", title="share of images answered", axis=alt.Axis(format=".0%", tickCount=6)).scale(
            zero=False
        ),
        tooltip=[
            alt.Tooltip("answered:Q", format=".1%"),
            alt.Tooltip("right:Q", format=".2%", title="correct, of those"),
            alt.Tooltip("images:Q", format=",", title="images answered"),
            alt.Tooltip("accepts:Q", format=".1%", title="validation images accepted"),
        ],
    )
    y = alt.Y("right:Q", title=SHARE_CORRECT, axis=alt.Axis(format=".1%")).scale(zero=False)
    band = base.mark_area(color=BLUE, opacity=0.2).encode(
        y=alt.Y("low:Q", title=SHARE_CORRECT).scale(zero=False), y2="high:Q"
    )
    current = base.transform_filter(alt.datum["here"])
    marked = current.mark_point(color=ORANGE, size=160, filled=True, opacity=1, shape="diamond").encode(y=y)
    line = current.mark_rule(color=ORANGE, strokeDash=[4, 4])
    title = alt.Title(
        "Accuracy when it may decline",
        subtitle=["orange diamond: the current threshold", "blue band: 95% intervals"],
        subtitleColor=GREY,
    )
    st.altair_chart(
        alt.layer(band, base.mark_line(color=BLUE, point=True).encode(y=y), line, marked, title=title, height=HEIGHT),
        key=key,
        alt="Share correct by share of images answered, with the current threshold",
    )


def mistakes_by_digit(evaluation: Evaluation, *, key: str) -> None:
    """Show the share of each digit's images that are misclassified, with 95% intervals."""
    rows = []
    for score in evaluation.per_digit:
        mistakes = score.support - evaluation.confusion[score.digit][score.digit]
        if score.support:
            interval = wilson_interval(mistakes, score.support)
            rows.append((score.digit, mistakes / score.support, interval.low, interval.high, mistakes, score.support))
    base = alt.Chart(pd.DataFrame(rows, columns=["digit", "share", "low", "high", "mistakes", "images"])).encode(
        x=alt.X("digit:O", title="digit", axis=alt.Axis(labelAngle=0)),
        tooltip=[
            "digit:O",
            alt.Tooltip("share:Q", format=".2%", title="share misclassified"),
            alt.Tooltip("mistakes:Q", format=","),
            alt.Tooltip("images:Q", format=","),
        ],
    )
    y = alt.Y("share:Q", title="share misclassified", axis=alt.Axis(format=".1%", tickCount=5))
    intervals = base.mark_rule(color=GREY, strokeWidth=2).encode(
        y=alt.Y("low:Q", title="share misclassified"), y2="high:Q"
    )
    title = alt.Title("How often each digit is misclassified", subtitle="grey lines: 95% intervals", subtitleColor=GREY)
    st.altair_chart(
        alt.layer(base.mark_bar(color=BLUE).encode(y=y), intervals, title=title, height=HEIGHT),
        key=key,
        alt="Share of the images of each digit that is misclassified",
    )


def per_digit_table(evaluation: Evaluation) -> None:
    """Show precision, recall, F1 and the number of images of each digit."""
    scores = evaluation.per_digit
    columns = {
        "precision": "Of the images classified as this digit, the share that are this digit",
        "recall": "Of the images of this digit, the share classified as it",
        "f1": "The harmonic mean of precision and recall",
    }
    table = {"digit": [score.digit for score in scores]}
    table |= {name: [100 * getattr(score, name) for score in scores] for name in columns}
    table["images"] = [score.support for score in scores]
    st.dataframe(
        pd.DataFrame(table),
        hide_index=True,
        height="content",
        column_config={
            name: st.column_config.NumberColumn(name.replace("f1", "F1"), format="%.2f%%", help=explanation)
            for name, explanation in columns.items()
        },
    )
