"""Damaged and malicious files for tests, and the limits that reading them has to keep."""

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import strategies as st

LONGEST_SECONDS = 5

INTERESTING = (
    b"\0" * 4,
    b"\xff" * 4,
    b"\xff\xff\xff\x7f",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\1\0",
    b"\0\0",
    b"\xff\xff",
)
"""Counts and offsets at the ends of their ranges, in both byte orders."""


@contextmanager
def limits(*, megabytes: int, seconds: float = LONGEST_SECONDS) -> Iterator[None]:
    """Fail where the code within takes longer, or Python's objects in it take more memory."""
    tracemalloc.start()
    begin = time.process_time()
    try:
        yield
        took, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert took < seconds, f"it took {took:.1f} s"
    assert peak < megabytes * 1_000_000, f"it took {peak / 1_000_000:,.0f} MB"


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """Return copies of a file with one to four changes: bytes replaced, inserted, removed, doubled, or cut off."""
    places = st.integers(0, max(len(content) - 1, 0))
    short = st.integers(1, 64)
    replaced = st.binary(min_size=1, max_size=8) | st.sampled_from(INTERESTING)
    changes = st.one_of(
        st.tuples(st.just("replace"), places, replaced),
        st.tuples(st.just("insert"), places, replaced),
        st.tuples(st.just("remove"), places, short),
        st.tuples(st.just("double"), places, short),
        st.tuples(st.just("cut off"), places, st.none()),
    )
    return st.lists(changes, min_size=1, max_size=4).map(lambda chosen: _changed(content, chosen))


def _changed(content: bytes, changes: list[tuple[str, int, bytes | int | None]]) -> bytes:
    for kind, place, value in changes:
        before, after = content[:place], content[place:]
        if isinstance(value, bytes):
            content = before + value + (after if kind == "insert" else after[len(value) :])
        elif isinstance(value, int):
            content = before + (after[value:] if kind == "remove" else after[:value] + after)
        else:
            content = before
    return content
