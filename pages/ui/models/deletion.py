"""Deleting versions on the Models page, and bringing them back."""

import streamlit as st

from mnist_core.versions import deletion
from mnist_core.versions.catalogue import Entry
from pages.ui.layout import errors_in_words, plain

DELETED = "deleted_version"
MOST_OFFERED = 5  # deleted versions, the latest ones


def offer_delete(entry: Entry) -> None:
    """Show a button that deletes a version, unless it came with the app."""
    if entry.version.shipped:
        return
    st.button(
        "Delete",
        icon=":material/delete:",
        disabled=entry.active,
        help="The active version cannot be deleted" if entry.active else "Can be undone for a week",
        on_click=_delete,
        args=[entry],
    )


def offer_undo() -> None:
    """Show a button that takes the last deletion back."""
    name, title = st.session_state.get(DELETED, ("", ""))
    if name in deletion.deleted():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(title)}** was deleted.")
            st.button("Undo", icon=":material/undo:", on_click=_restore, args=[name])


def offer_restore() -> None:
    """Show a button for each of the last deleted versions that brings it back."""
    for name in deletion.deleted()[:MOST_OFFERED]:
        st.button(f"Restore {name}", icon=":material/restore_from_trash:", on_click=_restore, args=[name])


@errors_in_words()
def _delete(entry: Entry) -> None:
    deletion.delete(entry.name)
    st.session_state[DELETED] = (entry.name, entry.title)


@errors_in_words()
def _restore(name: str) -> None:
    deletion.restore(name)
    st.session_state.pop(DELETED, None)
