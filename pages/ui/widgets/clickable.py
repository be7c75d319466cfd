"""HTML whose buttons tell Python when they are pressed, by mouse, finger or keyboard.

For what Streamlit's own buttons cannot be: the cells of a table, pictures by the dozen.
"""

from collections.abc import Callable

import streamlit as st

_SCRIPT = """
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".clickable");
  if (root.shown !== data) {
    const focused = root.contains(document.activeElement) ? document.activeElement.dataset.pick : undefined;
    root.innerHTML = root.shown = data;
    if (focused !== undefined) root.querySelector(`[data-pick="${CSS.escape(focused)}"]`)?.focus();
  }
  root.onclick = (event) => {
    const button = event.target.closest("[data-pick]");
    if (button) setTriggerValue("picked", button.dataset.pick);
  };
}
"""

_component = st.components.v2.component(
    "clickable_html", html='<div class="clickable"></div>', js=_SCRIPT, isolate_styles=False
)


def clickable(html: str, *, key: str, on_pick: Callable[[str], None] | None = None) -> str | None:
    """Show `html` of our own making, all else in it escaped; gives the `data-pick` of a button just pressed.

    `on_pick` is told of it before the page runs again.
    """

    def tell() -> None:
        value = st.session_state[key]["picked"]
        if on_pick is not None and value is not None:
            on_pick(value)

    picked: str | None = _component(key=key, data=html, on_picked_change=tell).picked
    return picked
