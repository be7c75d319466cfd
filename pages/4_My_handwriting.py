"""The My handwriting page: write some digits, see how well they are read, and look after what was kept."""

import streamlit as st

from pages.ui import loaders
from pages.ui.handwriting.collection import choose_writer, show_accuracy, show_gallery, take_away
from pages.ui.handwriting.keeper import keeper
from pages.ui.handwriting.keeping import WHAT_IS_KEPT, ask_for_name, remember_consent, show_switch
from pages.ui.handwriting.sitting import is_writing, write_digits
from pages.ui.handwriting.teaching import teach_from_page
from pages.ui.layout import begin_page, errors_in_words


def introduce() -> None:
    """Who writes, and whether it may be kept."""
    st.markdown("Write some digits, and see how well your own hand is read.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ask_for_name(260)
        show_switch("Keep my drawings")
    st.caption(WHAT_IS_KEPT.format(where="Below"))


@st.fragment
@errors_in_words()
def drawings() -> None:
    """What was kept of one writer."""
    store = loaders.drawing_store()
    writer = choose_writer(list(store.writers()), keeper().writer)
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
    write_digits(writing=writing, consent=keeper().consent)
    remember_consent()  # also while writing: another tab may take the consent back
    if not writing:
        store = loaders.drawing_store()
        store.count()  # were the database to fail, one message is enough for all that follows
        drawings()
        teach_from_page(store, keeper().writer)
