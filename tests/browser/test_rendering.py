"""What is measured on drawings is drawn by us; it must be what the canvas in a browser draws."""

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from mnist_core import normalize_drawing
from mnist_core.images.strokes import (
    CANVAS,
    SETTINGS,
    Setting,
    Stroke,
    draw_strokes,
    read_characters,
    strokes_on_canvas,
)
from tests.browser.driving import PEN_DIGITS, clear

DRAW = """(canvas, strokes) => {
    const box = canvas.getBoundingClientRect();
    const onPage = ([x, y]) => [Math.floor(box.left + x), Math.floor(box.top + y)];  // whole pixels, as a mouse reports
    const send = (kind, [x, y], target) => target.dispatchEvent(new MouseEvent(kind, {
        clientX: x, clientY: y, button: 0, buttons: kind === 'mouseup' ? 0 : 1,
        bubbles: true, cancelable: true, view: window,
    }));
    return strokes.map(stroke => {
        const points = stroke.map(onPage);
        send('mousedown', points[0], canvas);
        for (const point of points.slice(1)) send('mousemove', point, document);
        send('mouseup', points[points.length - 1], document);
        return points.map(([x, y]) => [x - box.left, y - box.top]);
    });
}"""
READ = """canvas => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({length: data.length / 4}, (_, i) => data[4 * i + 3] ? data[4 * i] : 255);
}"""
INK = 0x11
"""The canvas's pen is not quite black."""


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean absolute difference of two pictures with dark ink on white, as a share of the ink."""
    return float(np.abs(one.astype(float) - other).sum() / (255 - other.astype(float)).sum())


def draw_on_the_canvas(page: Page, strokes: list[NDArray[np.float64]]) -> tuple[NDArray[np.uint8], list[Stroke]]:
    """As a mouse that reports every point would; gives the canvas's pixels, and where the points really were."""
    drawn = page.locator("canvas.upper-canvas").evaluate(DRAW, [stroke.tolist() for stroke in strokes])
    page.wait_for_timeout(100)
    pixels = page.locator("canvas.dc-canvas.lower-canvas").evaluate(READ)
    darkness = (255 - np.array(pixels, float).reshape(CANVAS, CANVAS)) * 255 / (255 - INK)
    return (255 - darkness.round()).astype(np.uint8), [np.array(stroke) for stroke in drawn]


def set_pen(page: Page, width: float) -> None:
    slider = page.get_by_role("slider", name="Pen width")
    while (now := int(slider.input_value())) != width:
        slider.press("ArrowRight" if now < width else "ArrowLeft")
    page.wait_for_timeout(700)


@pytest.mark.skipif(not PEN_DIGITS.exists(), reason="no pen drawings: set MNIST_DATA to a folder that has pen/")
@pytest.mark.parametrize(("setting", "count"), zip(SETTINGS, (4, 3, 3, 3), strict=True), ids=str)
def test_digits_look_as_on_the_canvas(page: Page, setting: Setting, count: int) -> None:
    characters = read_characters(PEN_DIGITS)[:: len(SETTINGS) * 37][:count]
    set_pen(page, setting.pen)
    for character in characters:
        canvas, strokes = draw_on_the_canvas(page, strokes_on_canvas(character.strokes, setting))
        ours = draw_strokes(strokes, setting.pen)
        assert difference(canvas, ours) < 0.06, character.label
        frames = [255 - normalize_drawing(picture) for picture in (canvas, ours)]
        assert difference(frames[0], frames[1]) < 0.05, character.label
        clear(page)
