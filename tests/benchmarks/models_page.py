"""Measure how long the Models page takes to be ready, with 5 versions and with 200.

    python -m tests.benchmarks.models_page

Both apps run at the same time and are opened in turns, so that other load on the machine affects both alike. The first
opening after the server's start, when all records are read for the first time, is reported separately.
"""

import shutil
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from mnist_core import files
from tests.browser.driving import ROOT, launch, serve

COUNTS = 5, 200
OPENINGS = 15


def seconds_until_ready(browser: Browser, url: str, versions: int) -> float:
    """Measure from the request to the whole page: the table's first rows, the chart and the last heading."""
    with browser.new_context() as context:
        page = context.new_page()
        begin = time.perf_counter()
        page.goto(f"{url}/Models")
        page.get_by_text("Add a version").wait_for(timeout=60_000)
        page.locator('[data-testid="stDataFrame"] canvas').first.wait_for(timeout=60_000)
        page.locator(".stVegaLiteChart svg, .stVegaLiteChart canvas").first.wait_for(timeout=60_000)
        took = time.perf_counter() - begin
        assert page.locator('[data-testid="stException"]').count() == 0, versions
    return took


def main() -> None:
    first: dict[int, float] = {}
    later: dict[int, list[float]] = {count: [] for count in COUNTS}
    with ExitStack() as stack:
        browser = launch(stack.enter_context(sync_playwright()))
        urls = {}
        for count in COUNTS:
            weights = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            for number in range(count - 3):  # three are shipped
                shutil.copytree(files.SHIPPED / "article", weights / "runs" / f"20260101-{number:06}-article")
            urls[count] = stack.enter_context(serve(ROOT / "app.py", weights))
            page = browser.new_page()
            page.goto(urls[count])  # loads what every page needs
            page.get_by_text("Compare with").wait_for(timeout=60_000)
            page.close()
        for count, url in urls.items():
            first[count] = seconds_until_ready(browser, url, count)
        for _ in range(OPENINGS):
            for count, url in urls.items():
                later[count].append(seconds_until_ready(browser, url, count))
        browser.close()

    few, many = (statistics.median(later[count]) for count in COUNTS)
    table = Table(title=f"The Models page is ready after, in seconds ({OPENINGS} openings each)")
    for heading in ("versions", "first", "median", "fastest", "slowest"):
        table.add_column(heading, justify="right")
    for count in COUNTS:
        figures = (first[count], statistics.median(later[count]), min(later[count]), max(later[count]))
        table.add_row(str(count), *(f"{seconds:.2f}" for seconds in figures))
    Console(width=100).print(table)
    print(
        f"{COUNTS[1]} versions take {many / few:.2f} times as long as {COUNTS[0]}; first {first[200] / first[5]:.2f}."
    )


if __name__ == "__main__":
    main()
