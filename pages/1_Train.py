"""The Train page: choose a recipe, press Train, watch it learn, and decide whether the result answers from now on."""

import streamlit as st

from mnist_core import RECIPES, Recipe, jobs
from mnist_core.datasets import IMAGE_COUNTS, DataName, mnist_is_here
from mnist_core.errors import DatasetError, RunError
from mnist_core.runs import RunStatus, read_run
from pages.ui import loaders
from pages.ui.charts import learning_curves
from pages.ui.layout import begin_page, errors_in_words
from pages.ui.results import ABOUT_DATA, show_result

ABOUT_RECIPES = {
    "quick": "The article's network, trained by our own recipe: a few seconds, and better.",
    "article": "Exactly as the article trains: Adam, binary cross-entropy, batches of 32, ten epochs.",
    "robust": "The article's network as good as it gets, on people's drawings too: it learns, from distorted digits, "
    "what the version **best** makes of them.",
    "best": "A network twenty times larger, trained at length on distorted digits: for people's drawings.",
}


def choose_and_train() -> None:
    """What can be trained, what that will do, and the button."""
    recipe = RECIPES[
        st.segmented_control(
            "Recipe", list(ABOUT_RECIPES), default="quick", required=True, key="recipe", persist_state="session"
        )
    ]
    st.caption(ABOUT_RECIPES[recipe.name])
    data: DataName = st.segmented_control(
        "Images",
        list(ABOUT_DATA),
        default="mnist" if mnist_is_here() else "sample",
        required=True,
        format_func=ABOUT_DATA.__getitem__,
        key="data",
        persist_state="session",
    )
    describe(recipe, data)
    preview(recipe)
    if st.button("Train", type="primary", icon=":material/play_arrow:"):
        start(recipe, data)


def describe(recipe: Recipe, data: DataName) -> None:
    """What pressing Train will do."""
    counts = IMAGE_COUNTS[data]
    seconds = loaders.estimated_seconds(recipe, counts["training"])
    figures = (
        ("Network", "–".join(map(str, recipe.layer_sizes)), "Units in each layer, from pixels to digits"),
        ("Parameters", f"{recipe.parameter_count:,}", "Weights and biases that are learned"),
        ("Learns from", f"{counts['training']:,} images", "Each is seen once an epoch"),
        ("Watched on", f"{counts['validation']:,} images", "Validation images: it never learns from them"),
        ("Judged on", f"{counts['test']:,} images", "Test images: looked at once, at the end"),
        (
            "Training time",
            f"about {duration(seconds)}",
            "From a short trial on this machine; starting takes a little more",
        ),
    )
    with st.container(horizontal=True, gap="medium"):
        for label, value, explanation in figures:
            st.metric(label, value, help=explanation, width="content")
    if data == "mnist" and not mnist_is_here():
        st.info("MNIST is not on this machine yet: it is downloaded first (11 MB).", icon=":material/download:")
    if data == "sample":
        st.caption(
            "5,000 of MNIST's training digits that came with the installation; figures made with so few are less exact."
        )
        if recipe.teacher:
            st.caption(
                f"The version {recipe.teacher}, which this one learns from, has seen these digits: its figures will be "
                "too good."
            )


def preview(recipe: Recipe) -> None:
    """What the network will be shown, where that is not just the images themselves."""
    if recipe.augments:
        st.image(loaders.distorted_digits(recipe), width="stretch")
        st.caption(
            "Left: digits as they are. To the right: what the recipe makes of each, anew for every epoch. Shapes that "
            "are no digit are mixed in, so that the network learns to say so."
        )


def start(recipe: Recipe, data: DataName) -> None:
    """Start a run, or join the one that somebody else has just started."""
    try:
        jobs.start(recipe, data)
    except RunError as error:
        if jobs.running_run() is None:
            raise
        st.toast(str(error))
    st.rerun()


@st.fragment(run_every="0.5s")
@errors_in_words()
def follow(run: RunStatus) -> None:
    """Watch a run until it ends."""
    run = read_run(run.folder)
    if run.state != "running":
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Training **{run.recipe.name}** on **{ABOUT_DATA[run.data]}**")
        st.button("Cancel", icon=":material/stop:", on_click=jobs.cancel, args=[run])
    share, text = progress(run)
    st.progress(share, text=text)
    if run.of("step"):
        learning_curves(run)
    st.caption("You may leave this page or close the tab: the training goes on, and is here when you come back.")


def progress(run: RunStatus) -> tuple[float, str]:
    """How far a run is, from 0 to 1, and in words."""
    if run.of("evaluating"):
        return 1.0, "Judging the result on the test images …"
    if steps := run.of("step"):
        step = steps[-1]
        return step["images_seen"] / step["images_total"], (
            f"Epoch {step['epoch']} of {run.recipe.epochs} · {step['images_per_second']:,.0f} images a second · "
            f"{duration(step['seconds_left'])} left"
        )
    if (downloads := run.of("download")) and not run.of("loaded"):
        last = downloads[-1]
        return last["bytes"] / max(last["bytes_total"], last["bytes"]), (
            f"Downloading {last['file']}: {last['bytes'] / 1e6:.1f} MB"
        )
    if not run.of("loaded"):
        return 0.0, "Starting …"
    return 0.0, "Preparing the digits to be distorted …" if run.recipe.augments else "Images read, learning begins …"


def show_outcome(run: RunStatus) -> None:
    """What became of the last run."""
    st.divider()
    st.subheader(f"Last run: {run.recipe.name}, {ABOUT_DATA[run.data]}")
    if run.state == "finished":
        show_result(run)
        return
    if run.state == "cancelled":
        st.info(run.message)
    else:
        st.error(run.message)
        show_log(run)
        failed = run.of("failed")
        offer = run.data == "mnist" and failed and failed[-1]["kind"] == DatasetError.__name__
        if offer and st.button("Train on the bundled sample instead"):
            start(run.recipe, "sample")
    if run.of("epoch"):
        learning_curves(run)


def show_log(run: RunStatus) -> None:
    """What the process printed."""
    with st.expander("Log"):
        st.code(jobs.read_log(run), language=None)


def duration(seconds: float) -> str:
    """A time span in words, as precise as an estimate deserves."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


begin_page("Train")
st.title("Train a new version")
with errors_in_words():
    last = jobs.latest_run()
    if last is not None and last.state == "running":
        follow(last)
    else:
        choose_and_train()
        if last is not None:
            show_outcome(last)
