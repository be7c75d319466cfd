"""Charts and tables of training runs and evaluations."""

import math
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from mnist_core import Evaluation
from mnist_core.evaluation import wilson_interval
from mnist_core.records import Curve
from mnist_core.runs import RunStatus

TRAINING, VALIDATION = "training images", "validation images"
BLUE, ORANGE, GREY = "#3b82f6", "#f97316", "#808495"
COLOURS = alt.Scale(domain=[TRAINING, VALIDATION], range=[BLUE, ORANGE])
HEIGHT = 260
MOST_POINTS = 40
"""Of a curve; a longer one is drawn as a line alone."""


def learning_curves(run: RunStatus, *, key: str = "curves") -> None:
    """Loss and accuracy of a run, epoch by epoch."""
    curve = Curve.of(run.of("epoch"))
    done = curve.epoch[-1] if curve.epoch else 1
    # while a long run goes on, the axis is lengthened from time to time, so that its beginning can be seen
    coming = 10 * 2 ** max(0, math.ceil(math.log2((done + 1) / 10)))
    epoch_curves(curve, done if run.ended else min(coming, run.recipe.epochs), key=key)


def epoch_curves(curve: Curve, epochs: int, *, key: str = "curves") -> None:
    """Loss and accuracy on training and validation images after each epoch, of `epochs` that there will be.

    Where a page draws more than one, each needs a key of its own.
    """
    loss, accuracy = st.columns(2)
    with loss:
        values = {TRAINING: curve.train_loss, VALIDATION: curve.validation_loss}
        mean = alt.Y("value:Q", title="mean loss (log scale)", axis=alt.Axis(tickCount=4)).scale(type="log", nice=False)
        chart = _by_epoch("Loss", curve, values, mean, epochs, ".4f")
        st.altair_chart(chart, key=f"{key}-loss", alt="Loss by epoch")
    with accuracy:
        values = {TRAINING: curve.train_accuracy, VALIDATION: curve.validation_accuracy}
        right = alt.Y("value:Q", title="share answered rightly", axis=alt.Axis(format=".1%")).scale(zero=False)
        chart = _by_epoch("Accuracy", curve, values, right, epochs, ".2%")
        st.altair_chart(chart, key=f"{key}-accuracy", alt="Accuracy by epoch")


def _by_epoch(
    title: str, curve: Curve, values: Mapping[str, tuple[float, ...]], y: alt.Y, epochs: int, number_format: str
) -> alt.Chart:
    # records of old lack some figures of training
    rows = [(epoch, value, on) for on, series in values.items() for epoch, value in zip(curve.epoch, series)]  # noqa: B905
    few = len(curve.epoch) <= MOST_POINTS
    whole_numbers = alt.Axis(format="d", tickMinStep=1)
    scale = alt.Scale(domain=[0, epochs], nice=False)
    subtitle = "blue: training images · orange, dashed: validation images"
    return (
        alt.Chart(
            pd.DataFrame(rows, columns=["epoch", "value", "on"]),
            title=alt.Title(title, subtitle=subtitle, subtitleColor=GREY),
            height=HEIGHT,
        )
        .mark_line(point=alt.OverlayMarkDef(size=18) if few else False)
        .encode(
            x=alt.X("epoch:Q", title="epoch", scale=scale, axis=whole_numbers),
            y=y,
            color=alt.Color("on:N", title=None, scale=COLOURS, legend=None),
            strokeDash=alt.StrokeDash("on:N", legend=None),
            tooltip=["on:N", "epoch:Q", alt.Tooltip("value:Q", format=number_format, title=title.lower())],
        )
    )


def confusion_matrix(evaluation: Evaluation, *, shares: bool, key: str = "confusion") -> None:
    """A heat map: rows are true digits, columns answers; counts, or per cent of each row."""
    confusion_counts(evaluation.confusion, shares=shares, key=key)


def confusion_counts(
    confusion: Sequence[Sequence[int]], *, shares: bool = False, height: int = 420, key: str = "confusion"
) -> None:
    """The same of counts alone, such as a run tells of while it goes on."""
    rows = []
    for true, counts in enumerate(confusion):
        for answer, count in enumerate(counts):
            share = count / max(1, sum(counts))
            text = (f"{share:.1%}" if shares else f"{count:,}") if count else ""
            rows.append((true, answer, count, share, text))
    table = pd.DataFrame(rows, columns=["true digit", "answer", "images", "share of the row", "text"])
    base = alt.Chart(table, height=height).encode(
        x=alt.X("answer:O", title="answer", axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("true digit:O", title="true digit"),
        tooltip=["true digit:O", "answer:O", "images:Q", alt.Tooltip("share of the row:Q", format=".2%")],
    )
    dark = st.context.theme.type == "dark"
    few, many, on_few = ("#1e293b", "#2563eb", "white") if dark else ("#e8f0fe", "#1d4ed8", "black")
    # the square root lets mistakes of a few images be seen beside a diagonal of a thousand
    shades = alt.Scale(type="sqrt", domain=[0, 1], range=[few, many])
    colour = alt.Color("share of the row:Q", scale=shades, legend=None)
    ink = alt.condition(alt.datum["share of the row"] > 0.25, alt.value("white"), alt.value(on_few))
    labels = base.mark_text().encode(text="text:N", color=ink)
    st.altair_chart(
        base.mark_rect().encode(color=colour) + labels,
        key=key,
        alt=f"Confusion matrix of {sum(map(sum, confusion)):,} images: rows true digits, columns answers",
    )


def reliability_diagram(evaluation: Evaluation) -> None:
    """For answers of each confidence, how many of them are right: on the diagonal, confidence can be believed."""
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
            alt.Tooltip("right:Q", format=".1%", title="answered rightly"),
            alt.Tooltip("images:Q", format=","),
        ],
    )
    right = alt.Y("right:Q", title="share answered rightly", axis=share_axis, scale=alt.Scale(domain=[0, 1]))
    points = base.mark_circle(color=BLUE, opacity=1).encode(
        y=right, size=alt.Size("images:Q", scale=alt.Scale(type="log", range=[40, 400]), legend=None)
    )
    intervals = base.mark_rule(color=BLUE, opacity=0.6).encode(
        y=alt.Y("low:Q", title="share answered rightly"), y2="high:Q"
    )
    diagonal = (
        alt.Chart(pd.DataFrame({"confidence": [0.0, 1.0], "right": [0.0, 1.0]}))
        .mark_line(color=GREY, strokeDash=[4, 4])
        .encode(x="confidence:Q", y="right:Q")
    )
    title = alt.Title(
        f"Expected calibration error {evaluation.calibration_error:.2%}",
        subtitle=f"{evaluation.images:,} images ({evaluation.on}) in 15 ranges of confidence, with 95% intervals; "
        "dashed: as sure as right",
        subtitleColor=GREY,
    )
    st.altair_chart(
        alt.layer(diagonal, intervals, points, title=title, height=HEIGHT),
        key="reliability",
        alt="Reliability diagram: share answered rightly by confidence",
    )


def per_digit_table(evaluation: Evaluation) -> None:
    """Precision, recall, F1 and number of images of each digit."""
    scores = evaluation.per_digit
    columns = {
        "precision": "Of the images answered with this digit, the share that are this digit",
        "recall": "Of the images of this digit, the share answered with it",
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
