"""How long from lifting the pen to the answer, beside a page that only echoes the canvas.

    python -m tests.benchmarks.answering

First, what one answer costs in the core: framing, network and score, in milliseconds of one core's time, for each
shipped version. Then both pages are open in Chromium; strokes alternate between them, so that whatever else the
machine does disturbs both alike. Time is taken inside the browser, from the mouse button's release to the change of
what the page shows. At last the same while a run of `best` trains, as the Train page starts it.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from mnist_core import RECIPES, DigitClassifier
from mnist_core.images.datasets import mnist_is_here
from mnist_core.images.strokes import SETTINGS, render
from mnist_core.runs import jobs
from mnist_core.runs.events import Epoch
from mnist_core.runs.folder import RunRequest
from mnist_core.runs.status import read_run
from mnist_core.versions import registry
from tests.browser.driving import CANVAS, ROOT, WOBBLY_SEVEN, Strokes, draw, launch, serve

PAGES = {
    "this app": (ROOT / "app.py", (".seen img", "src")),
    "echo page": (ROOT / "tests" / "benchmarks" / "echo_page.py", ("#echo", "textContent")),
}
"""Scripts, and what changes on them when the answer is there."""
STROKES = 20
ANSWERS = 400
WARM_UP = 3

WATCH = """([selector, property]) => {
    const read = () => document.querySelector(selector)?.[property] ?? '';
    const before = read();
    let lifted = 0;
    window.answeredAfter = null;
    addEventListener('mouseup', () => { lifted = performance.now(); }, {capture: true, once: true});
    new MutationObserver((_, observer) => {
        if (lifted && read() !== before) {
            window.answeredAfter = performance.now() - lifted;
            observer.disconnect();
        }
    }).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
}"""


def pen_up_to_change(page: Page, stroke: Strokes, corner: tuple[float, float], what: tuple[str, str]) -> float:
    """Milliseconds from the end of one stroke to the change of an element's property."""
    page.evaluate(WATCH, list(what))
    draw(page, stroke, size=0.3, corner=corner)
    page.wait_for_function("window.answeredAfter !== null", timeout=20_000)
    page.wait_for_timeout(250)
    took: float = page.evaluate("window.answeredAfter")
    return took


def answer_milliseconds(version: str) -> list[float]:
    """Processor time of single answers, from the canvas's pixels, on the settings of the canvas in turn."""
    torch.set_num_threads(1)
    reader = DigitClassifier.load(registry.find(version))
    stroke = np.array(WOBBLY_SEVEN[0], float)
    canvases = []
    for setting in SETTINGS:
        grey = render([stroke], setting)
        canvases.append(np.dstack([grey, grey, grey, np.full_like(grey, 255)]))
    times = []
    for number in range(WARM_UP + ANSWERS):
        begin = time.process_time()
        reader.predict(canvases[number % len(canvases)])
        times.append((time.process_time() - begin) * 1000)
    return times[WARM_UP:]


def time_answers() -> None:
    """Print what an answer costs, for each shipped version."""
    table = Table(title=f"One answer (framing, network, score), {ANSWERS} drawings, ms of one core")
    for heading in ("version", "median", "fastest", "slowest"):
        table.add_column(heading, justify="left" if heading == "version" else "right")
    for version in ("article", "robust", "best"):
        times = answer_milliseconds(version)
        table.add_row(version, *(f"{value:.2f}" for value in (statistics.median(times), min(times), max(times))))
    Console(width=100).print(table)


def time_strokes(opened: dict[str, Page]) -> dict[str, list[float]]:
    """Pen-up to answer of `STROKES` strokes on each page, in turns, after some to warm up."""
    times: dict[str, list[float]] = {name: [] for name in opened}
    for number in range(WARM_UP + STROKES):
        stroke: Strokes = [[(0, 0), (300, 250 + 20 * number), (500, 700), (400, 1000)]]
        corner = (10 + 8 * number, 10 + 41 * number % 180)
        for name, page in opened.items():
            page.bring_to_front()
            times[name].append(pen_up_to_change(page, stroke, corner, PAGES[name][1]))
    for page in opened.values():
        start_over(page)
    return {name: values[WARM_UP:] for name, values in times.items()}


def start_over(page: Page) -> None:
    """Clean paper for the next strokes."""
    page.reload()
    page.wait_for_selector(CANVAS, timeout=60_000)
    page.wait_for_timeout(2000)


@contextmanager
def training(weights: Path) -> Iterator[None]:
    """A run of `best` on MNIST that has begun to learn; cancelled afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_WEIGHTS", str(weights))
        run = jobs.start(RunRequest(RECIPES["best"], "mnist" if mnist_is_here() else "sample"))
        while not read_run(run.folder).of(Epoch):
            time.sleep(0.2)
        yield
        print(f"The run did {len(read_run(run.folder).of(Epoch))} epochs meanwhile.")
        jobs.cancel(run, wait_seconds=10)


def main() -> None:
    time_answers()
    with ExitStack() as stack:
        browser = launch(stack.enter_context(sync_playwright()))
        opened: dict[str, Page] = {}
        weights = {name: Path(stack.enter_context(tempfile.TemporaryDirectory())) for name in PAGES}
        for name, (script, _) in PAGES.items():
            opened[name] = browser.new_page()
            opened[name].goto(stack.enter_context(serve(script, weights[name])))
            opened[name].wait_for_selector(CANVAS, timeout=60_000)
            opened[name].wait_for_timeout(2000)
        times = time_strokes(opened)
        with training(weights["this app"]):
            times["this app while best trains"] = time_strokes({"this app": opened["this app"]})["this app"]
        browser.close()

    medians = {name: statistics.median(values) for name, values in times.items()}
    table = Table(title=f"Pen up to answer, {STROKES} strokes each")
    for heading in ("", "median ms", "fastest", "slowest", "÷ echo page", "÷ this app"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, values in times.items():
        ratios = (f"{medians[name] / medians[other]:.2f}×" for other in ("echo page", "this app"))
        table.add_row(name, *(f"{value:.0f}" for value in (medians[name], min(values), max(values))), *ratios)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
