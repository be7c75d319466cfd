"""Making a version active, rolling back, and the history of both."""

import streamlit as st

from mnist_core.versions.active import history, previous, promote, roll_back
from mnist_core.versions.catalogue import Entry
from pages.ui import loaders
from pages.ui.layout import errors_in_words, plain
from pages.ui.wording import date_and_time

MOST_CHANGES = 8  # the latest ones


def promote_or_ask(name: str, title: str) -> None:
    """Make a version active; ask first if it is worse than the active one by more than chance."""
    active = loaders.active_reader()
    candidate = loaders.reader_of(name)
    comparison = loaders.comparison(active, candidate, loaders.test_images())
    if comparison.worse:
        _ask(name, comparison.verdict(other=f"**{plain(title)}**"))
    else:
        promote(name)
        st.rerun()


@st.dialog("This version makes more mistakes than the active one")
def _ask(name: str, sentence: str) -> None:
    st.markdown(sentence)
    with errors_in_words(), st.container(horizontal=True):
        if st.button("Keep the active version", type="primary"):
            st.rerun()
        if st.button("Make active anyway"):
            promote(name)
            st.rerun()


def show_history(listed: list[Entry]) -> None:
    """Show which versions were active when, and a button to roll back."""
    st.header("Activation history", anchor=False)
    titles = {entry.name: plain(entry.title) for entry in listed}
    before = previous()
    if before is not None:
        offer_roll_back(titles.get(before, before), primary=True)
    changes = history()
    if not changes:
        st.caption("The shipped version has been active from the beginning.")
    for change in reversed(changes[-MOST_CHANGES:]):
        title = f"**{titles.get(change.name, change.name + ', deleted since')}**"
        when = date_and_time(change.since) if change.since else "Some time ago"
        st.markdown(f"{when}: {'rolled back to ' + title if change.how == 'rolled back' else title + ' made active'}")


def offer_roll_back(title: str, *, primary: bool = False) -> None:
    """Show a button that makes the version of that title active again, which was before this one."""
    st.button(
        f"Roll back to {title}",
        icon=":material/history:",
        type="primary" if primary else "secondary",
        on_click=errors_in_words()(roll_back),
    )
