"""A button whose press counts even if another run of the page comes between."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import streamlit as st

REMEMBERED_SECONDS = 30
"""How long a press waits for a run that reaches the button; later, nobody expects it any more."""


def pressed(label: str, *, key: str, show: Callable[..., bool] = st.button, **options: Any) -> bool:
    """Show a button and return whether it was pressed since a run of the page was here last.

    The browser can ask for another run at any time, as when it tells of an earlier visit. That ends the run that a
    press began; if it has not reached the button yet, `st.button` forgets the press.

    Args:
        label, key, options: as for `st.button`.
        show: `st.button`, or that of a container.
    """
    note = f"pressed-{key}"
    show(label, key=key, on_click=_note, args=[note], **options)
    at = st.session_state.pop(note, None)
    return at is not None and monotonic() - at < REMEMBERED_SECONDS


def _note(note: str) -> None:
    st.session_state[note] = monotonic()
