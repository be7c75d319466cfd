"""What a drawing is made of is counted at every size and pen, and only what no digit has is given as a reason."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mnist_core.images.datasets import Dataset
from mnist_core.images.framing import Drawing
from mnist_core.images.strokes import SETTINGS, Setting, Stroke, draw_strokes, render
from mnist_core.images.structure import Structure, declined, find_structure, reasons

PENS = [*SETTINGS[:3], Setting(0.8, 28), Setting(0.9, 8)]


def circle(x: float, y: float, radius: float) -> Stroke:
    turn = np.linspace(0, 2 * np.pi, 40)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1)


def line(*points: tuple[float, float]) -> Stroke:
    """Points close together, as a mouse sends them: the canvas drops the last but one of a stroke."""
    corners = np.array(points, float)
    parts = [np.linspace(begin, end, 20, endpoint=False) for begin, end in pairwise(corners)]
    return np.concatenate([*parts, corners[-1:]])


SQUARE = line((0, 0), (100, 0), (100, 100), (0, 100), (0, 0))
SMILE = line((30, 65), (40, 73), (50, 75), (60, 73), (70, 65))
SHAPES = {
    "a bar": ([line((0, 0), (0, 100))], 1, 0),
    "a square": ([SQUARE], 1, 1),
    "a window": ([SQUARE, line((50, 0), (50, 100)), line((0, 50), (100, 50))], 1, 4),
    "an eight": ([circle(50, 25, 25), circle(50, 75, 25)], 1, 2),
    "a percent sign": ([circle(20, 25, 20), line((100, 0), (0, 100)), circle(80, 75, 20)], 3, 2),
    "a smiley": ([circle(50, 50, 50), line((35, 35), (35, 37)), line((65, 35), (65, 37)), SMILE], 4, 1),
    "four bars": ([line((x, 0), (x, 100)) for x in (0, 33, 67, 100)], 4, 0),
}


def structure_of(strokes: list[Stroke], setting: Setting) -> Structure:
    return find_structure(Drawing.of(render(strokes, setting)).ink)


@pytest.mark.parametrize("setting", PENS, ids=lambda setting: setting.name)
@pytest.mark.parametrize("name", SHAPES)
def test_pieces_and_loops_are_counted_at_every_size_and_pen(name: str, setting: Setting) -> None:
    strokes, pieces, loops = SHAPES[name]
    found = structure_of(strokes, setting)
    assert (found.pieces, found.loops) == (pieces, loops)


@pytest.mark.parametrize("setting", PENS, ids=lambda setting: setting.name)
def test_length_is_measured_in_diagonals(setting: Setting) -> None:
    """A circle runs in all directions; a wider pen makes the box larger and the path relatively shorter."""
    ring = structure_of([circle(50, 50, 50)], setting)
    assert ring.length == pytest.approx(np.pi / np.sqrt(2), rel=0.15)
    assert structure_of([line((0, 0), (100, 100))], setting).length == pytest.approx(1, rel=0.15)


def test_a_loop_that_a_thick_pen_has_filled_does_not_count() -> None:
    eight = [circle(50, 25, 25), circle(50, 75, 25)]
    assert structure_of(eight, Setting(0.3, 8)).loops == 2
    assert structure_of(eight, Setting(0.3, 40)).loops == 0


def test_specks_do_not_count() -> None:
    picture = render([SQUARE], SETTINGS[0]).copy()
    picture[100:104, 100:104] = 0  # ink in the square
    picture[60:63, 130:133] = 255  # paper in its upper side
    found = find_structure(Drawing.of(picture).ink)
    assert (found.pieces, found.loops) == (1, 1)


def test_a_line_thinner_than_a_pixel_stays_whole() -> None:
    """Between two pixels it fills half of each as much as in the middle of one."""
    ink = np.zeros((100, 100), np.uint8)
    ink[range(50), range(50)] = 100
    for place in range(50, 100):
        ink[place, place - 1 : place + 1] = 55
    assert find_structure(ink).pieces == 1


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        (Structure(pieces=1, loops=2, length=2), ()),
        (Structure(pieces=3, loops=0, length=2), ()),
        (Structure(pieces=1, loops=3, length=2), ("three closed loops",)),
        (Structure(pieces=4, loops=1, length=2), ("four separate pieces",)),
        (Structure(pieces=3, loops=2, length=2), ("two closed loops", "three separate pieces")),
        (Structure(pieces=12, loops=0, length=2), ("12 separate pieces",)),
        (Structure(pieces=1, loops=0, length=20), ("much more ink than a digit",)),
        (Structure(pieces=1, loops=11, length=20), ("11 closed loops",)),
    ],
)
def test_a_reason_is_what_no_digit_has(structure: Structure, expected: tuple[str, ...]) -> None:
    assert reasons(structure) == expected


def test_reasons_are_listed_in_a_clause() -> None:
    assert declined(()) == "this does not look like a digit"
    assert declined(("a",)) == "this does not look like a digit: it has a"
    assert declined(("a", "b", "c")) == "this does not look like a digit: it has a, b and c"


def test_a_scribble_has_much_more_ink_than_a_digit() -> None:
    zigzag = line(*((x * 5, 100 * (x % 2)) for x in range(21)))
    assert Drawing.of(draw_strokes([zigzag * 2 + 40], 4)).reasons == ("much more ink than a digit",)


def test_hardly_any_digit_of_mnist_has_a_reason(sample: Dataset) -> None:
    """The limits were chosen on all of MNIST's training digits, which the sample is a part of."""
    digits = sample.test.images
    large = (np.asarray(Image.fromarray(255 - digit).resize((168, 168))) for digit in digits)
    assert np.mean([bool(Drawing.of(picture).reasons) for picture in large]) <= 0.005
    assert np.mean([bool(Drawing.of_frame(digit).reasons) for digit in digits]) <= 0.005


def test_reasons_are_worked_out_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[NDArray[np.uint8]] = []
    monkeypatch.setattr(
        "mnist_core.images.framing.find_structure", lambda ink: (asked.append(ink), Structure(1, 3, 1.0))[1]
    )
    drawing = Drawing.of(render([SQUARE], SETTINGS[0]))
    assert not asked
    assert drawing.reasons == drawing.reasons == ("three closed loops",)
    assert len(asked) == 1
