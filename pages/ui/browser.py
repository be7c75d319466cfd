"""What the visitor's browser remembers for a page."""

from collections.abc import Callable

import streamlit as st

_SCRIPT = """
export default function ({ data, setStateValue }) {
  try {
    const storage = data.for_good ? localStorage : sessionStorage;
    const found = storage.getItem(data.name);
    if (found !== null && !data.overwrite) {
      if (found !== data.text) setStateValue("found", found);
    } else if (data.text !== null) storage.setItem(data.name, data.text);
  } catch { /* a browser that is not to remember anything */ }
}
"""

_component = st.components.v2.component("browser_memory", html="", js=_SCRIPT)


def remember(
    name: str, text: str | None, *, overwrite: bool, for_good: bool = False, on_found: Callable[[str], None]
) -> None:
    """Have the browser remember `text` under `name`, until the tab is closed or, `for_good`, until told otherwise.

    Where it remembers another text already and is not to overwrite it, `on_found` is told that one, and the page, or
    the fragment this is called in, runs again.
    """
    key = f"browser-{name}"

    def tell() -> None:
        found = st.session_state[key]["found"]
        if isinstance(found, str):
            on_found(found)

    with st.container(key=f"hidden-{name}"):
        _component(
            key=key,
            data={"name": f"digit-reader-{name}", "text": text, "overwrite": overwrite, "for_good": for_good},
            on_found_change=tell,
        )
