"""The My handwriting page: write some digits, see how well they are read, and look after what was kept."""

import streamlit as st

from pages.ui import loaders
from pages.ui.keeping import ABOUT_CONSENT, WRITER, keeper
from pages.ui.layout import begin_page, errors_in_words
from pages.ui.my_drawings import choose_writer, show_accuracy, show_gallery, take_away
from pages.ui.sitting import is_writing, write_digits
from pages.ui.teaching import teach_from_page


def introduce() -> None:
    """Who writes, and whether it may be kept."""
    mine = keeper()
    st.markdown("Write some digits, and see how well your own hand is read.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Your name (optional)", key=WRITER, max_chars=60, persist_state="session", width=260)
        st.toggle("Keep my drawings", value=bool(mine.consent), key="keep-my-drawings", on_change=_switch)
    st.caption(ABOUT_CONSENT)


def _switch() -> None:
    keeper().answer(bool(st.session_state["keep-my-drawings"]))


@st.fragment
@errors_in_words()
def drawings() -> None:
    """What was kept of one writer."""
    store = loaders.drawing_store()
    writer = choose_writer(list(store.writers()), st.session_state.get(WRITER, "").strip())
    st.header("How well it is read", anchor=False)
    show_accuracy(store, writer)
    st.header("The drawings", anchor=False)
    show_gallery(store, writer)
    take_away(store, writer)


begin_page("My handwriting")
st.title("My handwriting")
with errors_in_words():
    writing = is_writing()
    if not writing:  # paper and buttons then fit a phone
        introduce()
    write_digits(writing=writing)
    if not writing:
        drawings()
        teach_from_page(loaders.drawing_store(), st.session_state.get(WRITER, "").strip())
