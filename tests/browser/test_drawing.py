"""A visitor draws, in a real browser."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.driving import (
    CANVAS,
    PEN_DIGITS,
    WOBBLY_SEVEN,
    answer,
    clear,
    draw,
    draw_with_finger,
    ink_on_canvas,
    pen_digits,
)

needs_pen_digits = pytest.mark.skipif(
    not PEN_DIGITS.exists(), reason="no pen drawings: set MNIST_DATA to a folder that holds pen/digits.jsonl.gz"
)


def test_a_wobbly_seven_in_a_corner_is_a_seven(page: Page) -> None:
    draw(page, WOBBLY_SEVEN, size=0.35, corner=(15, 15))
    assert answer(page) == 7


@needs_pen_digits
def test_real_handwriting_is_read_off_the_canvas(page: Page) -> None:
    answers = []
    for digit in pen_digits()[::1400]:  # of six writers
        draw(page, digit.strokes)
        answers.append((digit.label, answer(page)))
        clear(page)
    right = sum(label == digit for label, digit in answers)
    assert right >= 5, f"only {right} of {len(answers)} right: {answers}"


def test_a_finger_on_a_phone_draws_too(browser: Browser, app: str) -> None:
    strokes = pen_digits()[2].strokes if PEN_DIGITS.exists() else WOBBLY_SEVEN
    expected = pen_digits()[2].label if PEN_DIGITS.exists() else 7
    with browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.goto(app)
        page.wait_for_selector(CANVAS, timeout=60_000)
        page.wait_for_timeout(500)
        draw_with_finger(page, strokes)
        assert answer(page) == expected
        assert page.evaluate("window.scrollY") == 0, "drawing must not scroll the page"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        digit = page.locator(".answer .digit").bounding_box()
        assert digit is not None
        assert digit["y"] + digit["height"] <= 844, "the answer must be seen without scrolling"


def test_clear_and_undo(page: Page) -> None:
    draw(page, [[(0, 0), (0, 1000)]], size=0.5, corner=(60, 60))
    draw(page, [[(0, 0), (0, 1000)]], size=0.5, corner=(200, 60))
    both = answer(page), ink_on_canvas(page)
    tools = page.locator(".st-key-tools")
    tools.get_by_role("button", name="Undo").click()
    page.wait_for_timeout(1000)
    assert answer(page) == 1
    assert 0 < ink_on_canvas(page) < both[1]
    tools.get_by_role("button", name="Undo").click()
    page.wait_for_selector(".answer.waiting")
    page.wait_for_timeout(500)
    assert ink_on_canvas(page) == 0
    for _ in range(2):  # twice, as clearing what is clear already must not confuse the canvas
        draw(page, WOBBLY_SEVEN)
        assert answer(page) == 7
        clear(page)
        assert ink_on_canvas(page) == 0


def test_an_example_can_be_tried_and_drawn_on(page: Page) -> None:
    page.get_by_role("button", name="Try an example").click()
    answer(page)
    assert page.get_by_text("labelled").count() == 1
    before = ink_on_canvas(page)
    draw(page, [[(0, 0), (1000, 300)]], size=0.8)
    answer(page)
    assert ink_on_canvas(page) > before
    assert page.get_by_text("labelled").count() == 0, "drawn on, it is no longer the example"


def test_drawing_and_answer_survive_a_visit_to_the_other_page(page: Page) -> None:
    draw(page, WOBBLY_SEVEN)
    before, ink = answer(page), ink_on_canvas(page)
    page.get_by_role("link", name="Train").click()
    page.get_by_role("heading", name="Train a new version").wait_for()
    page.get_by_role("link", name="Draw").click()
    page.wait_for_selector(CANVAS)
    assert answer(page) == before
    assert ink_on_canvas(page) == pytest.approx(ink, rel=0.02)
    draw(page, [[(0, 0), (1000, 0)]], size=0.3, corner=(90, 150))
    answer(page)
    assert ink_on_canvas(page) > ink, "what is drawn now is added to what was drawn before"


def test_pen_width_changes_the_next_stroke_and_keeps_the_drawing(page: Page) -> None:
    line = [[(0.0, 0.0), (0.0, 1000.0)]]
    draw(page, line, size=0.5, corner=(80, 60))
    answer(page)
    thin = ink_on_canvas(page)
    page.get_by_role("slider", name="Pen width").press("End")
    page.wait_for_timeout(800)
    assert ink_on_canvas(page) == thin
    draw(page, line, size=0.5, corner=(200, 60))
    answer(page)
    assert ink_on_canvas(page) > 2.5 * thin


def test_two_digits_are_declined_and_the_reason_is_told(page: Page) -> None:
    draw(page, [[(0, y) for y in range(0, 1001, 50)]], size=0.6, corner=(60, 50))
    assert answer(page) == 1
    draw(page, [[(0, y) for y in range(0, 1001, 50)]], size=0.6, corner=(200, 50))
    assert answer(page) is None
    assert page.locator(".problems").get_by_text("two separate digits").count() == 1


def test_the_dial_is_remembered_and_decides(page: Page) -> None:
    draw(page, WOBBLY_SEVEN)
    assert answer(page) == 7
    page.get_by_text("When does it decline to answer?").click()
    dial = page.get_by_role("slider", name="Share of MNIST's digits that it must accept")
    before = page.get_by_text("would be answered").inner_text()
    dial.press("Home")
    page.wait_for_timeout(1000)
    assert page.get_by_text("would be answered").inner_text() != before
    page.get_by_role("link", name="Train").click()
    page.get_by_role("heading", name="Train a new version").wait_for()
    page.get_by_role("link", name="Draw").click()
    page.wait_for_selector(CANVAS)
    page.get_by_text("When does it decline to answer?").click()
    assert page.get_by_text("80%", exact=True).count() >= 1
