"""A visitor compares versions, makes one active and explores its mistakes, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from mnist_core.versions.active import active_name
from mnist_core.versions.registry import Version
from tests.browser.driving import CANVAS, ROOT, WOBBLY_SEVEN, answer, draw, serve


@pytest.fixture
def app(browser: Browser, weights: Path, worse: Version) -> Iterator[str]:  # noqa: ARG001 — skips with it
    """Serve the app with a version that is worse than the active one."""
    with serve(ROOT / "app.py", weights) as url:
        yield url


def test_compare_on_a_drawing_promote_after_a_question_and_roll_back(
    app: str, browser: Browser, worse: Version
) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        page = context.new_page()
        page.goto(app)
        page.wait_for_selector(CANVAS, timeout=60_000)
        page.wait_for_selector(".answer.waiting")
        page.get_by_role("combobox", name="Compare with").click()
        page.get_by_role("option", name=re.compile(r"article, \d\d \w+ 20\d\d")).click()
        page.wait_for_timeout(500)
        draw(page, WOBBLY_SEVEN)
        assert answer(page) == 7
        expect(page.locator(".rivals section")).to_have_count(2)
        expect(page.locator(".rivals h2").first).to_have_text("best")

        page.goto(f"{app}/Models?version=runs%2Fworse")
        page.get_by_role("button", name="Make active").click()
        expect(page.get_by_text(re.compile("McNemar"))).to_be_visible(timeout=20_000)
        assert active_name() == "best"
        page.get_by_role("button", name="Make active anyway").click()
        expect(page.get_by_text("Answers on the Draw page")).to_be_visible(timeout=20_000)
        assert active_name() == worse.name
        expect(page.get_by_role("button", name="Roll back to best")).to_be_visible(timeout=20_000)
        page.wait_for_timeout(1000)  # the button of the page before it would be no use
        with page.expect_download() as download:
            page.get_by_role("button", name="ONNX").click()
        assert Path(download.value.path()).stat().st_size > 300_000
        page.get_by_role("button", name="Roll back to best").click()
        expect(page.get_by_text(re.compile("rolled back to"))).to_be_visible(timeout=20_000)
        assert active_name() == "best"
        assert page.locator('[data-testid="stException"]').count() == 0


def test_a_cell_shows_its_images_and_one_of_them_is_taken_to_the_canvas(app: str, browser: Browser) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        page = context.new_page()
        page.goto(f"{app}/Models?version=runs%2Fworse")
        page.get_by_text("Most frequent mistakes").wait_for(timeout=60_000)
        if page.get_by_text("cannot be shown").count():  # no MNIST here
            page.get_by_text("Bundled sample", exact=True).click()
            page.get_by_role("button", name="Evaluate on these images").click()
        expect(page.get_by_text(re.compile("^All mistakes: "))).to_be_visible(timeout=30_000)
        cell = page.get_by_role("table").get_by_role("button", name=re.compile("^7 classified as 7: "))
        cell.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text(re.compile("^7 classified as 7: .* images"))).to_be_visible()
        expect(page.get_by_role("button", pressed=True)).to_have_accessible_name(re.compile("^7 classified as 7"))
        first = page.locator(".gallery button").first
        expect(first).to_have_text(re.compile("^7, correct, "))
        first.click()
        dialog = page.get_by_role("dialog")
        expect(dialog.locator(".answer .digit")).to_have_text("7")
        expect(dialog.locator(".reasons img")).to_have_count(3)
        expect(dialog.locator(".gallery img")).to_have_count(5, timeout=30_000)
        dialog.get_by_role("button", name="Open in the canvas").click()
        page.wait_for_selector(CANVAS)
        assert answer(page) == 7
        expect(page.get_by_text(re.compile("image .*, a 7. It is framed again here"))).to_be_visible()
        expect(page.locator(".reasons img")).to_have_count(3)
        assert page.locator('[data-testid="stException"]').count() == 0
