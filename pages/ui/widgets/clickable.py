"""Show HTML whose buttons tell Python when they are pressed, by mouse, finger or keyboard.

Used where Streamlit's own buttons do not fit: the cells of a table, dozens of pictures. `clickable.js` is the half that
runs in the browser.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "clickable_html",
    html='<div class="clickable"></div>',
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def clickable(html: str, *, key: str, on_pick: Callable[[str], None] | None = None) -> str | None:
    """Show `html` and return the `data-pick` of the button that was just pressed, or None.

    Text from visitors must be escaped in it. `on_pick` gets the `data-pick` before the page runs again.
    """

    def pass_on() -> None:
        value = st.session_state[key]["picked"]
        if on_pick is not None and value is not None:
            on_pick(value)

    picked: str | None = _component(key=key, data=html, on_picked_change=pass_on).picked
    return picked
