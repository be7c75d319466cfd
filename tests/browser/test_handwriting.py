"""A visitor corrects an answer, writes digits when asked, relabels and deletes what was kept, in a real browser."""

import re

from playwright.sync_api import Page, expect

from tests.browser.driving import CANVAS, WOBBLY_SEVEN, answer, draw


def test_correct_write_relabel_and_delete(page: Page) -> None:
    draw(page, WOBBLY_SEVEN)
    assert answer(page) == 7
    page.reload()  # begins a new session, with the same drawing
    assert answer(page) == 7
    labels = page.locator(".st-key-labels")
    labels.get_by_role("radio", name="7", exact=True).click()
    name = page.get_by_label("Your name (optional)")
    name.fill("Ann")
    name.press("Enter")
    expect(page.get_by_text("They would be kept as Ann.")).to_be_visible()
    page.reload()
    expect(name).to_have_value("Ann")
    page.get_by_role("button", name="Keep them").click()
    expect(page.get_by_text("Noted: 7.")).to_be_visible()

    page.get_by_role("link", name="My handwriting").click()
    expect(page.get_by_text("1 of 1 correct: 100.0%")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Write 20 digits").click()
    expect(page.get_by_text("1 of 20")).to_be_visible()
    page.wait_for_selector(CANVAS)
    page.wait_for_timeout(500)
    draw(page, WOBBLY_SEVEN, size=0.5)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("2 of 20")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Your \d was classified as 7"))).to_be_visible()
    page.reload()
    expect(page.get_by_text("2 of 20")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Done: 1 digit kept.")).to_be_visible(timeout=20_000)
    expect(page.get_by_text(re.compile("of 2 correct"))).to_be_visible()

    pictures = page.locator(".gallery button")
    expect(pictures).to_have_count(2)
    pictures.last.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="It is").click()
    page.get_by_role("option", name="1", exact=True).click()
    dialog.get_by_role("button", name="Save").click()
    expect(pictures.last).to_have_text("1 as 7")
    page.get_by_role("button", name="Delete all drawings by Ann").click()
    dialog.get_by_role("button", name="Delete all", exact=True).click()
    expect(page.get_by_text("Nothing has been kept yet")).to_be_visible()
    page.get_by_role("link", name="Draw").click()
    expect(page.get_by_text("What did you draw?")).to_be_visible()


def test_what_one_tab_was_told_about_keeping_counts_in_all(page: Page) -> None:
    draw(page, WOBBLY_SEVEN)
    page.locator(".st-key-labels").get_by_role("radio", name="7", exact=True).click()
    page.get_by_label("Your name (optional)").fill("Ann")
    page.get_by_role("button", name="Keep them").click()
    expect(page.get_by_text("Keep my drawings as Ann")).to_be_visible()

    later = page.context.new_page()
    later.goto(page.url)
    later.wait_for_selector(CANVAS)
    later.wait_for_timeout(500)
    draw(later, WOBBLY_SEVEN)
    expect(later.get_by_text("Keep my drawings as Ann")).to_be_visible()
    later.locator(".st-key-labels").get_by_role("radio", name="7", exact=True).click()
    expect(later.get_by_text("Noted: 7.")).to_be_visible()
    for wish in ("From now on nothing is kept", "Noted: 7.", "From now on nothing is kept"):
        page.get_by_test_id("stCheckbox").get_by_text("Keep my drawings").click()
        expect(later.get_by_text(wish)).to_be_visible()
