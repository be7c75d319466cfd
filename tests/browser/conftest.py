"""Browser tests need Debian's chromium and Playwright's Python package; they are skipped without them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install -e .[dev]")

from playwright.sync_api import Browser, Page  # noqa: E402

from tests.browser.driving import CANVAS, ROOT, launch, serve  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    playwright_api.expect.set_options(timeout=20_000)  # a shared machine may be slow
    with playwright_api.sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 — skipped with the browser
    """The address of the running app, with only the shipped versions."""
    with serve(ROOT / "app.py", tmp_path_factory.mktemp("weights")) as url:
        yield url


@pytest.fixture
def page(browser: Browser, app: str) -> Iterator[Page]:
    """The Draw page in a new window; no error may be on it at the end."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.goto(app)
        page.wait_for_selector(CANVAS, timeout=60_000)
        page.wait_for_selector(".answer.waiting")
        page.wait_for_timeout(500)
        yield page
        assert page.locator('[data-testid="stException"]').count() == 0
