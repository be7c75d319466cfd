"""Have the visitor's browser remember something for a page; `browser.js` is the half that runs there."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "browser_memory", html="", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
)


def remember(name: str, text: str | None, *, for_good: bool = False, on_found: Callable[[str], None]) -> None:
    """Have the browser remember `text` under `name`: in this tab until it is closed or, `for_good`, in all tabs.

    If the browser remembers another text already, or another tab stores one, `on_found` gets that text and the page
    (or the fragment that calls this) runs again. Of two texts that are JSON with a time, `at`, the later counts.
    """
    key = f"browser-{name}"

    def pass_on() -> None:
        found = st.session_state[key]["found"]
        if isinstance(found, str):
            on_found(found)

    with st.container(key=f"hidden-{name}"):
        _component(
            key=key,
            data={"name": f"digit-reader-{name}", "text": text, "for_good": for_good},
            on_found_change=pass_on,
        )
