"""The Models page: all versions in a table, one of them looked at closely, two compared, and the choice who answers."""

import streamlit as st

from mnist_core.versions.catalogue import Entry, entries
from pages.ui import demo
from pages.ui.layout import begin_page, errors_in_words, has_just_come
from pages.ui.models.comparison import show_comparison
from pages.ui.models.versions import add_version, offer_undo, show_history, show_table, show_version

NOTHING = "(nothing)"
CHOSEN, AGAINST, ADDRESS = "version", "against", "models_address"


def choose(listed: list[Entry]) -> tuple[Entry, Entry | None]:
    """The version to look at, and the one to compare it with; both are in the address, to be linked to."""
    titles = {entry.name: entry.title + (" (answers now)" if entry.active else "") for entry in listed}
    active = next((entry.name for entry in listed if entry.active), listed[0].name)
    take_over_address({CHOSEN: active, AGAINST: NOTHING}, set(titles))
    one, other = st.columns(2)
    chosen = one.selectbox("Version", list(titles), format_func=titles.__getitem__, key=CHOSEN, persist_state="session")
    against = other.selectbox(
        "Compare it with",
        [NOTHING, *titles],
        format_func=lambda name: titles.get(name, "nothing"),
        key=AGAINST,
        persist_state="session",
    )
    address = ({CHOSEN: chosen} if chosen != active else {}) | ({AGAINST: against} if against != NOTHING else {})
    if st.query_params.to_dict() != address | demo.address():
        st.query_params.from_dict(address | demo.address())
    st.session_state[ADDRESS] = address
    found = {entry.name: entry for entry in listed}
    return found[chosen], found.get(against)


def take_over_address(usual: dict[str, str], names: set[str]) -> None:
    """Choose what the address says, if that is new: a link was followed, or the browser's Back pressed."""
    asked = {key: value for key, value in st.query_params.items() if key in usual}
    is_new = asked != st.session_state.get(ADDRESS, {}) and (asked or not has_just_come())
    for key, value in usual.items():
        known = {*names, value}
        if is_new:
            st.session_state[key] = asked.get(key, value)
            if st.session_state[key] not in known:
                st.warning("The version in the link is not here, so this is another one.")
        if st.session_state.get(key) not in known:  # or deleted meanwhile
            st.session_state[key] = value


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
