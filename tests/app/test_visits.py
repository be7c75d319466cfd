"""What a visit holds survives a reload for some hours, and all visits together take a bounded amount of memory."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from pages.ui import visit
from pages.ui.visit import Visit, Visits, size_of

PICTURE = 280 * 280 * 4


@dataclass
class Page:
    """Something with a drawing, as a board is."""

    picture: np.ndarray
    strokes: list[dict[str, object]] = field(default_factory=list)


@dataclass
class Board:
    """Something to draw on."""

    png: bytes = b""

    @property
    def is_empty(self) -> bool:
        return not self.png


class Clock:
    """A clock that tests set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def drawn(pictures: int = 1) -> Visit:
    return Visit(things={str(number): Page(np.zeros((280, 280, 4), np.uint8)) for number in range(pictures)})


def test_a_visit_is_forgotten_some_hours_after_its_last_use(clock: Clock) -> None:
    visits = Visits(clock=clock)
    old, used = drawn(), drawn()
    visits.keep(old)
    visits.keep(used)
    clock.now += visit.KEPT_SECONDS - 1
    visits.keep(used)
    clock.now += 2
    assert visits.take(old.number) is None
    assert visits.take(used.number) is used
    assert visits.take(used.number) is None, "it was taken"


def test_the_visits_used_longest_ago_are_forgotten_when_all_get_too_large(clock: Clock) -> None:
    visits = Visits(most_bytes=10 * PICTURE, clock=clock)
    kept = [drawn() for _ in range(9)]
    for one in kept:
        visits.keep(one)
    visits.keep(kept[0])
    large = drawn(pictures=4)
    visits.keep(large)
    assert visits.take(large.number) is large
    assert [one for one in kept if visits.take(one.number)] == [kept[0], *kept[5:]]


def test_what_is_drawn_during_a_visit_counts_when_the_next_begins(clock: Clock) -> None:
    visits = Visits(most_bytes=3 * PICTURE, clock=clock)
    first, second = Visit(), Visit()
    visits.keep(first)
    visits.keep(second)
    first.things["board"] = drawn(pictures=4)
    visits.keep(first)
    visits.keep(second)
    visits.keep(Visit())
    assert visits.take(first.number) is None
    assert visits.take(second.number) is second


def test_a_visit_larger_than_all_may_be_is_kept_while_it_is_the_last() -> None:
    visits = Visits(most_bytes=PICTURE)
    large = drawn(pictures=3)
    visits.keep(large)
    assert visits.take(large.number) is large


def test_the_size_counts_pictures_text_and_strokes_once() -> None:
    picture = np.zeros((280, 280, 4), np.uint8)
    page = Page(picture, [{"path": [["M", 1.0, 2.0]] * 10, "source": "x" * 1000}])
    assert PICTURE + 1000 < size_of(page) < PICTURE + 4000
    assert size_of([page, page, picture]) < size_of(page) + 100


def test_what_is_drawn_before_the_browser_tells_of_an_earlier_visit_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    visits, session = Visits(), {}
    monkeypatch.setattr(visit, "_visits", visits)
    monkeypatch.setattr(visit.st, "session_state", session)
    earlier = Visit(things={"canvas": Board(png=b"earlier"), "writing": Board(png=b"earlier"), "left": Board()})
    visits.keep(earlier)
    drawn, clean = visit.lasting("canvas", lambda: Board(png=b"drawn")), visit.lasting("writing", Board)
    visit._take_up(earlier.number)
    assert visit.lasting("canvas", Board) is drawn
    assert visit.lasting("writing", Board) == Board(png=b"earlier") != clean
    assert session["visit"].number == earlier.number


def test_by_default_it_holds_no_more_than_promised() -> None:
    visits = Visits()
    for _ in range(300):
        visits.keep(drawn())
    held = list(visits._visits.values())
    assert visit.MOST_BYTES - 2 * PICTURE < size_of([one.things for one in held]) <= visit.MOST_BYTES
