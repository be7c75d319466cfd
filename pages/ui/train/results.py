"""The outcome of a run: the new version beside the active one and the choice between them, or why there is none."""

from datetime import datetime
from typing import Literal

import pandas as pd
import streamlit as st

from mnist_core import Evaluation
from mnist_core.errors import DatasetError
from mnist_core.runs import jobs
from mnist_core.runs.events import Epoch, Failed
from mnist_core.runs.folder import RunRequest
from mnist_core.runs.status import RunStatus
from mnist_core.versions import registry
from mnist_core.versions.catalogue import recipe_in_words, title_of
from pages.ui import loaders
from pages.ui.explore.charts import ABOUT_CURVES, learning_curves
from pages.ui.explore.explorer import explore
from pages.ui.layout import plain
from pages.ui.models.activation import promote_or_ask
from pages.ui.train.live import ABOUT_DATA, show_first_layer
from pages.ui.widgets.pressing import pressed


def show_outcome(run: RunStatus, heading: str) -> None:
    """Show the outcome of a run that has ended."""
    st.header(f"{heading}: {run.recipe.name}, {ABOUT_DATA[run.data]}", anchor=False)
    if run.recipe.changes:
        st.caption(recipe_in_words(run.recipe))
    if run.state == "finished":
        _show_result(run)
    else:
        _show_unfinished(run)


def earlier_runs(ended: list[RunStatus], shown: RunStatus | None) -> RunStatus | None:
    """Show all ended runs in a table and return the chosen one; `shown` until the visitor chooses another."""
    titles = {run.id: _title(run) for run in ended}
    with st.expander(f"Earlier runs ({len(ended)})"):
        st.dataframe(_table(ended), hide_index=True, height="content" if len(ended) < 10 else 380)
        chosen = st.selectbox(
            "Show the outcome of",
            list(titles),
            index=list(titles).index(shown.id) if shown else None,
            placeholder="Choose a run",
            format_func=lambda chosen: titles.get(chosen, chosen),
            key=f"shown-{shown.id if shown else ''}",  # when another run ends, its outcome is shown
        )
    return next((run for run in ended if run.id == chosen), None)


def start(request: RunRequest) -> None:
    """Start a run, or queue it, and redraw the page."""
    run = jobs.start(request)
    if run.state == "queued":
        st.toast(f"Queued: {run.recipe.name} on {ABOUT_DATA[run.data]}.", icon=":material/schedule:")
    st.rerun()


def _table(ended: list[RunStatus]) -> pd.DataFrame:
    rows = []
    for run in ended:
        best = run.best_epoch
        accuracy = f"{best.validation_accuracy:.2%} (epoch {best.epoch})" if best else ""
        rows.append((_date(run), run.state, recipe_in_words(run.recipe), ABOUT_DATA[run.data], accuracy, run.id))
    return pd.DataFrame(rows, columns=["started", "state", "recipe", "images", "best validation accuracy", "run"])


def _title(run: RunStatus) -> str:
    return f"{_date(run)} · {recipe_in_words(run.recipe)} on {ABOUT_DATA[run.data]} · {run.state}"


def _date(run: RunStatus) -> str:
    return f"{datetime.fromisoformat(run.created):%Y-%m-%d %H:%M} UTC"


def _show_result(run: RunStatus) -> None:
    """Show the new version's accuracy beside the active one's, and the button that makes it active."""
    name = f"runs/{run.id}"
    record = registry.read_record(run.folder)
    active = loaders.active_reader()
    this_run, other, choice = st.columns([1, 1, 1])
    with this_run:
        accuracy("This run", record.evaluation)
    if active.name == name:
        choice.success("This version is active: the Draw page uses it.", icon=":material/check:")
    else:
        with other:
            accuracy(f"Active version: {plain(title_of(active.name))}", loaders.test_result(active, run.data))
        comparison = loaders.comparison(active, loaders.reader_of(name), run.data)
        advised: Literal["primary", "secondary"] = "primary" if comparison.difference >= 0 else "secondary"
        use = f"make-active-{run.id}"  # a press is for this run's version, even if another run ends in between
        if pressed("Make active", show=choice.button, key=use, type=advised, icon=":material/check:"):
            promote_or_ask(name, title_of(name))
        if run.data == "sample" and active.record.data == "mnist":
            st.caption(
                "The active version has an unfair advantage here: it was trained on all of MNIST, and so on these test "
                "images."
            )
        st.caption(comparison.verdict())
    explore(name)
    show_training(run)


def accuracy(label: str, evaluation: Evaluation) -> None:
    """Show an accuracy, and what it was measured on."""
    st.metric(label, f"{evaluation.accuracy:.2%}")
    interval = evaluation.interval.percent(2)
    st.caption(f"of {evaluation.images:,} images correctly classified ({evaluation.on}; 95% interval {interval})")


def show_training(run: RunStatus) -> None:
    """Show the curves of a training, and its first layer."""
    st.markdown("**How the training went**", help=ABOUT_CURVES)
    learning_curves(run)
    show_first_layer(run)


def _show_unfinished(run: RunStatus) -> None:
    """Show why a run did not finish, how far it got, and the buttons that resume or repeat it."""
    if run.state == "cancelled":
        st.info(run.message)
    else:
        st.error(run.message)
    failed = run.of(Failed)
    with st.container(horizontal=True):
        epoch = run.resumable_epoch
        resume = f"Resume after epoch {epoch}"
        if epoch and pressed(resume, key=f"resume-{run.id}", type="primary", icon=":material/play_arrow:"):
            jobs.resume(run)
            st.rerun()
        if pressed("Start again", key=f"again-{run.id}", icon=":material/replay:"):
            start(RunRequest(run.recipe, run.data, run.fine_tune, run.drawings))
        no_data = run.data == "mnist" and failed and failed[-1].kind == DatasetError.__name__
        if no_data and pressed("Train on the bundled sample instead", key=f"sample-{run.id}"):
            start(RunRequest(run.recipe, "sample"))
    with st.expander("Log"):
        st.code(run.log, language=None)
    if run.of(Epoch):
        learning_curves(run)
        show_first_layer(run)
