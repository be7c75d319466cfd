"""Choosing a version, and one to compare it with; the choice is kept in the address, so that it can be linked to."""

import streamlit as st

from mnist_core.versions.catalogue import Entry
from pages.ui import demo
from pages.ui.layout import has_just_come

NOTHING = "(nothing)"
CHOSEN, AGAINST, ADDRESS = "version", "against", "models_address"


def choose(listed: list[Entry]) -> tuple[Entry, Entry | None]:
    """Return the chosen version, and the one to compare it with if there is one."""
    titles = {entry.name: entry.title + (" (active)" if entry.active else "") for entry in listed}
    active = next((entry.name for entry in listed if entry.active), listed[0].name)
    _follow_address({CHOSEN: active, AGAINST: NOTHING}, set(titles))
    left, right = st.columns(2)
    chosen = left.selectbox(
        "Version", list(titles), format_func=titles.__getitem__, key=CHOSEN, persist_state="session"
    )
    against = right.selectbox(
        "Compare with",
        [NOTHING, *titles],
        format_func=lambda name: titles.get(name, "nothing"),
        key=AGAINST,
        persist_state="session",
    )
    _write_address(({CHOSEN: chosen} if chosen != active else {}) | ({AGAINST: against} if against != NOTHING else {}))
    by_name = {entry.name: entry for entry in listed}
    return by_name[chosen], by_name.get(against)


def _write_address(address: dict[str, str]) -> None:
    if st.query_params.to_dict() != address | demo.address():
        st.query_params.from_dict(address | demo.address())
    st.session_state[ADDRESS] = address


def _follow_address(defaults: dict[str, str], names: set[str]) -> None:
    """Take the choice from the address if that has changed: a link was followed, or the browser's Back was pressed."""
    asked = {key: value for key, value in st.query_params.items() if key in defaults}
    is_new = asked != st.session_state.get(ADDRESS, {}) and (asked or not has_just_come())
    for key, default in defaults.items():
        known = {*names, default}
        if is_new:
            st.session_state[key] = asked.get(key, default)
            if st.session_state[key] not in known:
                st.warning("The version in the link does not exist here. Showing another one.")
        if st.session_state.get(key) not in known:  # also when it was deleted in the meantime
            st.session_state[key] = default
