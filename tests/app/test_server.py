"""Visitors share the server: answers come first."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread
from time import sleep

from pages.ui.server import giving_way, taking_turns


def test_an_answer_passes_all_but_one_of_those_who_give_way() -> None:
    order: list[str] = []
    threads: list[Thread] = []

    def begin(name: str, place: Callable[[], AbstractContextManager[None]]) -> None:
        begun = Event()

        def work() -> None:
            begun.set()
            with place():
                order.append(name)

        threads.append(Thread(target=work))
        threads[-1].start()
        begun.wait()
        sleep(0.02)  # until it stands in line

    with taking_turns():
        for number in range(3):
            begin(f"reasons {number}", giving_way)
        begin("answer", taking_turns)
    for thread in threads:
        thread.join()
    assert order == ["reasons 0", "answer", "reasons 1", "reasons 2"]


def test_who_has_waited_long_enough_goes_on(monkeypatch) -> None:
    monkeypatch.setattr("pages.ui.server.LONGEST_WAIT", 0.01)
    with taking_turns():
        with giving_way(), taking_turns():
            pass
        with taking_turns():
            pass
    with taking_turns():
        pass
