"""A visitor turns a digit until the answer changes, and looks at the units, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.driving import ROOT, WOBBLY_SEVEN, answer, draw, serve

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e .[dev]")


@pytest.fixture
def app(browser: Browser, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:  # noqa: ARG001 — skips with it
    """Serve the app without MNIST: it searches the bundled sample for training digits, which is quicker."""
    monkeypatch.setenv("MNIST_DATA", str(tmp_path))
    with serve(ROOT / "app.py", weights) as url:
        yield url


def wait_until_turned(page: Page, slider: Locator) -> None:
    """Wait until page and network show the digit as the slider turned it: its last steps may still be on their way."""
    value = slider.evaluate("slider => Number(slider.ariaValueNow ?? slider.value)")
    moved = page.locator(".moved img")
    expect(moved).to_have_attribute("alt", f"The digit, 28 by 28 pixels: {value}° right", timeout=30_000)
    seen = page.get_by_alt_text("The digit as the network sees it")
    expect(seen).to_have_attribute("src", moved.get_attribute("src") or "", timeout=30_000)


def test_turn_a_digit_until_the_answer_changes_and_pick_units_by_mouse_and_keyboard(page: Page) -> None:
    draw(page, WOBBLY_SEVEN)
    assert answer(page) == 7
    page.get_by_role("link", name="Look inside").click()
    told = page.locator(".moved .digit")
    expect(told).to_have_attribute("aria-label", "Answer: 7")
    picked = page.locator(".unit[aria-pressed=true]")
    expect(picked).to_have_attribute("aria-label", re.compile(r"Unit \d+ of layer 2, activation \d"))
    expect(page.locator(".gallery img")).to_have_count(10)
    violations = axe.Axe().run(page).response["violations"]
    assert [found["id"] for found in violations if found["impact"] in ("serious", "critical")] == []

    chart = page.get_by_test_id("stVegaLiteChart").first.locator("svg")
    chart.evaluate("drawn => { drawn.same = true; }")
    slider = page.get_by_role("slider", name="Turn")
    slider.focus()
    for _ in range(90):
        slider.press("ArrowRight")
        if told.get_attribute("aria-label") != "Answer: 7":
            break
    expect(told).not_to_have_attribute("aria-label", "Answer: 7")
    expect(slider).to_be_focused()
    assert chart.evaluate("drawn => drawn.same"), "charts that are redrawn flicker"

    wait_until_turned(page, slider)
    unit = page.locator(".unit").nth(3)
    unit.evaluate("button => { button.same = true; }")
    name = re.match(r"Unit (\d+) of layer 1", unit.get_attribute("aria-label") or "")
    assert name is not None
    unit.hover()
    expect(page.locator(".tip")).to_contain_text(name[0])
    unit.click()
    expect(page.get_by_text(f"Unit {name[1]} of the first hidden layer")).to_be_visible(timeout=30_000)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    following = page.locator(".unit").nth(4)
    expect(following).to_have_attribute("aria-pressed", "true")
    number = re.findall(r"\d+", following.get_attribute("aria-label") or "")[0]
    expect(page.get_by_text(f"Unit {number} of the first hidden layer")).to_be_visible(timeout=30_000)
    expect(following).to_be_focused()
    assert unit.evaluate("button => button.same"), "elements are not created again"
    expect(page.locator(".gallery img")).to_have_count(10)
