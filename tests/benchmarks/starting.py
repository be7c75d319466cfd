"""Measure how soon a press of Train shows the first epoch and the verdict.

    MNIST_DATA=… python -m tests.benchmarks.starting [--recipe quick] [--data mnist] [--runs 10]

In Chromium, one run after another: the time from the press until the page shows the first epoch, and until it says how
the new version compares with the active one. Beside it, from what the run itself noted: when it had loaded its images,
had ended its first epoch, began to evaluate, and was finished. Chromium, the server and the run share this machine.
"""

import argparse
import itertools
import re
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from mnist_core.runs.events import RunEvent, read_events
from tests.browser.driving import ROOT, launch, serve

VERDICT = re.compile(r"makes (as many|more|fewer) mistakes")
NOTED = ("loaded", "epoch", "evaluating", "finished")
PAUSE_SECONDS = 8
"""Between two runs: what somebody needs at least to read the verdict; meanwhile the next process gets ready."""


def seconds_of_a_run(page: Page) -> tuple[float, float, float]:
    """Press Train; return when (the time of day), and the seconds until the first epoch and until the verdict."""
    train = page.locator('[data-testid="stButton"]').get_by_role("button", name="Train", exact=True)
    pressed, begin = time.time(), time.perf_counter()
    train.click()
    page.get_by_text(re.compile(r", after epoch \d+")).first.wait_for(timeout=120_000)
    first = time.perf_counter() - begin
    page.get_by_role("button", name="Cancel").wait_for(state="detached", timeout=120_000)
    page.get_by_text(VERDICT).first.wait_for(timeout=60_000)
    return pressed, first, time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="quick")
    parser.add_argument("--data", default="mnist", choices=["mnist", "sample"])
    parser.add_argument("--runs", type=int, default=10)
    chosen = parser.parse_args()
    firsts, verdicts, noted = [], [], []
    with ExitStack() as stack:
        browser = launch(stack.enter_context(sync_playwright()))
        weights = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(
            stack.enter_context(serve(ROOT / "app.py", weights)) + f"/Train?recipe={chosen.recipe}&data={chosen.data}"
        )
        page.get_by_text("Training time").wait_for(timeout=60_000)
        known: set[Path] = set()
        for number in range(chosen.runs):
            time.sleep(PAUSE_SECONDS)
            pressed, first, verdict = seconds_of_a_run(page)
            (folder,) = set((weights / "runs").glob("2*")) - known
            known.add(folder)
            times = _first_times(read_events(folder))
            firsts.append(first)
            verdicts.append(verdict)
            noted.append([times[kind] - pressed for kind in NOTED])
            print(f"{number + 1}: first epoch {first:.2f} s, verdict {verdict:.2f} s", flush=True)
    for name, seconds in (("first epoch visible", firsts), ("verdict visible", verdicts)):
        print(
            f"{name}: median {statistics.median(seconds):.2f} s, fastest {min(seconds):.2f}, slowest {max(seconds):.2f}"
        )
    for name, each in zip(NOTED, zip(*noted, strict=True), strict=True):
        print(f"  noted by the run: {name:<10} median {statistics.median(each):.2f} s after the press")


def _first_times(events: tuple[RunEvent, ...]) -> dict[str, float]:
    by_kind = itertools.groupby(
        sorted(events, key=lambda event: (event.event, event.time)), key=lambda event: event.event
    )
    return {kind: next(group).time for kind, group in by_kind}


if __name__ == "__main__":
    main()
