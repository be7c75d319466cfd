"""The guided demo in a real browser, with no images but the bundled sample."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import CANVAS, ROOT, WOBBLY_SEVEN, draw, ink_on_canvas, serve


@pytest.fixture(scope="module")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 — skipped with the browser
    """The address of the running app on a machine without MNIST."""
    nothing: Path = tmp_path_factory.mktemp("nothing")
    with serve(ROOT / "app.py", tmp_path_factory.mktemp("weights"), MNIST_DATA=str(nothing)) as url:
        yield url


def press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).click()


def offered(page: Page, label: str, *, seconds: float = 15) -> None:
    """Wait until the banner shows one button with this label."""
    expect(page.locator(".st-key-demo-button")).to_have_text([label], timeout=seconds * 1000)


def answered(page: Page, words: str) -> None:
    """Wait until the answer matches these words."""
    expect(page.locator(".answer .digit")).to_have_attribute("aria-label", re.compile(words), timeout=15_000)


def test_the_five_stops_lead_from_a_drawing_to_look_inside(page: Page, app: str) -> None:
    page.goto(f"{app}/?demo=1")
    expect(page.get_by_text("Stop 1 of 5")).to_be_visible(timeout=20_000)
    press(page, "Draw one for me")
    answered(page, "Answer: 7")
    press(page, "Next: draw it badly")
    offered(page, "Draw one badly for me")
    expect(page.locator(".answer.waiting")).to_be_visible()
    press(page, "Draw one badly for me")
    answered(page, "Answer: .*5")
    press(page, "Next: scribble")
    press(page, "Scribble for me")
    answered(page, "Answer: this does not look like a digit")
    press(page, "Next: retrain it")
    press(page, "Train now")
    expect(page.get_by_role("button", name="Training …")).to_be_disabled(timeout=20_000)
    press(page, "Cancel")
    offered(page, "Try again")
    press(page, "Try again")
    offered(page, "Next: look inside", seconds=60)
    page.get_by_role("link", name="See below").click()
    for label in ("This run", "Active version: best"):
        accuracy = page.get_by_test_id("stMetric").filter(has_text=label)
        expect(accuracy).to_contain_text(re.compile(r"\d\.\d\d%"), timeout=20_000)
        expect(accuracy).to_be_in_viewport()
    expect(page.get_by_text("McNemar's exact test")).to_be_visible()
    press(page, "Next: look inside")
    expect(page.get_by_role("heading", name="Look inside")).to_be_visible()
    page.get_by_role("link", name="Models").click()
    press(page, "Go to stop 5")
    press(page, "Finish")
    expect(page.get_by_role("button", name="Guided demo")).to_be_visible(timeout=20_000)
    expect(page.locator(CANVAS)).to_be_visible()
    expect(page.locator(".st-key-demo")).to_have_count(0)


def test_a_drawing_by_hand_counts_and_stays_and_the_demo_can_be_left(page: Page) -> None:
    draw(page, WOBBLY_SEVEN)
    answered(page, "Answer: 7")
    ink = ink_on_canvas(page)
    press(page, "Guided demo")
    offered(page, "Next: draw it badly")
    assert ink_on_canvas(page) == ink
    press(page, "Next: draw it badly")
    offered(page, "Draw one badly for me")
    draw(page, WOBBLY_SEVEN, size=0.3, corner=(20, 20))
    offered(page, "Next: scribble")
    press(page, "Leave the demo")
    expect(page.locator(".st-key-demo")).to_have_count(0)
    answered(page, "Answer: 7")
    assert ink_on_canvas(page) > 0
