"""Measure how long a visitor waits from pressing Teach to the comparison, with 100 drawings and all of MNIST.

    MNIST_DATA=… python -m tests.benchmarks.teaching_page

In Chromium, with the first 100 digits of `MNIST_DATA/pen/digits.jsonl.gz` kept as one writer's in a temporary database.
Also prints how much of that time is the learning itself.
"""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from mnist_core.drawings.store import DrawingStore
from mnist_core.evaluation.pen_strokes import digit_labels, draw_frames
from mnist_core.images.strokes import SETTINGS, read_characters
from mnist_core.versions import registry
from mnist_core.versions.registry import RECORD_FILE
from tests.browser.driving import PEN_DIGITS, ROOT, launch, serve
from tests.runs.test_finetune import as_kept

DRAWINGS, REPEATS = 100, 10


def keep_drawings(folder: Path) -> None:
    """Store the drawings where the app finds them."""
    characters = read_characters(PEN_DIGITS)[:DRAWINGS]
    with DrawingStore(f"sqlite:///{folder / 'drawings.sqlite3'}") as store:
        for frame, label in zip(draw_frames(characters, SETTINGS[0]), digit_labels(characters), strict=True):
            store.add(as_kept(frame, int(label), "Ann"))


def seconds_to_comparison(page: Page) -> float:
    """Press Teach and return the time until the figures and the choice are shown."""
    choice = page.get_by_role("button", name="Discard")
    begin = time.perf_counter()
    page.get_by_role("button", name="Teach", exact=True).click()
    expect(choice).to_be_hidden()  # that of the run before
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(choice).to_be_visible(timeout=120_000)
    seconds = time.perf_counter() - begin
    page.wait_for_timeout(2000)
    return seconds


def main() -> None:
    with ExitStack() as stack:
        browser = launch(stack.enter_context(sync_playwright()))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keep_drawings(folder)
        page = browser.new_page()
        page.goto(stack.enter_context(serve(ROOT / "app.py", folder)) + "/My_handwriting")
        page.get_by_role("button", name="Teach", exact=True).wait_for(timeout=60_000)
        waited = [seconds_to_comparison(page) for _ in range(REPEATS)]
        records = [registry.read_record(record.parent) for record in folder.glob(f"runs/*/{RECORD_FILE}")]
        browser.close()
    learning = statistics.median(record.duration_seconds for record in records)
    print(
        f"Taught {len(waited)} times with {DRAWINGS} drawings: median {statistics.median(waited):.1f} s from button to "
        f"comparison (slowest {max(waited):.1f}), of which {learning:.1f} s are learning."
    )


if __name__ == "__main__":
    main()
