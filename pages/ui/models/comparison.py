"""Two versions compared on the Models page: figures, recipes, curves, and the images on which they differ."""

import altair as alt
import pandas as pd
import streamlit as st

from mnist_core import Evaluation
from mnist_core.evaluation.comparison import Comparison
from mnist_core.evaluation.pen_strokes import NonDigitsEvaluation
from mnist_core.evaluation.statistics import with_interval
from mnist_core.images.datasets import LabelledImages
from mnist_core.network.calibration import ACCEPTED, SHARES
from mnist_core.versions.catalogue import Entry
from pages.ui import loaders
from pages.ui.explore.charts import BLUE, GREY, HEIGHT, ORANGE, SHARE_CORRECT
from pages.ui.layout import plain
from pages.ui.models.activation import promote_or_ask
from pages.ui.widgets.gallery import digit_gallery
from pages.ui.wording import counted

MOST_IMAGES = 24


def show_comparison(one: Entry, other: Entry) -> None:
    """Show which of two versions is better and by how much, how they were trained, and where they differ."""
    st.header(f"{plain(one.title)} compared with {plain(other.title)}", anchor=False)
    on = loaders.test_images()
    comparison = loaders.comparison(loaders.reader_of(other.name), loaders.reader_of(one.name), on)
    st.markdown(comparison.verdict(plain(other.title), f"**{plain(one.title)}**"))
    if on == "sample" and "mnist" in (one.record.data, other.record.data):
        st.caption(
            "A version trained on all of MNIST has seen these images, so its figure is too high. "
            "With MNIST on this machine, both would be compared on its test images."
        )
    for entry in (one, other):
        if not entry.active and st.button(f"Make {plain(entry.title)} active", key=f"promote {entry.name}"):
            promote_or_ask(entry.name, entry.title)
    _figures(one, other, comparison)
    _recipes(one, other)
    _curves(one, other)
    _images(one, other, comparison, loaders.test_images_of(on))


def _figures(one: Entry, other: Entry, comparison: Comparison) -> None:
    rows = [
        ("Correct, on the same images", _right(comparison, of_one=False), _right(comparison, of_one=True)),
        ("Correct, when it was trained", _measured(one.record.evaluation), _measured(other.record.evaluation)),
        (
            "Calibration error, when it was trained",
            f"{one.record.evaluation.calibration_error:.2%}",
            f"{other.record.evaluation.calibration_error:.2%}",
        ),
        *(
            (f"Drawings: {mine.setting}", _share(mine.digits), _share(theirs.digits))
            for mine, theirs in zip(one.record.drawings, other.record.drawings, strict=False)
        ),
        *_declined(one, other),
        ("Parameters", f"{one.record.recipe.parameter_count:,}", f"{other.record.recipe.parameter_count:,}"),
        ("Training time", f"{one.record.duration_seconds:,.0f} s", f"{other.record.duration_seconds:,.0f} s"),
        ("Size of the weights", f"{one.version.bytes / 1000:,.0f} kB", f"{other.version.bytes / 1000:,.0f} kB"),
    ]
    st.markdown("**Figures** (in brackets: 95% intervals)")
    _beside(one, other, rows)


def _declined(one: Entry, other: Entry) -> list[tuple[str, str, str]]:
    """Return how many non-digits of each kind both decline at the default threshold."""
    parts = [
        {part.kind: part for part in entry.drawings.non_digits} if entry.drawings else {} for entry in (one, other)
    ]
    place = SHARES.index(ACCEPTED)

    def share(part: NonDigitsEvaluation | None) -> str:
        if part is None:
            return "not measured"
        return f"{with_interval(part.refused[place], part.images, 2, short=True)} of {part.images:,}"

    mine, theirs = parts
    return [(f"Declined: {plain(kind)}", share(mine.get(kind)), share(theirs.get(kind))) for kind in mine | theirs]


