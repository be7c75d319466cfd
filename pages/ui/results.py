"""What came of a run: how good the new version is, beside the active one, and the choice between them."""

import streamlit as st

from mnist_core import Evaluation, registry
from mnist_core.datasets import DataName
from mnist_core.promotion import promote
from mnist_core.runs import RunStatus
from pages.ui import loaders
from pages.ui.charts import confusion_matrix, learning_curves, per_digit_table, reliability_diagram

ABOUT_DATA: dict[DataName, str] = {
    "mnist": "MNIST",
    "sample": "Bundled sample",
}


def show_result(run: RunStatus) -> None:
    """How good the new version is, beside the active one, and the choice between them."""
    name = f"runs/{run.id}"
    record = registry.read_record(run.folder)
    active = loaders.active_reader()
    this_run, other, choice = st.columns([1, 1, 1], vertical_alignment="center")
    with this_run:
        accuracy("This run", record.evaluation)
    if active.name == name:
        choice.success("This version answers on the Draw page.", icon=":material/check:")
    else:
        with other:
            compared = loaders.test_result(active, run.data)
            accuracy(f"Active version: {active.name}", compared)
        if choice.button("Use this model", type="primary", icon=":material/check:"):
            promote(name)
            st.rerun()
        st.caption(
            verdict(record.evaluation, compared, flattered=run.data == "sample" and active.record.data == "mnist")
        )
    show_details(run, record.evaluation)


def accuracy(label: str, evaluation: Evaluation) -> None:
    """An accuracy with what it was measured on."""
    st.metric(label, f"{evaluation.accuracy:.2%}")
    low, high = evaluation.interval.low, evaluation.interval.high
    st.caption(f"of {evaluation.images:,} images right ({evaluation.on}); 95% interval {low:.2%} to {high:.2%}")


def verdict(new: Evaluation, active: Evaluation, *, flattered: bool) -> str:
    """What the difference means."""
    difference = (new.accuracy - active.accuracy) * 100
    overlap = new.interval.low <= active.interval.high and active.interval.low <= new.interval.high
    words = f"The new version is {abs(difference):.2f} points {'better' if difference >= 0 else 'worse'}. "
    words += "The intervals overlap, so that may be chance." if overlap else "That is more than chance."
    if flattered:
        words += (
            " The active version learned from all of MNIST, which these test images were taken from: "
            "its figure here is too good."
        )
    return words


def show_details(run: RunStatus, evaluation: Evaluation) -> None:
    """Confusion matrix, figures for each digit, and how the training went."""
    st.markdown(f"**Which digits are mistaken for which** ({evaluation.images:,} images: {evaluation.on})")
    matrix, table = st.columns([0.58, 0.42], gap="medium")
    with matrix:
        unit = st.segmented_control(
            "Show", ["Images", "Per cent of the row"], default="Images", required=True, label_visibility="collapsed"
        )
        confusion_matrix(evaluation, shares=unit != "Images")
    with table:
        st.markdown("For each digit")
        per_digit_table(evaluation)
    st.markdown("**Whether it is as sure as it is right**")
    reliability_diagram(evaluation)
    st.markdown("**How the training went**")
    learning_curves(run)
