"""A visit: what the visitor of one browser tab has before them. Unlike Streamlit's session, it outlasts a reload.

The tab remembers the visit's number, the server what belongs to it.
"""

import copy
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import streamlit as st

from pages.ui.widgets.browser import remember

Thing = TypeVar("Thing")
VISIT = "visit"
MOST_VISITS = 50
"""A drawing takes a third of a megabyte."""


@dataclass
class Visit:
    """One tab's visit."""

    number: str = field(default_factory=lambda: str(uuid4()))
    things: dict[str, Any] = field(default_factory=dict)


def lasting(key: str, make: Callable[[], Thing]) -> Thing:
    """What this visit holds under `key`, made now if it holds nothing."""
    thing: Thing = _visit().things.setdefault(key, make())
    return thing


def take_up_visit() -> None:
    """Find out whether the tab was here before a reload; then what it held is back in the next run."""
    remember(VISIT, _visit().number, on_found=_take_up)


def _take_up(number: str) -> None:
    if number == _visit().number:  # told twice
        return
    # a copy: a duplicated tab has the same number, but is another visit from now on
    known = copy.deepcopy(_visits().pop(number, Visit()))
    st.session_state[VISIT] = Visit(number, known.things)


def _visit() -> Visit:
    found: Visit = st.session_state.setdefault(VISIT, Visit())
    visits = _visits()
    visits[found.number] = found
    visits.move_to_end(found.number)
    while len(visits) > MOST_VISITS:
        visits.popitem(last=False)
    return found


@st.cache_resource(show_spinner=False)
def _visits() -> "OrderedDict[str, Visit]":
    return OrderedDict()
