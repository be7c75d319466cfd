"""The Models page: all versions in a table, one of them looked at closely, two compared, and the choice who answers."""

import streamlit as st

from mnist_core.catalogue import Entry, entries
from pages.ui.compared import show_comparison
from pages.ui.layout import begin_page, errors_in_words
from pages.ui.versions import add_version, offer_undo, show_history, show_table, show_version

NOTHING = "(nothing)"
CHOSEN, AGAINST = "version", "against"


def choose(listed: list[Entry]) -> tuple[Entry, Entry | None]:
    """The version to look at, and the one to compare it with; both are in the address, to be linked to."""
    titles = {entry.name: entry.title + (" (answers now)" if entry.active else "") for entry in listed}
    active = next((entry.name for entry in listed if entry.active), listed[0].name)
    for key, known in ((CHOSEN, titles), (AGAINST, {NOTHING: "", **titles})):
        if st.session_state.get(key, st.query_params.get(key)) not in known:
            st.session_state[key] = active if key == CHOSEN else NOTHING
        else:
            st.session_state.setdefault(key, st.query_params.get(key))
    one, other = st.columns(2)
    chosen = one.selectbox("Version", list(titles), format_func=titles.__getitem__, key=CHOSEN)
    against = other.selectbox(
        "Compare it with", [NOTHING, *titles], format_func=lambda name: titles.get(name, "nothing"), key=AGAINST
    )
    st.query_params.from_dict({CHOSEN: chosen} | ({AGAINST: against} if against != NOTHING else {}))
    found = {entry.name: entry for entry in listed}
    return found[chosen], found.get(against)


begin_page("Models")
st.title("Versions of the network")
with errors_in_words():
    versions = entries()
    show_table(versions)
    offer_undo()
    looked_at, compared_with = choose(versions)
    if compared_with is None or compared_with.name == looked_at.name:
        show_version(looked_at)
    else:
        show_comparison(looked_at, compared_with)
    left, right = st.columns(2)
    with left:
        show_history(versions)
    with right:
        add_version()
