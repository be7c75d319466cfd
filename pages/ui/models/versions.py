"""Versions of the network on the Models page: the table, one looked at closely, and what can be done with it."""

from datetime import datetime

import pandas as pd
import streamlit as st

from mnist_core import Evaluation
from mnist_core.versions import deletion
from mnist_core.versions.active import history, previous, promote, roll_back
from mnist_core.versions.catalogue import MAX_NOTE, MAX_TITLE, Entry, label_version, recipe_in_words
from mnist_core.versions.exchange import from_zip, to_onnx, to_zip
from pages.ui import loaders
from pages.ui.explore.charts import ABOUT_CURVES, epoch_curves
from pages.ui.explore.explorer import explore
from pages.ui.layout import errors_in_words, plain

MOST_ASKED = 20
"""Of one's own versions, the latest, are asked about the corrected drawings whenever one comes in."""
DELETED = "deleted_version"
UPLOADED = "uploaded_version"


def show_table(listed: list[Entry]) -> None:
    """A row a version; a click on a heading sorts."""
    kept = _on_kept_drawings(listed)
    st.dataframe(
        pd.DataFrame([_row(entry, kept) for entry in listed]),
        hide_index=True,
        placeholder="–",
        height="content" if len(listed) <= 10 else 390,
        column_config={
            "answers": st.column_config.TextColumn(help="Which version answers on the Draw page now", width="small"),
            "test": st.column_config.NumberColumn("Test images", format="%.2f%%", help="Share answered rightly"),
            "test interval": st.column_config.TextColumn("95% interval", help="Of that share"),
            "test on": st.column_config.TextColumn("of", help="How many images, and which"),
            "drawings": st.column_config.NumberColumn(
                "Drawings", format="%.2f%%", help="Share of people's drawings answered rightly, where measured"
            ),
            "drawings interval": st.column_config.TextColumn("95% interval ", help="Of that share"),
            "drawings on": st.column_config.TextColumn("of ", help="How many drawings"),
            "kept": st.column_config.NumberColumn(
                "Corrected drawings",
                format="%.2f%%",
                help="Share answered rightly of the drawings that people here confirmed or corrected",
            ),
            "kept interval": st.column_config.TextColumn("95% interval  ", help="Of that share"),
            "kept on": st.column_config.TextColumn("of  ", help="How many drawings"),
            "recipe": st.column_config.TextColumn("Recipe", help="The named recipe, and what differs from it"),
            "created": st.column_config.DatetimeColumn("Trained", format="D MMM YYYY, HH:mm"),
            "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
            "kilobytes": st.column_config.NumberColumn("Size", format="%d kB", help="Weights on disk"),
            "seconds": st.column_config.NumberColumn("Training", format="%d s", help="How long it took"),
            "epoch": st.column_config.TextColumn("Epoch", help="Whose weights these are, of how many"),
            "version": "Version",
            "note": "Note",
        },
    )


def _on_kept_drawings(listed: list[Entry]) -> dict[str, Evaluation] | None:
    """By name, what versions score on the drawings that people confirmed or corrected; None where there are none."""
    kept = loaders.kept_drawings()
    if kept is None:
        return None
    asked = [entry for entry in listed if entry.active or entry.version.shipped or entry in listed[:MOST_ASKED]]
    found = {
        entry.name: loaders.on_kept_drawings(entry.record.weights_sha256, entry.version.folder, kept) for entry in asked
    }
    return {name: evaluation for name, evaluation in found.items() if evaluation is not None}


def _row(entry: Entry, kept: dict[str, Evaluation] | None) -> dict[str, object]:
    record = entry.record
    on_kept = {} if kept is None else _figures("kept", kept.get(entry.name))
    if on_kept.get("kept on") and record.learned_from_drawings:
        on_kept["kept on"] = f"{on_kept['kept on']}; it learned from some"
    return {
        "answers": "● now" if entry.active else "",
        "version": entry.title,
        **_figures("test", record.evaluation),
        **_figures("drawings", entry.drawings.digits if entry.drawings else None),
        **on_kept,
        "recipe": recipe_in_words(record.recipe),
        "parameters": record.recipe.parameter_count,
        "kilobytes": round(entry.version.bytes / 1000),
        "seconds": round(record.duration_seconds),
        "epoch": None if record.teaching else f"{record.epoch} of {record.recipe.epochs}",
        "created": datetime.fromisoformat(record.created),
        "note": entry.note,
    }


