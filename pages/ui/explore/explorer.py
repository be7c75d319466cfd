"""Exploring what a version answers to a set of images: the confusion matrix, the images behind each of its cells, and
how far its confidence can be trusted."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core import Evaluation
from mnist_core.evaluation.answers import Answers
from mnist_core.files import data_dir
from mnist_core.images.datasets import download_mnist
from mnist_core.network.calibration import ACCEPTED
from mnist_core.network.classifier import percent
from pages.ui import loaders
from pages.ui.explore import image_sets
from pages.ui.explore.charts import coverage_curve, mistakes_by_digit, per_digit_table, reliability_diagram
from pages.ui.explore.image_sets import SetName
from pages.ui.explore.matrix import ALL_MISTAKES, clickable_matrix
from pages.ui.explore.non_digits import show_non_digits
from pages.ui.layout import errors_in_words
from pages.ui.loaders import Reader
from pages.ui.widgets.answer import STRICTNESS
from pages.ui.widgets.closer import look_closer
from pages.ui.widgets.gallery import clickable_gallery
from pages.ui.wording import LEARNED_FROM_DRAWINGS, counted, interval_in_words

SHOWN_AT_ONCE, FEW = 40, 12
IMAGES, SHARES = "Images", "Percent of row"
HIGH_CONFIDENCE = 0.9


@st.fragment
@errors_in_words()
def explore(name: str) -> None:
    """Show the answers of the version of that name, as a fragment: a click runs nothing else of the page."""
    reader = loaders.reader_of(name)
    chosen = _choose_set(reader)
    found = _look_through(reader, chosen) if chosen == "kept" else image_sets.answers(reader, chosen)
    evaluation = image_sets.recorded(reader.record, chosen)
    if found and (evaluation is None or found.evaluation.checksum != evaluation.checksum):
        evaluation = found.evaluation  # the recorded one is of other images
    if evaluation is None:
        st.markdown(f"**{image_sets.TITLES[chosen]}**: this version has not been evaluated on them yet.")
        _offer_answers(reader, chosen, "Evaluate on these images")
        return
    _show_accuracy(reader, chosen, evaluation)
    matrix, images = st.columns(2, gap="medium")
    with matrix:
        cell = _show_matrix(evaluation, key=f"{name}-{chosen}")
    with images:
        if found is None:
            found = _have_answers(reader, chosen)
        if found is not None:
            _show_images(reader, found, cell, key=f"{name}-{chosen}-{cell}")
    _show_figures(evaluation)
    if chosen == "drawings" and reader.record.drawings and reader.record.drawings[0].non_digits:
        accepted = st.session_state.get(STRICTNESS, ACCEPTED)
        show_non_digits(reader.record.drawings[0], accepted, key=f"non-digits-{name}")


def _show_accuracy(reader: Reader, chosen: SetName, evaluation: Evaluation) -> None:
    """Show how many answers are correct, and what makes that figure too high or too low."""
    mistakes = counted(evaluation.images - evaluation.correct, "mistake")
    st.markdown(
        f"**{evaluation.accuracy:.2%} correct**: {mistakes} in {evaluation.images:,} images ({evaluation.on}; "
        f"{interval_in_words(evaluation)})"
    )
    if chosen == "sample" and reader.record.data == "mnist":
        st.caption("This version was trained on all of MNIST, including these images, so this figure is too high.")
    if chosen == "drawings":
        st.caption("The drawings are as collected: some are incomplete, and some have a wrong label.")
    if chosen == "kept" and reader.record.learned_from_drawings:
        st.caption(LEARNED_FROM_DRAWINGS)


def _choose_set(reader: Reader) -> SetName:
    names = image_sets.sets_for(reader.record)
    key = f"set-{reader.name}"
    if st.session_state.get(key, names[0]) not in names:
        del st.session_state[key]
    if len(names) == 1:
        return names[0]
    chosen: SetName = st.segmented_control(
        "Images",
        names,
        default=names[0],
        required=True,
        format_func=image_sets.TITLES.__getitem__,
        key=key,
        persist_state="session",
    )
    return chosen


def _have_answers(reader: Reader, chosen: SetName) -> Answers | None:
    """Return the answers, if they can be found in a moment; else offer to find them."""
    if not image_sets.images_are_here(chosen):
        st.info("The images are not on this machine, so they cannot be shown.", icon=":material/image:")
        if chosen == "mnist" and st.button("Download MNIST (11 MB)", icon=":material/download:"):
            with st.spinner("Downloading MNIST …"):
                download_mnist(data_dir())
            st.rerun()
    elif not image_sets.is_quick(chosen):
        st.markdown("These drawings are stored as pen strokes. Turning them into images takes about half a minute.")
        _offer_answers(reader, chosen, "Prepare the images")
    else:
        return _look_through(reader, chosen)
    return None


def _look_through(reader: Reader, chosen: SetName) -> Answers | None:
    """Return the answers to images that need no preparation."""
    if image_sets.answers(reader, chosen) is None:
        with st.spinner("Classifying the images …"):
            for _ in image_sets.find_answers(reader, chosen):
                pass
    return image_sets.answers(reader, chosen)


def _offer_answers(reader: Reader, chosen: SetName, label: str) -> None:
    place = st.empty()
    if place.button(label, icon=":material/fact_check:", type="primary", key=f"ask-{reader.name}-{chosen}"):
        bar = place.progress(0.0, "Loading the images …")
        for share, text in image_sets.find_answers(reader, chosen):
            bar.progress(share, text)
        st.rerun()


def _show_matrix(evaluation: Evaluation, key: str) -> str:
    """Show the matrix and the most confused pairs, and return what was clicked last: see `clickable_matrix`."""
    st.markdown(
        "**Which digits are mistaken for which**",
        help="A row for each true digit, a column for each answer; correct answers are on the diagonal. Click a number "
        "to see its images.",
    )
    unit = st.segmented_control(
        "Show", [IMAGES, SHARES], default=IMAGES, required=True, label_visibility="collapsed", key=f"unit-{key}"
    )
    return clickable_matrix(evaluation, shares=unit == SHARES, key=f"matrix-{key}")


def _show_images(reader: Reader, found: Answers, cell: str, key: str) -> None:
    """Show the images behind what was clicked, the most confident answers first."""
    label, _, answer = cell.partition("-")
    places = found.mistakes() if cell == ALL_MISTAKES else found.cell(int(label), int(answer))
    what = "All mistakes" if cell == ALL_MISTAKES else f"{label} classified as {answer}"
    st.markdown(
        f"**{what}: {counted(len(places), 'image')}**, most confident first",
        help="Click an image to enlarge it and to see why it got this answer.",
    )
    low, high = st.slider("Confidence of the answer", 0, 100, (0, 100), step=5, format="%d%%", key=f"confidence-{key}")
    shown = _between(found, places, low / 100, high / 100)
    confident = len(_between(found, places, HIGH_CONFIDENCE, 1))
    st.caption(f"{len(shown):,} in this range · {confident:,} with a confidence of {HIGH_CONFIDENCE:.0%} or more")
    most = st.session_state.get(f"most-{key}", SHOWN_AT_ONCE)
    lines = [_line(found, int(place)) for place in shown[:most]]
    with st.container(height=400 if len(lines) > FEW else "content", border=False):
        picked = clickable_gallery(
            found.images.images[shown[:most]], lines, [int(place) for place in shown[:most]], key=f"gallery-{key}"
        )
        if len(shown) > most and st.button(f"Show {min(SHOWN_AT_ONCE, len(shown) - most)} more", key=f"more-{key}"):
            st.session_state[f"most-{key}"] = most + SHOWN_AT_ONCE
            st.rerun(scope="fragment")
    if picked is not None:
        look_closer(reader, found, picked)


def _between(found: Answers, places: NDArray[np.intp], low: float, high: float) -> NDArray[np.intp]:
    confidences = found.confidences[places]
    within: NDArray[np.intp] = places[(confidences >= low) & (confidences <= high)]
    return within


def _line(found: Answers, place: int) -> str:
    label, answer, confidence = found.images.labels[place], found.digits[place], found.confidences[place]
    outcome = f"{label}, correct" if answer == label else f"{label} as {answer}"
    return f"{outcome}, {percent(confidence)}"


def _show_figures(evaluation: Evaluation) -> None:
    """Show the mistakes of each digit, and how far the confidence can be trusted."""
    key = f"{evaluation.checksum[:8]}-{evaluation.correct}"
    st.markdown("**Mistakes by digit**", help="How often each digit is misclassified, with 95% intervals.")
    mistakes_by_digit(evaluation, key=f"bars-{key}")
    with st.expander("Precision, recall and F1"):
        per_digit_table(evaluation)
    st.markdown(
        "**Does it know when it may be wrong?**",
        help="Left: of the answers given with a confidence of 80%, are 80% correct? Right: how accurate are answers if "
        "it may decline the images that look least like a digit?",
    )
    reliability, coverage = st.columns(2)
    with reliability:
        reliability_diagram(evaluation, key=f"reliability-{key}")
    with coverage:
        coverage_curve(evaluation, st.session_state.get(STRICTNESS, ACCEPTED), key=f"coverage-{key}")
