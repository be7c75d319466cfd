"""Drive the running app in Chromium: start it, draw with mouse or finger, read the answer."""

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright

from mnist_core.files import data_dir

ROOT = Path(__file__).parents[2]
CANVAS = "canvas.upper-canvas"
SIDE = 280
PEN_DIGITS = data_dir() / "pen" / "digits.jsonl.gz"

Strokes = list[list[tuple[float, float]]]

WOBBLY_SEVEN: Strokes = [[(60, 30), (300, 0), (690, 40), (560, 330), (480, 520), (380, 790), (330, 1000)]]


@dataclass(frozen=True)
class PenDigit:
    """A digit written by hand; the longer side of `strokes` is 1000."""

    label: int
    strokes: Strokes


def pen_digits() -> list[PenDigit]:
    """Load real digits by many writers from `MNIST_DATA/pen/digits.jsonl.gz`."""
    with gzip.open(PEN_DIGITS, "rt", encoding="utf-8") as lines:
        return [PenDigit(int(entry["label"]), entry["strokes"]) for entry in map(json.loads, lines)]


@contextmanager
def serve(script: Path, weights: Path, **environment: str) -> Iterator[str]:
    """Run a Streamlit script as a user would, with extra environment variables, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = weights / "server.log"
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, f"--server.port={port}", "--server.address=127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, "MNIST_WEIGHTS": str(weights), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(f"{url}/_stcore/health", server, log)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def launch(playwright: Playwright) -> Browser:
    """Start the system's Chromium without background requests to the internet."""
    return playwright.chromium.launch(
        executable_path=shutil.which("chromium"),
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
    )


def draw(page: Page, strokes: Strokes, size: float = 0.6, corner: tuple[float, float] | None = None) -> None:
    """Replay strokes with the mouse; the longer side is `size` of the canvas, centred unless `corner` is given."""
    for stroke in _on_page(page, strokes, size, corner):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def draw_with_finger(page: Page, strokes: Strokes, size: float = 0.6) -> None:
    """Replay strokes as touches."""
    session = page.context.new_cdp_session(page)
    for stroke in _on_page(page, strokes, size, None):
        for kind, point in zip(["touchStart"] + ["touchMove"] * (len(stroke) - 1), stroke, strict=True):
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": point[0], "y": point[1]}]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def answer(page: Page) -> int | None:
    """Return the digit on the page once it has settled, the likelier of two, or None if the answer is declined."""
    page.wait_for_selector(".answer .digit", timeout=20_000)
    page.wait_for_timeout(700)  # the canvas sends 200 ms after each stroke, and each gets an answer
    spoken = page.locator(".answer .digit").first.get_attribute("aria-label") or ""
    found = re.match(r"Answer: (?:not sure, )?(\d)", spoken)
    return int(found[1]) if found else None


def clear(page: Page) -> None:
    """Press Clear and wait until the canvas is empty."""
    page.get_by_role("button", name="Clear", exact=True).click()
    page.wait_for_selector(".answer.waiting")
    while ink_on_canvas(page):
        page.wait_for_timeout(20)
    page.wait_for_timeout(150)


def ink_on_canvas(page: Page) -> int:
    """Count the dark pixels on the canvas."""
    count: int = page.locator("canvas.dc-canvas.lower-canvas").evaluate(
        """canvas => {
            const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            let dark = 0;
            for (let i = 0; i < pixels.length; i += 4) dark += pixels[i + 3] > 128 && pixels[i] < 128;
            return dark;
        }"""
    )
    return count


def _on_page(
    page: Page, strokes: Strokes, size: float, corner: tuple[float, float] | None
) -> list[list[tuple[float, float]]]:
    box = page.locator(CANVAS).bounding_box()
    assert box is not None
    xs, ys = zip(*(point for stroke in strokes for point in stroke), strict=True)
    scale = size * SIDE / max(max(xs) - min(xs), max(ys) - min(ys))
    width, height = (max(xs) - min(xs)) * scale, (max(ys) - min(ys)) * scale
    left, top = corner or ((SIDE - width) / 2, (SIDE - height) / 2)
    return [
        [(box["x"] + left + (x - min(xs)) * scale, box["y"] + top + (y - min(ys)) * scale) for x, y in stroke]
        for stroke in strokes
    ]


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the app did not start:\n{log.read_text()}")
