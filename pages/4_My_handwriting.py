"""The My handwriting page: write digits, see how often the network is right, and look after what was kept."""

import streamlit as st

from pages.ui import loaders
from pages.ui.handwriting.collection import choose_writer, import_drawings, offer_export, show_accuracy, show_gallery
from pages.ui.handwriting.keeper import keeper
from pages.ui.handwriting.keeping import WHAT_IS_KEPT, ask_for_name, remember_consent, show_switch
from pages.ui.handwriting.sitting import is_writing, write_digits
from pages.ui.handwriting.teaching import teach_from_page
from pages.ui.layout import begin_page, errors_in_words


def introduce() -> None:
    """Ask who writes, and whether the drawings may be kept."""
    st.markdown("Write some digits and see how many of them the network gets right.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ask_for_name(260)
        show_switch("Keep my drawings")
    st.caption(WHAT_IS_KEPT.format(where="Below"))


@st.fragment
@errors_in_words()
def drawings() -> None:
    """Show what was kept of one writer."""
    store = loaders.drawing_store()
    writer = choose_writer(list(store.writers()), keeper().writer)
    st.header("How often the network is right", anchor=False)
    show_accuracy(store, writer)
    st.header("The drawings", anchor=False)
    show_gallery(store, writer)
    offer_export(store, writer)
    import_drawings(store)


begin_page("My handwriting")
st.title("My handwriting")
with errors_in_words():
    writing = is_writing()
    if not writing:  # otherwise paper and buttons would not fit on a phone
        introduce()
    write_digits(writing=writing, consent=keeper().consent)
    remember_consent()  # also while writing: another tab may withdraw consent
    if not writing:
        store = loaders.drawing_store()
        store.count()  # fails here if the database does, so that the page shows only one message
        drawings()
        teach_from_page(store, keeper().writer)
