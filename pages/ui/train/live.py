"""Watching the run that goes on, and the queue behind it; both change without the rest of the page."""

import base64
import time

import streamlit as st

from mnist_core.evaluation.evaluation import wilson_interval
from mnist_core.runs import jobs
from mnist_core.runs.folder import FIRST_LAYER_FILE
from mnist_core.runs.queue import move_up, tend_queue
from mnist_core.runs.status import RunStatus, queued_runs, running_run
from mnist_core.versions.catalogue import recipe_in_words
from pages.ui.explore.charts import learning_curves
from pages.ui.explore.matrix import confusion_matrix
from pages.ui.layout import errors_in_words
from pages.ui.wording import duration

ABOUT_DATA = {"mnist": "MNIST", "sample": "Bundled sample"}
SILENCE_SECONDS = 20
"""After which a visitor is told that nothing was heard of the run."""


@st.fragment(run_every="0.5s")
@errors_in_words()
def follow(watched: str) -> None:
    """Watch the run of that id and the queue; when another one goes on, or none, the page begins anew.

    `watched` is empty where all runs still wait for their turn.
    """
    tend_queue()
    run, waiting = running_run(), queued_runs()
    if (run.id if run else "") != watched:
        st.rerun()
    if run is not None:
        _show_run(run)
    if waiting:
        _show_queue(waiting)


def _show_run(run: RunStatus) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Training {_about(run)}")
        if run.stopping:
            st.button("Stopping …", icon=":material/stop:", key="stopping", disabled=True)
        else:
            st.button("Cancel", icon=":material/stop:", on_click=_cancel, args=[run])
    share, text = progress(run)
    st.progress(share, text=text)
    if epochs := run.of("epoch"):
        learning_curves(run, key="live")
        matrix, weights = st.columns([0.5, 0.5], gap="medium")
        with matrix:
            _show_confusion(epochs[-1]["epoch"], epochs[-1]["validation_confusion"])
        with weights:
            show_first_layer(run)
    st.caption("You may leave this page or close the tab: the training goes on, and is here when you come back.")


def _show_confusion(epoch: int, confusion: list[list[int]]) -> None:
    images = sum(map(sum, confusion))
    right = sum(row[digit] for digit, row in enumerate(confusion))
    interval = wilson_interval(right, images)
    st.markdown(f"**Which digits are mistaken for which**, after epoch {epoch}")
    confusion_matrix(confusion)
    st.caption(
        f"Validation images: {right:,} of {images:,} right, {right / images:.2%} "
        f"(95% interval {interval.low:.2%} to {interval.high:.2%})"
    )


def show_first_layer(run: RunStatus) -> None:
    """What the first hidden units of a run look for."""
    try:
        picture = base64.b64encode((run.folder / FIRST_LAYER_FILE).read_bytes()).decode()
    except OSError:  # not made yet, or by a program of old
        return
    st.markdown("**What the first layer looks for**")
    st.html(
        f'<img src="data:image/png;base64,{picture}" style="width: 100%; image-rendering: pixelated; '
        'border-radius: .25rem" alt="The weights of the first hidden units, a tile of 28 by 28 pixels for each">'
    )
    st.caption(
        "A tile for each hidden unit: ink where it is blue excites the unit, ink where it is orange inhibits it."
    )


def _show_queue(waiting: list[RunStatus]) -> None:
    st.markdown("**Next in the queue**")
    for place, run in enumerate(waiting, start=1):
        with st.container(horizontal=True, vertical_alignment="center", key=f"queued-{run.id}"):
            st.markdown(f"{place}. {_about(run)}", width="stretch")
            with st.container(horizontal=True, width="content"):
                if place > 1:
                    up = ":material/arrow_upward:"
                    st.button("Move up", icon=up, key=f"up-{run.id}", on_click=_move_up, args=[run])
                st.button("Remove", icon=":material/close:", key=f"remove-{run.id}", on_click=_cancel, args=[run])


def _about(run: RunStatus) -> str:
    return f"**{recipe_in_words(run.recipe)}** on **{ABOUT_DATA[run.data]}**"


@errors_in_words()
def _cancel(run: RunStatus) -> None:
    jobs.cancel(run)


@errors_in_words()
def _move_up(run: RunStatus) -> None:
    move_up(run)


def progress(run: RunStatus) -> tuple[float, str]:
    """How far a run is, from 0 to 1, and in words."""
    if run.of("evaluating"):
        return 1.0, "Judging the result on the test images …"
    if steps := run.of("step"):
        step = steps[-1]
        silent = time.time() - run.events[-1]["time"]
        return step["images_seen"] / step["images_total"], (
            f"Epoch {step['epoch']} of {run.recipe.epochs} · {step['images_per_second']:,.0f} images a second · "
            + (
                f"{duration(step['seconds_left'])} left"
                if silent < SILENCE_SECONDS
                else f"nothing heard of it for {duration(silent)}"
            )
        )
    if (downloads := run.of("download")) and not run.of("loaded"):
        last = downloads[-1]
        return last["bytes"] / max(last["bytes_total"], last["bytes"]), (
            f"Downloading {last['file']}: {last['bytes'] / 1e6:.1f} MB"
        )
    if not run.of("loaded"):
        return 0.0, "Starting …"
    return 0.0, "Preparing the digits to be distorted …" if run.recipe.augments else "Images read, learning begins …"
