"""What the visitor's browser remembers for a page."""

from collections.abc import Callable

import streamlit as st

_SCRIPT = """
export default function ({ data, parentElement, setTriggerValue }) {
  const when = (text) => { try { return JSON.parse(text).at || 0; } catch { return 0; } };
  const compare = () => {
    try {
      const storage = data.for_good ? localStorage : sessionStorage;
      const found = storage.getItem(data.name);
      if (found === null || when(data.text) > when(found)) {
        if (data.text !== null) storage.setItem(data.name, data.text);
      } else if (found !== data.text && (when(found) > when(data.text) || !when(found))) {
        setTriggerValue("found", found);
      }
    } catch { /* a browser that is not to remember anything */ }
  };
  const hear = (event) => { if (event.key === data.name && event.newValue !== null) compare(); };
  // this function is called again whenever the data change, but what it returns only at the very end
  window.removeEventListener("storage", parentElement.hear);
  parentElement.hear = data.for_good ? hear : undefined;
  window.addEventListener("storage", parentElement.hear);
  compare();
  return () => window.removeEventListener("storage", parentElement.hear);
}
"""

_component = st.components.v2.component("browser_memory", html="", js=_SCRIPT)


def remember(name: str, text: str | None, *, for_good: bool = False, on_found: Callable[[str], None]) -> None:
    """Have the browser remember `text` under `name`, until the tab is closed or, `for_good`, in all tabs from now on.

    Where it remembers another text already, `on_found` is told that one, and the page, or the fragment this is called
    in, runs again; so it is when another tab has it remember one. But of texts that are JSON with a time, `at`, the
    later counts.
    """
    key = f"browser-{name}"

    def tell() -> None:
        found = st.session_state[key]["found"]
        if isinstance(found, str):
            on_found(found)

    with st.container(key=f"hidden-{name}"):
        _component(
            key=key,
            data={"name": f"digit-reader-{name}", "text": text, "for_good": for_good},
            on_found_change=tell,
        )
