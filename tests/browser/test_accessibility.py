"""Every page can be used with poor eyesight or a screen reader, as far as axe-core can tell."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import CANVAS, WOBBLY_SEVEN, draw

Axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe is not installed: pip install -e .[dev]"
).Axe

PAGES = ("Draw", "Train", "Models", "Look inside", "My handwriting")
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def violations(page: Page, name: str) -> list[str]:
    """Return what axe finds serious or critical, one line for each element."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{name}: {violation['id']}: {' '.join(node['target'])}: {node['failureSummary']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(("scheme", "size"), [("dark", DESK), ("light", PHONE)], ids=str)
def test_axe_finds_nothing_serious_on_any_page(browser: Browser, app: str, scheme: str, size: dict[str, int]) -> None:
    with browser.new_context(viewport=size, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{app}/?demo=1")
        page.wait_for_selector(CANVAS, timeout=60_000)
        draw(page, WOBBLY_SEVEN)
        found = []
        for name in PAGES:
            page.locator(".st-key-navigation").get_by_role("link", name=name, exact=True).click()
            expect(page).to_have_title(re.compile(name))
            page.wait_for_selector(CANVAS if name == "Draw" else "h1", timeout=20_000)
            if name == "Train":
                page.get_by_role("radio", name="robust").click()  # shows a picture of distorted digits
                page.get_by_text("Left: original digits").wait_for()
            expect(page.get_by_test_id("stApp")).to_have_attribute(
                "data-test-script-state", "notRunning", timeout=20_000
            )
            found += violations(page, name)
        assert not found, "\n".join(found)
