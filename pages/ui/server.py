"""Share the server's processor among visitors."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Semaphore

LONGEST_WAIT = 2.0
"""Seconds after which a visitor is answered beside another who still is, such as one whose version is being loaded."""

_turn = Semaphore()


@contextmanager
def taking_turns() -> Iterator[None]:
    """Answer visitors one after the other.

    Threads that compete for Python's lock take longer in sum than the same work done in turn, and all of them finish
    late.
    """
    mine = _turn.acquire(timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        if mine:
            _turn.release()
