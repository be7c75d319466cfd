"""The Models page: all versions in a table, one in detail or two compared, and which one is active."""

import streamlit as st

from mnist_core.versions.catalogue import entries
from pages.ui.layout import begin_page, errors_in_words
from pages.ui.models.activation import show_history
from pages.ui.models.choice import choose
from pages.ui.models.comparison import show_comparison
from pages.ui.models.deletion import offer_restore, offer_undo
from pages.ui.models.table import show_table
from pages.ui.models.versions import add_version, show_version

begin_page("Models")
st.title("Versions")
with errors_in_words():
    versions = entries()
    show_table(versions)
    offer_undo()
    chosen, against = choose(versions)
    if against is None or against.name == chosen.name:
        show_version(chosen)
    else:
        show_comparison(chosen, against)
    left, right = st.columns(2)
    with left:
        show_history(versions)
        offer_restore()
    with right:
        add_version()