def _figures(name: str, evaluation: Evaluation | None) -> dict[str, object]:
    if evaluation is None:
        return {name: None, f"{name} interval": "", f"{name} on": ""}
    return {
        name: 100 * evaluation.accuracy,
        f"{name} interval": evaluation.interval.percent(2),
        f"{name} on": f"{evaluation.images:,}, {evaluation.on}",
    }


def show_version(entry: Entry) -> None:
    """What there is to know of a version, and what can be done with it."""
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
            st.badge("Answers on the Draw page", icon=":material/check:", color="green")
        elif st.button("Let it answer", type="primary", icon=":material/check:"):
            promote_or_ask(entry.name, entry.title)
        st.download_button(
            "Weights and record",
            lambda: to_zip(entry.version),
            file_name=f"{entry.name.replace('/', '-')}.zip",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "ONNX",
            lambda: to_onnx(entry.version),
            file_name=f"{entry.name.replace('/', '-')}.onnx",
            icon=":material/download:",
            on_click="ignore",
            help="For programs in other languages: 28×28 bytes in, ten probabilities out",
        )
        with st.popover("Name and note", icon=":material/edit:"):
            _edit_label(entry)
        if not entry.version.shipped:
            st.button(
                "Delete",
                icon=":material/delete:",
                disabled=entry.active,
                help="Not while it answers" if entry.active else "Can be undone for a week",
                on_click=_delete,
                args=[entry],
            )


def _edit_label(entry: Entry) -> None:
    with st.form("label", border=False):
        title = st.text_input("Name", entry.title, max_chars=MAX_TITLE)
        note = st.text_area("Note", entry.note, max_chars=MAX_NOTE)
        if st.form_submit_button("Keep"):
            with errors_in_words():
                label_version(entry.name, title=title, note=note)
                st.rerun()


def promote_or_ask(name: str, title: str) -> None:
    """Let a version answer; one that is worse than the active one by more than chance only after asking."""
    active = loaders.active_reader()
    candidate = loaders.reader_of(name)
    comparison = loaders.comparison(active, candidate, loaders.test_images())
    if comparison.worse:
        _ask(name, comparison.verdict(other=f"**{plain(title)}**"))
    else:
        promote(name)
        st.rerun()


@st.dialog("It is worse than the one that answers now")
def _ask(name: str, sentence: str) -> None:
    st.markdown(sentence)
    with errors_in_words(), st.container(horizontal=True):
        if st.button("Leave it", type="primary"):
            st.rerun()
        if st.button("Let it answer nevertheless"):
            promote(name)
            st.rerun()


@errors_in_words()
def _delete(entry: Entry) -> None:
    deletion.delete(entry.name)
    st.session_state[DELETED] = (entry.name, entry.title)


def offer_undo() -> None:
    """After a deletion: one click takes it back."""
    name, title = st.session_state.get(DELETED, ("", ""))
    if name in deletion.deleted():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(title)}** was deleted.")
            st.button("Undo", icon=":material/undo:", on_click=_restore, args=[name])


@errors_in_words()
def _restore(name: str) -> None:
    deletion.restore(name)
    st.session_state.pop(DELETED, None)


def show_history(listed: list[Entry]) -> None:
    """Who answered when, one click to go back, and what was deleted lately."""
    st.header("Who answered when", anchor=False)
    titles = {entry.name: plain(entry.title) for entry in listed}
    before = previous()
    if before is not None:
        st.button(
            f"Roll back to {titles.get(before, before)}", icon=":material/history:", on_click=_roll_back, type="primary"
        )
    changes = history()
    if not changes:
        st.caption("The shipped version has answered from the beginning.")
    for change in reversed(changes[-8:]):
        when = f"{datetime.fromisoformat(change.since):%d %b %Y, %H:%M} UTC" if change.since else "some time ago"
        st.markdown(f"{when}: {change.how} to **{titles.get(change.name, change.name + ', since deleted')}**")
    for name in deletion.deleted()[:5]:
        st.button(f"Bring back {name}", icon=":material/restore_from_trash:", on_click=_restore, args=[name])


@errors_in_words()
def _roll_back() -> None:
    roll_back()


def add_version() -> None:
    """Upload a version that was downloaded elsewhere; it is checked before it is added."""
    st.header("Add a version", anchor=False)
    file = st.file_uploader(
        "A zip file as “Weights and record” gives it; its weights and figures are checked first",
        type="zip",
        max_upload_size=100,
        key="upload",
    )
    if file is None or st.session_state.get(UPLOADED) == file.file_id:
        return
    st.session_state[UPLOADED] = file.file_id  # every rerun shows the same file again
    with st.spinner("Checking it …"):
        added = from_zip(file.getvalue())
    st.toast(f"Added as {added.name}")
    st.rerun()
