"""A writer's drawings: how well they are read, all of them to be looked at, relabelled, deleted, taken away."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_core import evaluate
from mnist_core.drawings.exchange import from_zip, to_zip
from mnist_core.drawings.store import DrawingStore, StoredDrawing
from mnist_core.evaluation.answers import confused_pairs
from mnist_core.evaluation.statistics import with_interval
from mnist_core.images.datasets import NOT_A_DIGIT
from mnist_core.network.classifier import percent
from mnist_core.versions.catalogue import title_of
from pages.ui import loaders
from pages.ui.explore.charts import misread_bars
from pages.ui.explore.matrix import confusion_matrix
from pages.ui.handwriting.keeper import keeper
from pages.ui.handwriting.keeping import LABELS, drawings_in_words
from pages.ui.layout import errors_in_words, plain
from pages.ui.widgets.answer import data_uri
from pages.ui.widgets.gallery import pick_picture

AT_FIRST, MORE = 18, 60
"""Drawings that are shown; few, so that teaching is not far below them."""
ENOUGH_FOR_BARS = 30
"""Drawings; with fewer, chance leaves nothing to be seen digit by digit."""
IMPORTED = "imported_drawings"


def show_accuracy(store: DrawingStore, writer: str) -> None:
    """How many of a writer's digits the active version reads rightly, which not, and what it takes them for."""
    images = store.images([writer])
    if not len(images):
        st.caption("Nothing was kept yet: write some digits, or say on the Draw page what you drew.")
        return
    reader = loaders.active_reader()
    evaluation = evaluate(reader.classifier, images)
    share = with_interval(evaluation.correct, evaluation.images)
    st.markdown(
        f"**{evaluation.correct} of {evaluation.images} right**: {share}, read by **{plain(title_of(reader.name))}**",
        help="All digits that were kept of this writer, as the version that answers now reads them",
    )
    if reader.record.learned_from_drawings:
        st.caption("It learned from corrected drawings: where these are among them, the figure is too good.")
    pairs = confused_pairs(evaluation)
    if pairs:
        misread = ", ".join(f"{label} read as {answer} ({count})" for label, answer, count in pairs)
        st.markdown(f"Misread: {misread}.")
    matrix, bars = st.columns(2, gap="medium")
    with matrix:
        confusion_matrix(evaluation.confusion)
    if evaluation.images >= ENOUGH_FOR_BARS:
        with bars:
            misread_bars(evaluation, key="my-misread")


def show_gallery(store: DrawingStore, writer: str) -> None:
    """All drawings of a writer, the latest first; a click leads to relabelling or deleting one."""
    most = st.session_state.setdefault("my-most", AT_FIRST)
    found = store.find([writer], limit=most)
    if not found:
        return
    answers = loaders.active_reader().classifier.predict_frames(np.stack([drawing.image for drawing in found]))
    read = [int(answer) for answer in answers.argmax(axis=1)]
    misread = [drawing.label not in (NOT_A_DIGIT, answer) for drawing, answer in zip(found, read, strict=True)]
    framed = " Those in a frame are misread." if any(misread) else ""
    st.caption(f"Click a drawing to say that it is something else, or to delete it.{framed}")
    picked = pick_picture(
        np.stack([drawing.image for drawing in found]),
        [_line(drawing, answer) for drawing, answer in zip(found, read, strict=True)],
        [drawing.id for drawing in found],  # not places: another tab may add or delete some before the click
        misread,
        key=f"my-gallery-{writer}",
    )
    hidden = store.count([writer]) - len(found)
    if hidden > 0 and st.button(f"Show {min(MORE, hidden)} more"):
        st.session_state["my-most"] = most + MORE
        st.rerun(scope="fragment")
    if picked is not None:
        _open(store, picked)


def _open(store: DrawingStore, id: str) -> None:
    drawing = store.get(id)
    if drawing is None:
        st.toast("This drawing was deleted meanwhile.")
    else:
        _change(store, drawing)


def _line(drawing: StoredDrawing, answer: int) -> str:
    if drawing.label == NOT_A_DIGIT:
        return "not a digit"
    return f"{drawing.label}, {'right' if answer == drawing.label else f'read as {answer}'}"


@st.dialog("This drawing")
@errors_in_words()
def _change(store: DrawingStore, drawing: StoredDrawing) -> None:
    st.html(
        f'<div class="closer"><img src="{data_uri(drawing.image)}" alt="The drawing, kept as '
        f'{LABELS[drawing.label].lower()}"></div>'
    )
    st.caption(
        f"{drawing.time:%d %b %Y, %H:%M} UTC · answered with {drawing.digit}, {percent(drawing.confidence)}, by "
        f"{plain(drawing.version)}"
    )
    labels = list(LABELS)
    label = st.selectbox("It is", labels, index=labels.index(drawing.label), format_func=LABELS.__getitem__)
    with st.container(horizontal=True):
        if st.button("Keep it as that", type="primary"):
            store.relabel(drawing.id, label)
            keeper().correct(drawing.id, label)
            st.rerun()
        if st.button("Delete it", icon=":material/delete:"):
            store.delete([drawing.id])
            keeper().forget([drawing.id])
            st.rerun()


def take_away(store: DrawingStore, writer: str) -> None:
    """Export, import, and deleting all."""
    name = writer or "no name"
    if store.count([writer]):
        _export_or_delete(store, writer, name)
    file = st.file_uploader(
        "Import drawings that were exported", type="zip", max_upload_size=100, key="drawings-upload"
    )
    if file is not None and st.session_state.get(IMPORTED) != file.file_id:
        st.session_state[IMPORTED] = file.file_id
        came = from_zip(store, file.getvalue())
        skipped = "1 was" if came.skipped == 1 else f"{came.skipped:,} were"
        st.toast(f"{drawings_in_words(came.added)} added, {skipped} here already")
        st.rerun()


def _export_or_delete(store: DrawingStore, writer: str, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.download_button(
            "Export",
            lambda: to_zip(store, [writer]),
            file_name=f"drawings-{name.replace(' ', '-')}.zip",
            icon=":material/download:",
            on_click="ignore",
            help="A zip file with PNGs, a table (CSV) and MNIST's own format",
        )
        if st.button(f"Delete all of {plain(name)}", icon=":material/delete_forever:"):
            _delete_all(store, writer, name)


@st.dialog("Delete all of them, for good?")
@errors_in_words()
def _delete_all(store: DrawingStore, writer: str, name: str) -> None:
    count = drawings_in_words(store.count([writer]))
    st.markdown(f"**{plain(name)}**: {count} will be gone, and cannot be brought back.")
    with st.container(horizontal=True):
        if st.button("Leave them", type="primary"):
            st.rerun()
        if st.button("Delete them all"):
            store.delete_writer(writer)
            keeper().forget_writer(writer)
            st.rerun()


def choose_writer(writers: Sequence[str], mine: str) -> str:
    """Whose drawings are shown."""
    names = list(dict.fromkeys([mine, *writers]))
    chosen: str = st.selectbox("Writer", names, format_func=lambda name: name or "(no name)", key=f"shown-{mine}")
    return chosen
