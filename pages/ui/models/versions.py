"""One version in detail on the Models page, and what can be done with it: make active, download, name, add."""

import streamlit as st

from mnist_core.versions.catalogue import MAX_NOTE, MAX_TITLE, Entry, label_version, recipe_in_words
from mnist_core.versions.exchange import from_zip, to_onnx, to_zip
from pages.ui.explore.charts import ABOUT_CURVES, epoch_curves
from pages.ui.explore.explorer import explore
from pages.ui.layout import errors_in_words, plain
from pages.ui.models.activation import promote_or_ask
from pages.ui.models.deletion import offer_delete

UPLOADED = "uploaded_version"


def show_version(entry: Entry) -> None:
    """Show everything about one version, and the buttons for what can be done with it."""
    st.header(plain(entry.title), anchor=False)
    if entry.note:
        st.markdown(entry.note)
    _show_actions(entry)
    st.caption(f"Recipe: {recipe_in_words(entry.record.recipe)} · to train it again: `{entry.record.command}`")
    explore(entry.name)
    if entry.record.curve.epoch:
        st.markdown("**How the training went**", help=ABOUT_CURVES)
        epoch_curves(entry.record.curve, entry.record.recipe.epochs)


def _show_actions(entry: Entry) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if entry.active:
            st.badge("Active: answers on the Draw page", icon=":material/check:", color="green")
        elif st.button("Make active", type="primary", icon=":material/check:"):
            promote_or_ask(entry.name, entry.title)
        _offer_downloads(entry)
        with st.popover("Name and note", icon=":material/edit:"):
            _edit_label(entry)
        offer_delete(entry)


def _offer_downloads(entry: Entry) -> None:
    file_stem = entry.name.replace("/", "-")
    st.download_button(
        "Weights and record",
        lambda: to_zip(entry.version),
        file_name=f"{file_stem}.zip",
        icon=":material/download:",
        on_click="ignore",
        help="A zip file that another installation can add to its versions",
    )
    st.download_button(
        "ONNX",
        lambda: to_onnx(entry.version),
        file_name=f"{file_stem}.onnx",
        icon=":material/download:",
        on_click="ignore",
        help="For programs in other languages: 28×28 bytes in, ten probabilities out",
    )


def _edit_label(entry: Entry) -> None:
    with st.form("label", border=False):
        title = st.text_input("Name", entry.title, max_chars=MAX_TITLE)
        note = st.text_area("Note", entry.note, max_chars=MAX_NOTE)
        if st.form_submit_button("Save"):
            with errors_in_words():
                label_version(entry.name, title=title, note=note)
                st.rerun()


def add_version() -> None:
    """Take an uploaded version, check it, and add it."""
    st.header("Add a version", anchor=False)
    file = st.file_uploader(
        "A zip file from “Weights and record”; its weights and figures are checked first",
        type="zip",
        max_upload_size=100,
        key="upload",
    )
    if file is None or st.session_state.get(UPLOADED) == file.file_id:
        return
    st.session_state[UPLOADED] = file.file_id  # every rerun shows the same file again
    with st.spinner("Checking the version …"):
        added = from_zip(file.getvalue())
    st.toast(f"Added as {added.name}")
    st.rerun()
