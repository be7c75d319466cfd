"""A visitor trains, in a real browser, on the bundled sample."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import CANVAS, WOBBLY_SEVEN, answer, draw

BAR_VALUE = """Number(document.querySelector('[data-testid="stProgress"] [role="progressbar"]')?.ariaValueNow ?? 0)"""


def test_train_watch_reload_use_and_draw_again(page: Page, browser: Browser, app: str) -> None:
    draw(page, WOBBLY_SEVEN)
    answer(page)
    with browser.new_context() as elsewhere:
        other_tab = elsewhere.new_page()
        other_tab.goto(f"{app}/Train")  # a deep link, as another visitor may have kept it
        other_tab.get_by_role("radio", name="Bundled sample").click()
        other_tab.get_by_role("radio", name="article").click()
        train = other_tab.locator('[data-testid="stButton"]').get_by_role("button", name="Train")
        expect(other_tab.get_by_text("3,500 images")).to_be_visible()
        other_tab.get_by_text("All settings").click()
        other_tab.get_by_role("spinbutton", name="Epochs").fill("60")  # still going on after the page is loaded again
        other_tab.get_by_role("spinbutton", name="Epochs").press("Enter")
        expect(other_tab).to_have_url(re.compile("epochs=60"))
        train.click()

        expect(other_tab.get_by_role("button", name="Cancel")).to_be_visible(timeout=20_000)
        other_tab.reload()
        expect(other_tab.get_by_role("button", name="Cancel")).to_be_visible(timeout=20_000)
        seen = {0}
        use = other_tab.get_by_role("button", name="Make active")
        for _ in range(2400):
            if use.is_visible():
                break
            seen.add(int(other_tab.evaluate(BAR_VALUE)))
            other_tab.wait_for_timeout(50)
        assert max(seen) > 0, "the bar must have moved"
        expect(other_tab.get_by_text("bundled sample, test part").first).to_be_visible()
        expect(other_tab.get_by_text(re.compile("95% interval")).first).to_be_visible()
        matrix = other_tab.get_by_label(re.compile("Confusion matrix of 1,000 images"))
        expect(matrix.first).to_be_visible(timeout=20_000)
        other_tab.get_by_text("Percent of row").click()
        expect(matrix.first).to_be_visible()

        expect(page.get_by_text("Answered by best")).to_be_visible()
        use.click()
        # 3,500 images teach less than the shipped version knows, so the page asks first
        other_tab.get_by_role("button", name="Make active anyway").click()
        expect(other_tab.get_by_text("This version is active: the Draw page uses it.")).to_be_visible()
        # without a touch, the tab that was open all the time answers with the new version
        expect(page.get_by_text(re.compile(r"Answered by article\b"))).to_be_visible(timeout=60_000)
        assert other_tab.locator('[data-testid="stException"]').count() == 0
    draw(page, WOBBLY_SEVEN)
    answer(page)


def test_a_link_leads_to_the_same_settings_and_the_address_follows_them(page: Page, app: str) -> None:
    page.goto(f"{app}/Train?recipe=article&data=sample&epochs=9&hidden=50,20")
    expect(page.get_by_text("784–50–20–10")).to_be_visible(timeout=20_000)
    page.get_by_text("All settings").click()
    epochs = page.get_by_role("spinbutton", name="Epochs")
    expect(epochs).to_have_value("9")
    epochs.fill("3")
    epochs.press("Enter")
    expect(page).to_have_url(re.compile("epochs=3"))
    page.get_by_role("link", name="Draw").click()
    page.wait_for_selector(CANVAS)
    page.get_by_role("link", name="Train").click()
    expect(page.get_by_text("784–50–20–10")).to_be_visible(timeout=20_000)
    expect(page).to_have_url(re.compile("epochs=3"))
    page.get_by_role("radio", name="quick").click()
    expect(page.get_by_text("784–100–100–10")).to_be_visible(timeout=20_000)
    expect(page).not_to_have_url(re.compile("epochs"))


def test_cancel_ends_a_run_that_others_see_and_the_next_begins(page: Page, browser: Browser, app: str) -> None:
    page.goto(f"{app}/Train?recipe=article&data=sample&epochs=1000")
    train = page.locator('[data-testid="stButton"]').get_by_role("button", name="Train")
    train.click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("What the first layer looks for")).to_be_visible(timeout=60_000)
    expect(page.get_by_label("Confusion matrix of 500 images").first).to_be_visible(timeout=20_000)
    page.get_by_role("radio", name="quick").click()
    expect(page).not_to_have_url(re.compile("epochs"))  # the settings are the recipe's; without MNIST, the page's own
    train.click()
    expect(page.get_by_text("Next in the queue")).to_be_visible(timeout=20_000)
    with browser.new_context() as elsewhere:
        second = elsewhere.new_page()
        second.goto(f"{app}/Train")
        expect(second.get_by_role("button", name="Cancel")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Next in the queue")).to_be_hidden(timeout=20_000)
    expect(page.get_by_text("Last run: quick")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Does it know when it may be wrong?")).to_be_visible(timeout=20_000)
    page.get_by_text(re.compile("^All mistakes: ")).wait_for()  # the page has its full length
    page.get_by_text(re.compile("Earlier runs")).click()
    choice = page.get_by_role("combobox", name="Show the outcome of")
    choice.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # a list that opens while the page still scrolls is closed again
    cancelled = page.get_by_role("option", name=re.compile("article: epochs 1000 .* cancelled"))
    for _ in range(8):
        choice.press("ArrowDown")
        page.wait_for_timeout(700)
        if cancelled.is_visible():
            break
    cancelled.click(timeout=10_000)
    expect(page.get_by_text("Cancelled before it was finished")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="Draw").click()
    page.wait_for_selector(CANVAS)
