"""Share the server's processor and memory among visitors."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Semaphore

LONGEST_WAIT = 2.0
"""Seconds after which a visitor is answered beside another who still is, such as one whose version is being loaded."""

_turn, _patience = Semaphore(), Semaphore()


@contextmanager
def taking_turns() -> Iterator[None]:
    """Answer visitors one after the other.

    Threads that compete for Python's lock take longer in sum than the same work done in turn, and all of them finish
    late.
    """
    with _holding(_turn):
        yield


@contextmanager
def giving_way() -> Iterator[None]:
    """Do what can wait until others have their answers: only one such visitor at a time stands in line with them."""
    with _holding(_patience), _holding(_turn):
        yield


@contextmanager
def _holding(semaphore: Semaphore) -> Iterator[None]:
    mine = semaphore.acquire(timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        if mine:
            semaphore.release()


def return_memory() -> None:
    """Return to the system what a large computation has freed; by itself, Linux's C library keeps it for later."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library, as on Alpine
            ctypes.CDLL("libc.so.6").malloc_trim(0)
