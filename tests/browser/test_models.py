"""A visitor chooses which version answers, in a real browser."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from mnist_core import registry
from tests.browser.driving import CANVAS, ROOT, WOBBLY_SEVEN, answer, draw, serve


@pytest.fixture
def app(browser: Browser, weights: Path) -> Iterator[str]:  # noqa: ARG001 — skips with it
    """The app, with a version of one's own that is worse than the active one."""
    shutil.copytree(registry.SHIPPED / "article", weights / "runs" / "mine")
    with serve(ROOT / "app.py", weights) as url:
        yield url


def test_compare_on_a_drawing_promote_after_a_question_and_roll_back(app: str, browser: Browser) -> None:
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
        expect(page.locator(".rivals h4").first).to_have_text("best")

        page.goto(f"{app}/Models?version=runs%2Fmine")
        page.get_by_role("button", name="Let it answer").click()
        expect(page.get_by_text(re.compile(r"points worse on the same [\d,]+ images"))).to_be_visible(timeout=20_000)
        assert registry.active_name() == "best"
        page.get_by_role("button", name="Let it answer nevertheless").click()
        expect(page.get_by_text("Answers on the Draw page")).to_be_visible(timeout=20_000)
        assert registry.active_name() == "runs/mine"
        expect(page.get_by_role("button", name="Roll back to best")).to_be_visible(timeout=20_000)
        page.wait_for_timeout(1000)  # a button of the page before is of no use
        with page.expect_download() as download:
            page.get_by_role("button", name="ONNX").click()
        assert Path(download.value.path()).stat().st_size > 300_000
        page.get_by_role("button", name="Roll back to best").click()
        expect(page.get_by_text(re.compile("rolled back to"))).to_be_visible(timeout=20_000)
        assert registry.active_name() == "best"
        assert page.locator('[data-testid="stException"]').count() == 0
