"""The Train page: choose a recipe, press Train, watch it learn, and decide whether the result answers from now on."""

import streamlit as st

from mnist_core import Recipe
from mnist_core.errors import MnistCoreError
from mnist_core.images.datasets import IMAGE_COUNTS, DataName, LabelledImages, mnist_is_here
from mnist_core.runs.assignments import Assignment
from mnist_core.runs.queue import tend_queue
from mnist_core.runs.status import all_runs, queued_runs, running_run
from pages.ui import loaders
from pages.ui.demo import keep_up
from pages.ui.layout import begin_page, errors_in_words
from pages.ui.train.links import DATA, keep_link, link, read_link
from pages.ui.train.live import ABOUT_DATA, follow
from pages.ui.train.results import earlier_runs, show_outcome, start
from pages.ui.train.settings import RECIPE, all_settings, reset_settings
from pages.ui.wording import duration

ABOUT_RECIPES = {
    "quick": "The article's network, trained by our own recipe: a few seconds, and better.",
    "article": "Exactly as the article trains: Adam, binary cross-entropy, batches of 32, ten epochs.",
    "robust": "The article's network as good as it gets, on people's drawings too: it learns, from distorted digits, "
    "what the version **best** makes of them.",
    "best": "A network twenty times larger, trained at length on distorted digits: for people's drawings.",
}


def choose_and_train() -> None:
    """What can be trained, what that will do, and the button; below it, all settings."""
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
    if above.button("Train", type="primary", icon=":material/play_arrow:", disabled=not works):
        start(Assignment(recipe, data, drawings=drawings))


def choose_drawings() -> LabelledImages | None:
    """The drawings that people corrected, where there are any and the visitor wants them learned as well."""
    kept = loaders.kept_drawings()
    if kept is None:
        return None
    wanted = st.toggle(
        f"Learn from the {len(kept):,} corrected drawings as well",
        key="with-drawings",
        persist_state="session",
        help="Digits that people confirmed or corrected on the Draw page, or wrote under My handwriting",
    )
    return kept if wanted else None


def describe(recipe: Recipe, data: DataName, drawings: int) -> None:
    """What pressing Train will do."""
    counts = IMAGE_COUNTS[data]
    learned = counts["training"] + drawings
    seconds = loaders.estimated_seconds(recipe, learned)
    figures = (
        ("Network", "–".join(map(str, recipe.layer_sizes)), "Units in each layer, from pixels to digits"),
        ("Parameters", f"{recipe.parameter_count:,}", "Weights and biases that are learned"),
        ("Learns from", f"{learned:,} images", "Each is seen once an epoch"),
        ("Watched on", f"{counts['validation']:,} images", "Validation images: it never learns from them"),
        ("Judged on", f"{counts['test']:,} images", "Test images: looked at once, at the end"),
        (
            "Training time",
            f"about {duration(seconds)}",
            "From a short trial on this machine, as busy as it is now; starting takes a little more",
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
        st.image(
            loaders.distorted_digits(recipe),
            width="stretch",
            alt="A row for each digit from 0 to 9: as it is, then distorted in nineteen ways",
        )
        mixed_in = "Shapes that are no digit are mixed in, so that the network learns to say so."
        st.caption(
            "Left: digits as they are. To the right: what the recipe makes of each, anew for every epoch. "
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
