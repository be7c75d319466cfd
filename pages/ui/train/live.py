"""The run that is going on and the queue behind it; both are redrawn without the rest of the page."""

import base64
import time

import streamlit as st

from mnist_core.evaluation.statistics import with_interval
from mnist_core.runs import jobs
from mnist_core.runs.events import Download, Epoch, Evaluating, Loaded, Step
from mnist_core.runs.queue import move_up, tend_queue
from mnist_core.runs.status import RunStatus, queued_runs, running_run
from mnist_core.versions.catalogue import recipe_in_words
from pages.ui.explore.charts import learning_curves
from pages.ui.explore.matrix import confusion_matrix
from pages.ui.layout import errors_in_words
from pages.ui.wording import duration

ABOUT_DATA = {"mnist": "MNIST", "sample": "Bundled sample"}
SILENCE_SECONDS = 20
"""How long a run may report nothing before the page says so."""


@st.fragment(run_every="0.5s")
@errors_in_words()
def follow(watched: str) -> None:
    """Show the run with the id `watched` and the queue; rerun the page as soon as another run is going on, or none.

    `watched` is empty while all runs wait for their turn.
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
            # a key of its own: a press that arrives when this run has just ended is not meant for the next one
            st.button("Cancel", icon=":material/stop:", key=f"cancel-{run.id}", on_click=_cancel, args=[run])
    share, text = progress(run)
    st.progress(share, text=text)
    if epochs := run.of(Epoch):
        learning_curves(run, key="live")
        matrix, weights = st.columns([0.5, 0.5], gap="medium")
        with matrix:
            _show_confusion(epochs[-1])
        with weights:
            show_first_layer(run)
    st.caption("You can leave this page or close the tab: training continues, and you find it here when you come back.")


def _show_confusion(epoch: Epoch) -> None:
    confusion = epoch.validation_confusion
    images = sum(map(sum, confusion))
    right = sum(row[digit] for digit, row in enumerate(confusion))
    st.markdown(f"**Which digits are mistaken for which**, after epoch {epoch.epoch}")
    confusion_matrix(confusion)
    st.caption(f"Validation images: {with_interval(right, images, 2)} of {images:,} correctly classified")


def show_first_layer(run: RunStatus) -> None:
    """Show the weights of the first hidden units as a picture, once there is one."""
    if (png := run.first_layer_picture) is None:
        return
    picture = base64.b64encode(png).decode()
    st.markdown("**What the first layer looks for**")
    st.html(
        f'<img src="data:image/png;base64,{picture}" style="width: 100%; image-rendering: pixelated; '
        'border-radius: .25rem" alt="The weights of the first hidden units, a tile of 28 by 28 pixels for each">'
    )
    st.caption("One tile for each hidden unit. Ink on blue excites the unit, ink on orange inhibits it.")


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
    """Return how far a run is, from 0 to 1, and a sentence about it."""
    if run.of(Evaluating):
        return 1.0, "Evaluating on the test images …"
    if steps := run.of(Step):
        step, silent = steps[-1], time.time() - run.events[-1].time
        left = f"{duration(step.seconds_left)} left"
        return step.images_seen / step.images_total, (
            f"Epoch {step.epoch} of {run.recipe.epochs} · {step.images_per_second:,.0f} images a second · "
            f"{left if silent < SILENCE_SECONDS else f'no news for {duration(silent)}'}"
        )
    if run.of(Loaded):
        return 0.0, "Preparing distorted digits …" if run.recipe.augments else "Images loaded, training begins …"
    if downloads := run.of(Download):
        last = downloads[-1]
        share = last.bytes / max(last.bytes_total, last.bytes)
        return share, f"Downloading {last.file}: {last.bytes / 1e6:.1f} MB"
    return 0.0, "Starting …"
