"""Measure how soon a click on the confusion matrix of 10,000 images shows its images, beyond Streamlit's own rerun.

    MNIST_DATA=… python -m tests.benchmarks.exploring

In Chromium, in one run and in turns: the time from a click on a cell of the Models page until its images are drawn, and
the time that a page with nothing but one button in a fragment takes to show what the button changed.
"""

import itertools
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from mnist_core.versions import registry
from tests.browser.driving import ROOT, launch, serve

CLICKS = 30
RERUN_PAGE = """import streamlit as st

@st.fragment
def count():
    st.button("Count", on_click=lambda: st.session_state.update(n=st.session_state.get("n", 0) + 1))
    st.markdown(f"Counted {st.session_state.get('n', 0)}")

count()
"""


def milliseconds_to_images(page: Page, cell: tuple[int, int], count: int) -> float:
    """Click on a cell and return the time until all of its images are drawn."""
    label, answer = cell
    button = page.get_by_role("table").get_by_role("button", name=f"{label} classified as {answer}:")
    begin = time.perf_counter()
    button.click()
    page.get_by_text(f"{label} classified as {answer}: {count:,}").wait_for()
    page.wait_for_function(
        """([count, line]) => {
            const shown = [...document.querySelectorAll('.gallery button')];
            return shown.length === Math.min(count, 40) && shown.every(one => one.innerText.startsWith(line))
                && shown.every(one => one.querySelector('img').complete);
        }""",
        arg=[count, f"{label}, correct" if label == answer else f"{label} as {answer}"],
    )
    return 1000 * (time.perf_counter() - begin)


def milliseconds_to_count(page: Page, number: int) -> float:
    """Click on the button and return the time until the page shows the new number."""
    begin = time.perf_counter()
    page.get_by_role("button", name="Count").click()
    page.get_by_text(f"Counted {number}", exact=True).wait_for()
    return 1000 * (time.perf_counter() - begin)


def main() -> None:
    confusion = registry.version("article").record.evaluation.confusion
    cells = {(row, column): confusion[row][column] for row in range(10) for column in range(10)}
    busy = sorted((cell for cell in cells if cells[cell]), key=lambda cell: -cells[cell])
    shown, counted = [], []
    with ExitStack() as stack:
        browser = launch(stack.enter_context(sync_playwright()))
        weights, other = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        script = other / "rerun.py"
        script.write_text(RERUN_PAGE)
        page, plain = browser.new_page(), browser.new_page()
        page.goto(stack.enter_context(serve(ROOT / "app.py", weights)) + "/Models?version=article")
        plain.goto(stack.enter_context(serve(script, other)))
        page.locator(".gallery button").first.wait_for(timeout=60_000)
        page.get_by_text("Add a version").wait_for()
        plain.get_by_text("Counted 0").wait_for()
        milliseconds_to_count(plain, 1)
        for number, cell in zip(range(CLICKS), itertools.cycle(busy[:20]), strict=False):
            shown.append(milliseconds_to_images(page, cell, cells[cell]))
            counted.append(milliseconds_to_count(plain, number + 2))
        browser.close()
    images, rerun = statistics.median(shown), statistics.median(counted)
    print(
        f"{CLICKS} clicks on cells of 10,000 images: {images:.0f} ms to the images (slowest {max(shown):.0f}), "
        f"{rerun:.0f} ms for Streamlit's own rerun: {images - rerun:.0f} ms more."
    )


if __name__ == "__main__":
    main()
