"""Visits: what the visitor in one browser tab has before them. Unlike Streamlit's session, a visit survives a reload.

The tab remembers the number of its visit, and the server what belongs to it.
"""

import copy
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from threading import Lock
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
import streamlit as st

from pages.ui.widgets.browser import remember

Thing = TypeVar("Thing")
VISIT = "visit"
KEPT_SECONDS = 12 * 60 * 60
MOST_BYTES = 64 * 2**20  # a drawing takes a third of a megabyte


@dataclass
class Visit:
    """One tab's visit."""

    number: str = field(default_factory=lambda: str(uuid4()))
    things: dict[str, Any] = field(default_factory=dict)
    used: float = 0
    """When it was last used, by the clock of `Visits`."""
    size: int | None = None
    """Bytes; None if it may have changed since it was measured."""


class Visits:
    """All visits that can be taken up after a reload; forgets old ones, and the oldest when they get too large."""

    def __init__(
        self,
        kept_seconds: float = KEPT_SECONDS,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.kept_seconds = kept_seconds
        self.most_bytes = most_bytes
        self.clock = clock
        self._visits: OrderedDict[str, Visit] = OrderedDict()  # the one used last is the last
        self._lock = Lock()  # every visitor's page runs in a thread of its own

    def keep(self, visit: Visit) -> None:
        """Keep a visit that is being used; when it is a new one, make room for it."""
        with self._lock:
            is_new = visit.number not in self._visits
            visit.used, visit.size = self.clock(), None
            self._visits[visit.number] = visit
            self._visits.move_to_end(visit.number)
            self._forget_old()
            if is_new:  # measuring takes about a millisecond a drawing: too long to do it at every stroke
                self._forget_large()

    def take(self, number: str) -> Visit | None:
        """Return the visit of that number, which is kept no longer; None if it was forgotten."""
        with self._lock:
            self._forget_old()
            return self._visits.pop(number, None)

    def _forget_old(self) -> None:
        oldest_kept = self.clock() - self.kept_seconds
        while self._visits and next(iter(self._visits.values())).used < oldest_kept:
            self._visits.popitem(last=False)

    def _forget_large(self) -> None:
        for visit in self._visits.values():
            if visit.size is None:
                visit.size = size_of(visit.things)
        total = sum(visit.size or 0 for visit in self._visits.values())
        while total > self.most_bytes and len(self._visits) > 1:
            _, forgotten = self._visits.popitem(last=False)
            total -= forgotten.size or 0


_visits = Visits()  # this module is imported once in a server, so all sessions share them


def size_of(thing: Any) -> int:
    """Return about how many bytes an object and all that it holds take; what it holds twice counts once."""
    total, waiting, counted = 0, [thing], set[int]()
    while waiting:
        thing = waiting.pop()
        if id(thing) in counted:
            continue
        counted.add(id(thing))
        total += thing.nbytes if isinstance(thing, np.ndarray) else sys.getsizeof(thing, 0)
        if isinstance(thing, Mapping):
            waiting += [*thing.keys(), *thing.values()]
        elif isinstance(thing, list | tuple | set):
            waiting += thing
        elif is_dataclass(thing) and not isinstance(thing, type):
            waiting += (getattr(thing, part.name) for part in fields(thing))
            waiting += getattr(thing, "__dict__", {}).values()  # cached properties too
    return total


def lasting(key: str, make: Callable[[], Thing]) -> Thing:
    """Return what this visit holds under `key`; make it if there is nothing."""
    things = _visit().things
    if key not in things:
        things[key] = make()
    thing: Thing = things[key]
    return thing


def take_up_visit() -> None:
    """Ask the tab whether it was here before a reload; if so, the next run shows again what the visit held."""
    remember(VISIT, _visit().number, on_found=_take_up)


def _take_up(number: str) -> None:
    if number == _visit().number:  # the browser may say it twice
        return
    known = _visits.take(number) or Visit()
    # a copy: a duplicated tab has the same number, but is another visit from now on
    things = copy.deepcopy(known.things)
    # the browser may say it late: what was drawn until then stays
    things |= {key: thing for key, thing in _visit().things.items() if not getattr(thing, "is_empty", True)}
    st.session_state[VISIT] = Visit(number, things)


def _visit() -> Visit:
    visit: Visit = st.session_state.setdefault(VISIT, Visit())
    _visits.keep(visit)
    return visit