def _recipes(one: Entry, other: Entry) -> None:
    mine, theirs = one.record.recipe.to_dict(), other.record.recipe.to_dict()
    differing = [field for field in mine if mine[field] != theirs[field]]
    st.markdown("**Differences between the recipes**")
    if not differing:
        st.caption("None: both use the same recipe.")
    show_all = st.toggle("Show all settings")
    fields = list(mine) if show_all else differing
    if fields:
        _beside(one, other, [(field.replace("_", " "), str(mine[field]), str(theirs[field])) for field in fields])


def _curves(one: Entry, other: Entry) -> None:
    """Show the validation loss and accuracy of both, by epoch."""
    table = _by_epoch(one, other)
    if table.empty:
        return
    st.markdown("**How the training went**, on the validation images after each epoch")
    colours = alt.Scale(domain=[one.title, other.title], range=[BLUE, ORANGE])
    base = (
        alt.Chart(table, height=HEIGHT)
        .mark_line()
        .encode(
            x=alt.X("epoch:Q", title="epoch"),
            color=alt.Color("version:N", scale=colours, legend=None),
            strokeDash=alt.StrokeDash("version:N", sort=[one.title, other.title], legend=None),
            tooltip=[
                "version:N",
                "epoch:Q",
                alt.Tooltip("loss:Q", format=".4f"),
                alt.Tooltip("accuracy:Q", format=".2%"),
            ],
        )
    )
    legend = [f"blue: {one.title}", f"orange, dashed: {other.title}"]
    left, right = st.columns(2)
    loss = alt.Y("loss:Q", title="mean loss (log scale)").scale(type="log", nice=False)
    accuracy = alt.Y("accuracy:Q", title=SHARE_CORRECT, axis=alt.Axis(format=".1%")).scale(zero=False)
    left.altair_chart(
        base.encode(y=loss).properties(
            title=alt.Title("Loss, as each recipe defines it", subtitle=legend, subtitleColor=GREY)
        ),
        key="losses",
        alt="Validation loss of both versions by epoch",
    )
    right.altair_chart(
        base.encode(y=accuracy).properties(title=alt.Title("Accuracy", subtitle=legend, subtitleColor=GREY)),
        key="accuracies",
        alt="Validation accuracy of both versions by epoch",
    )


def _by_epoch(*entries: Entry) -> pd.DataFrame:
    rows = []
    for entry in entries:
        curve = entry.record.curve
        figures = zip(curve.epoch, curve.validation_loss, curve.validation_accuracy, strict=True)
        rows += [(entry.title, *figures_of_epoch) for figures_of_epoch in figures]
    return pd.DataFrame(rows, columns=["version", "epoch", "loss", "accuracy"])


def _beside(one: Entry, other: Entry, rows: list[tuple[str, str, str]]) -> None:
    st.table(pd.DataFrame(rows, columns=["", one.title, f"{other.title} "]).set_index(""))


def _images(one: Entry, other: Entry, comparison: Comparison, images: LabelledImages) -> None:
    for entry, rival, places, answers in (
        (one, other, comparison.only_other_right, comparison.one),
        (other, one, comparison.only_one_right, comparison.other),
    ):
        shown = places[:MOST_IMAGES]
        more = f" The first {MOST_IMAGES} are shown." if len(places) > MOST_IMAGES else ""
        st.markdown(
            f"**{counted(len(places), 'image')} classified correctly by {plain(entry.title)} but not by "
            f"{plain(rival.title)}**"
        )
        st.caption(f"Below each image: its label, and what {plain(rival.title)} classified it as.{more}")
        digit_gallery(
            images.images[shown],
            [f"{images.labels[place]} as {answers[place]}" for place in shown],
        )


def _right(comparison: Comparison, *, of_one: bool) -> str:
    correct = comparison.one_correct if of_one else comparison.other_correct
    share = with_interval(correct, comparison.images, 2, short=True)
    return f"{share} of {comparison.images:,}, {comparison.on}"


def _measured(evaluation: Evaluation) -> str:
    return f"{_share(evaluation)}, {evaluation.on}"


def _share(evaluation: Evaluation) -> str:
    return f"{with_interval(evaluation.correct, evaluation.images, 2, short=True)} of {evaluation.images:,}"
