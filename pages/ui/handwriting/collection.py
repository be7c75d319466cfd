"""A writer's stored drawings: how often the network is right, and relabelling, deleting, exporting and importing."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_core import evaluate
from mnist_core.drawings.exchange import from_zip, to_zip
from mnist_core.drawings.store import DrawingStore, StoredDrawing
from mnist_core.evaluation.answers import confused_pairs
from mnist_core.images.datasets import NOT_A_DIGIT
from mnist_core.network.classifier import percent
from mnist_core.versions.catalogue import title_of
from pages.ui import loaders
from pages.ui.explore.charts import mistakes_by_digit
from pages.ui.explore.matrix import confusion_matrix
from pages.ui.handwriting.keeper import keeper
from pages.ui.handwriting.keeping import LABELS
from pages.ui.layout import errors_in_words, plain
from pages.ui.widgets.answer import data_uri
from pages.ui.widgets.gallery import pick_picture
from pages.ui.wording import LEARNED_FROM_DRAWINGS, counted, date_and_time, interval_in_words, name_of_writer

SHOWN_AT_FIRST, SHOWN_MORE = 18, 60  # few at first, so that teaching is not far below
ENOUGH_FOR_BARS = 30  # drawings; with fewer, figures by digit are chance
MOST_UPLOAD_MB = 100
IMPORTED = "imported_drawings"


def show_accuracy(store: DrawingStore, writer: str) -> None:
    """Show how many of a writer's digits the active version classifies correctly, and what its mistakes are."""
    images = store.images([writer])
    if not len(images):
        st.caption("Nothing has been kept yet. Write some digits, or say on the Draw page what you drew.")
        return
    reader = loaders.active_reader()
    evaluation = evaluate(reader.classifier, images)
    st.markdown(
        f"**{evaluation.correct:,} of {evaluation.images:,} correct: {evaluation.accuracy:.1%}** "
        f"({interval_in_words(evaluation, 1)}), classified by **{plain(title_of(reader.name))}**",
        help="All digits kept of this writer, as the active version classifies them now",
    )
    if reader.record.learned_from_drawings:
        st.caption(LEARNED_FROM_DRAWINGS)
    if pairs := confused_pairs(evaluation):
        mistakes = ", ".join(f"{label} classified as {answer} ({count})" for label, answer, count in pairs)
        st.markdown(f"Most frequent mistakes: {mistakes}.")
    matrix, bars = st.columns(2, gap="medium")
    with matrix:
        confusion_matrix(evaluation.confusion)
    if evaluation.images >= ENOUGH_FOR_BARS:
        with bars:
            mistakes_by_digit(evaluation, key="my-mistakes")


def show_gallery(store: DrawingStore, writer: str) -> None:
    """Show a writer's drawings, latest first; a click opens one to relabel or delete it."""
    most = st.session_state.setdefault("my-most", SHOWN_AT_FIRST)
    found = store.find([writer], limit=most)
    if not found:
        return
    frames = np.stack([drawing.image for drawing in found])
    answers = loaders.active_reader().classifier.predict_frames(frames).argmax(axis=1).tolist()
    wrong = [drawing.label not in (NOT_A_DIGIT, answer) for drawing, answer in zip(found, answers, strict=True)]
    framed = " Mistakes have a frame." if any(wrong) else ""
    st.caption(f"Click a drawing to relabel or delete it.{framed}")
    picked = pick_picture(
        frames,
        [_line(drawing, answer) for drawing, answer in zip(found, answers, strict=True)],
        [drawing.id for drawing in found],  # not places: another tab may add or delete some before the click
        wrong,
        key=f"my-gallery-{writer}",
    )
    hidden = store.count([writer]) - len(found)
    if hidden > 0 and st.button(f"Show {min(SHOWN_MORE, hidden)} more"):
        st.session_state["my-most"] = most + SHOWN_MORE
        st.rerun(scope="fragment")
    if picked is not None:
        _open(store, picked)


def _open(store: DrawingStore, id: str) -> None:
    drawing = store.get(id)
    if drawing is None:
        st.toast("This drawing has been deleted in the meantime.")
    else:
        _change(store, drawing)


def _line(drawing: StoredDrawing, answer: int) -> str:
    if drawing.label == NOT_A_DIGIT:
        return "not a digit"
    return f"{drawing.label}, correct" if answer == drawing.label else f"{drawing.label} as {answer}"


@st.dialog("This drawing")
@errors_in_words()
def _change(store: DrawingStore, drawing: StoredDrawing) -> None:
    st.html(
        f'<div class="closer"><img src="{data_uri(drawing.image)}" alt="The drawing, kept as '
        f'{LABELS[drawing.label].lower()}"></div>'
    )
    st.caption(
        f"{date_and_time(drawing.time)} · classified as {drawing.digit} ({percent(drawing.confidence)}) by "
        f"{plain(drawing.version)}"
    )
    labels = list(LABELS)
    label = st.selectbox("It is", labels, index=labels.index(drawing.label), format_func=LABELS.__getitem__)
    with st.container(horizontal=True):
        if st.button("Save", type="primary"):
            store.relabel(drawing.id, label)
            keeper().correct(drawing.id, label)
            st.rerun()
        if st.button("Delete", icon=":material/delete:"):
            store.delete([drawing.id])
            keeper().forget([drawing.id])
            st.rerun()


def offer_export(store: DrawingStore, writer: str) -> None:
    """Show buttons to export and to delete everything of a writer, if there is anything."""
    if not store.count([writer]):
        return
    name = writer or "no name"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.download_button(
            "Export",
            lambda: to_zip(store, [writer]),
            file_name=f"drawings-{name.replace(' ', '-')}.zip",
            icon=":material/download:",
            on_click="ignore",
            help="A zip file with PNG images, a table (CSV), and files in MNIST's own format",
        )
        whose = f"by {plain(writer)}" if writer else "without a name"
        if st.button(f"Delete all drawings {whose}", icon=":material/delete_forever:"):
            _delete_all(store, writer, name)


def import_drawings(store: DrawingStore) -> None:
    """Take an uploaded export, and add its drawings."""
    file = st.file_uploader(
        "Import exported drawings", type="zip", max_upload_size=MOST_UPLOAD_MB, key="drawings-upload"
    )
    if file is not None and st.session_state.get(IMPORTED) != file.file_id:
        st.session_state[IMPORTED] = file.file_id  # every rerun shows the same file again
        imported = from_zip(store, file.getvalue())
        st.toast(f"{counted(imported.added, 'drawing')} added, {imported.skipped:,} already here")
        st.rerun()


@st.dialog("Delete all these drawings?")
@errors_in_words()
def _delete_all(store: DrawingStore, writer: str, name: str) -> None:
    count = counted(store.count([writer]), "drawing")
    st.markdown(f"**{plain(name)}**: {count} will be deleted for good. This cannot be undone.")
    with st.container(horizontal=True):
        if st.button("Cancel", type="primary"):
            st.rerun()
        if st.button("Delete all"):
            store.delete_writer(writer)
            keeper().forget_writer(writer)
            st.rerun()


def choose_writer(writers: Sequence[str], mine: str) -> str:
    """Ask whose drawings to show."""
    names = list(dict.fromkeys([mine, *writers]))
    chosen: str = st.selectbox("Writer", names, format_func=name_of_writer, key=f"shown-{mine}")
    return chosen
