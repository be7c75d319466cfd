"""The Train page: choose a recipe, press Train, watch it learn, and decide whether the result becomes active."""

import streamlit as st

from mnist_core import Recipe
from mnist_core.errors import MnistCoreError
from mnist_core.images.datasets import IMAGE_COUNTS, DataName, LabelledImages, mnist_is_here
from mnist_core.runs.folder import RunRequest
from mnist_core.runs.processes import keep_one_ready
from mnist_core.runs.queue import tend_queue
from mnist_core.runs.status import all_runs, queued_runs, running_run
from pages.ui import loaders
from pages.ui.demo import keep_up
from pages.ui.layout import begin_page, errors_in_words
from pages.ui.train.links import DATA, keep_link, link, read_link
from pages.ui.train.live import ABOUT_DATA, follow
from pages.ui.train.results import earlier_runs, show_outcome, start
from pages.ui.train.settings import RECIPE, all_settings, reset_settings
from pages.ui.widgets.pressing import pressed
from pages.ui.wording import duration

ABOUT_RECIPES = {
    "quick": "Ready in seconds, and more accurate than the article: its network, trained by a better recipe.",
    "article": "Exactly as the article trains: Adam, binary cross-entropy, batches of 32, ten epochs.",
    "robust": "Handles people's drawings with the article's small network: it learns on distorted digits to answer as "
    "the version **best** does.",
    "best": "The most accurate on people's drawings: a network twenty times larger, trained longer, with distortions.",
}


def choose_and_train() -> None:
    """Show the recipes and images to choose from, what training will do, the button, and all settings."""
    read_link()
    chosen = st.segmented_control(
        "Recipe",
        list(ABOUT_RECIPES),
        required=True,
        key=RECIPE,
        on_change=reset_settings,
        persist_state="session",
    )
    st.caption(ABOUT_RECIPES[chosen])
    data: DataName = st.segmented_control(
        "Images",
        list(ABOUT_DATA),
        required=True,
        format_func=ABOUT_DATA.__getitem__,
        key=DATA,
        persist_state="session",
    )
    drawings = choose_drawings()
    above, works = st.container(), False
    try:
        with st.expander("All settings", icon=":material/tune:"):
            recipe = all_settings()
            st.markdown("**Link to these settings**")
            st.code(link(recipe, data), language=None, wrap_lines=True)
        with above:
            keep_link(recipe, data)
            describe(recipe, data, 0 if drawings is None else len(drawings))
            preview(recipe)
        works = True
    except MnistCoreError as error:
        above.error(str(error))
    if pressed(
        "Train", show=above.button, type="primary", icon=":material/play_arrow:", disabled=not works, key="train"
    ):
        start(RunRequest(recipe, data, drawings=drawings))


def choose_drawings() -> LabelledImages | None:
    """Return the drawings that people corrected, if there are any and the visitor wants to train on them."""
    stored = loaders.kept_drawings()
    if stored is None:
        return None
    wanted = st.toggle(
        f"Train on the {len(stored):,} corrected drawings as well",
        key="with-drawings",
        persist_state="session",
        help="Digits that people confirmed or corrected on the Draw page, or wrote on the My handwriting page",
    )
    return stored if wanted else None


def describe(recipe: Recipe, data: DataName, drawings: int) -> None:
    """Show what training will do: the size of the network, how many images it uses, and how long it takes."""
    counts = IMAGE_COUNTS[data]
    training = counts["training"] + drawings
    seconds = loaders.estimated_seconds(recipe, training)
    figures = (
        ("Network", "–".join(map(str, recipe.layer_sizes)), "Units in each layer, from the pixels to the digits"),
        ("Parameters", f"{recipe.parameter_count:,}", "Weights and biases"),
        ("Trains on", f"{training:,} images", "Each one once in every epoch"),
        (
            "Validated on",
            f"{counts['validation']:,} images",
            "They show the progress; never trained on",
        ),
        ("Tested on", f"{counts['test']:,} images", "Used once, at the end, to measure the accuracy"),
        (
            "Training time",
            f"about {duration(seconds)}",
            "Measured by a short trial on this machine, as busy as it is now; starting up is not included",
        ),
    )
    with st.container(horizontal=True, gap="medium"):
        for label, value, explanation in figures:
            st.metric(label, value, help=explanation, width="content")
    if data == "mnist" and not mnist_is_here():
        st.info("MNIST is not on this machine yet. It is downloaded first (11 MB).", icon=":material/download:")
    if data == "sample":
        st.caption(
            "5,000 MNIST training digits that come with the installation. With so few, the accuracy is less exact."
        )
        if recipe.teacher:
            st.caption(
                f"The measured accuracy will be too high: the teacher, version {recipe.teacher}, was trained on these "
                "digits."
            )


def preview(recipe: Recipe) -> None:
    """Show examples of the distorted digits that the recipe trains on, if it does."""
    if recipe.augments:
        st.image(
            loaders.distorted_digits(recipe),
            width="stretch",
            alt="One row for each digit from 0 to 9: the original, then nineteen distorted copies"
            + ("; then a row of shapes that are not digits" if recipe.non_digits else ""),
        )
        mixed_in = "The last row shows shapes that are not digits: from such shapes, the network learns to decline."
        st.caption(
            "Left: original digits. Right: distorted copies; every epoch trains on new ones. "
            f"{mixed_in if recipe.non_digits else ''}"
        )


begin_page("Train")
st.title("Train a new version")
with errors_in_words():
    tend_queue()
    running, waiting = running_run(), queued_runs()
    busy = running is not None or bool(waiting)
    if busy:
        follow(running.id if running else "")
        st.header("Train another", anchor=False, divider="gray")
    choose_and_train()
    if ended := [run for run in all_runs() if run.ended]:
        st.divider()
        st.html('<span id="outcome"></span>')  # where a link leads to
        last = max(ended, key=lambda run: run.place)
        shown = earlier_runs(ended, None if busy else last)
        if shown is not None:
            show_outcome(shown, "Last run" if shown.id == last.id else "Earlier run")
    keep_up()
    if not busy:
        keep_one_ready()
