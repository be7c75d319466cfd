"""Framing, checked against copies of one digit that must all give the same frame, and against MNIST itself."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnist_core import DigitClassifier, evaluate, normalize_drawing
from mnist_core.errors import DrawingError, EmptyDrawingError
from mnist_core.images.datasets import Dataset, LabelledImages
from mnist_core.images.framing import PEN_WIDTH, Drawing
from mnist_core.images.strokes import draw_strokes

Pixels = NDArray[np.uint8]


def seven(size: float = 0.6, left: float = 56, top: float = 56, pen: float = 20, side: int = 280) -> Pixels:
    """A wobbly seven, black on white, drawn large and shrunk so that its edges are smooth."""
    fine = 4
    corners = [(0.0, 0.05), (0.7, 0.0), (0.68, 0.1), (0.45, 0.55), (0.3, 1.0)]
    points = [((left + x * size * side) * fine, (top + y * size * side) * fine) for x, y in corners]
    image = Image.new("L", (side * fine, side * fine), 255)
    canvas = ImageDraw.Draw(image)
    canvas.line(points, fill=0, width=round(pen * fine), joint="curve")
    radius = pen * fine / 2
    for x, y in points:
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def difference(one: Pixels, other: Pixels) -> float:
    """Mean absolute difference of two frames, as a share of their mean ink."""
    return float(np.abs(one.astype(float) - other).mean() / one.mean())


FRAME = normalize_drawing(seven())


def test_frame_has_the_form_of_mnist() -> None:
    assert FRAME.shape == (28, 28)
    assert FRAME.dtype == np.uint8
    assert FRAME.max() == 255


def test_ink_fits_a_box_of_20_pixels_and_its_mass_is_centred() -> None:
    rows, columns = np.nonzero(FRAME > 25)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (20, 21)
    weights = FRAME.astype(float) / FRAME.sum()
    positions = np.arange(28) + 0.5
    assert (weights.sum(axis=1) * positions).sum() == pytest.approx(14, abs=0.05)
    assert (weights.sum(axis=0) * positions).sum() == pytest.approx(14, abs=0.05)


@pytest.mark.parametrize(("left", "top"), [(10, 10), (100, 60), (30, 97)])
def test_place_on_the_canvas_does_not_matter(left: int, top: int) -> None:
    assert np.abs(normalize_drawing(seven(left=left, top=top)).astype(int) - FRAME).max() <= 1


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.5, 4])
def test_size_does_not_matter(scale: float) -> None:
    side = round(280 * scale)
    copy = seven(left=56 * scale, top=56 * scale, pen=20 * scale, side=side)
    assert difference(FRAME, normalize_drawing(copy)) < 0.1


@pytest.mark.parametrize("pen", [8, 12, 28, 40])
@pytest.mark.parametrize("size", [0.45, 0.6, 0.8])
def test_width_of_the_pen_does_not_matter(pen: float, size: float) -> None:
    limit = 0.15 if pen > 0.25 * size * 280 else 0.1  # so wide a pen fills the inside of a corner for good
    assert difference(FRAME, normalize_drawing(seven(size=size, left=30, top=30, pen=pen))) < limit


def test_strokes_are_as_wide_as_the_models_pen() -> None:
    """Across the middle of a level bar, ink sums to the pen's width."""
    bar = np.full((280, 280), 255, np.uint8)
    bar[130:150, 40:240] = 0
    assert normalize_drawing(bar)[:, 10:18].sum(axis=0) / 255 == pytest.approx(PEN_WIDTH, abs=0.15)


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("light on dark", 255 - seven()),
        ("three colours", np.dstack([seven()] * 3)),
        ("opaque", np.dstack([seven()] * 3 + [np.full((280, 280), 255, np.uint8)])),
        ("black ink, no background", np.dstack([np.zeros((280, 280, 3), np.uint8), 255 - seven()])),
        ("white ink, no background", np.dstack([np.full((280, 280, 3), 255, np.uint8), 255 - seven()])),
        ("faint", (255 - (255 - seven().astype(int)) // 15).astype(np.uint8)),
    ],
)
def test_how_the_ink_contrasts_does_not_matter(name: str, picture: Pixels) -> None:
    assert difference(FRAME, normalize_drawing(picture)) < 0.06, name


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_every_kind_of_picture_is_read(mode: str) -> None:
    picture = Image.fromarray(seven())
    picture = Image.fromarray(seven().astype(np.uint16) * 200) if mode == "I;16" else picture.convert(mode)
    assert difference(FRAME, normalize_drawing(picture)) < 0.1


def test_transparent_paper_with_ink_on_it_is_read_as_ink_not_as_paper() -> None:
    paper = np.zeros((280, 280), np.uint8)
    paper[20:260, 20:260] = 255
    assert difference(FRAME, normalize_drawing(np.dstack([seven()] * 3 + [paper]))) < 0.01


def test_noisy_paper_is_not_ink() -> None:
    noise = np.random.default_rng(0).normal(0, 4, (280, 280))
    noisy = np.clip(seven() * 0.7 + 40 + noise, 0, 255).astype(np.uint8)
    assert difference(FRAME, normalize_drawing(noisy)) < 0.1


def test_ink_cut_off_by_the_edge_is_framed() -> None:
    frame = normalize_drawing(seven(left=-40, top=-30))
    assert frame.shape == (28, 28)
    assert frame.max() == 255


def test_a_zero_that_fills_the_whole_canvas_is_framed() -> None:
    turn = np.linspace(0, 2 * np.pi, 28)
    for reach in (120, 126, 130, 140):
        zero = draw_strokes([140 + reach * np.stack([np.sin(turn), np.cos(turn)], axis=1)], 28)
        assert normalize_drawing(zero)[10:18, 10:18].max() < 60, "the middle is empty"


def test_ink_along_all_edges_stays_ink_where_the_paper_is_known() -> None:
    along_the_edges = np.full((280, 280), 255, np.uint8)
    along_the_edges[28:-28, 28:-28] = 0
    frame = normalize_drawing(255 - along_the_edges, paper=255)
    assert frame[14, 14] == 0
    assert frame[5, 14] == 255
    assert normalize_drawing(255 - along_the_edges)[14, 14] == 255  # the border is taken for paper


def test_a_dot_and_a_full_sheet_are_framed() -> None:
    dot = np.full((280, 280), 255, np.uint8)
    dot[140, 140] = 0
    assert normalize_drawing(dot).max() == 255
    assert normalize_drawing(seven(pen=200)).max() == 255


def test_huge_picture_is_framed() -> None:
    assert difference(FRAME, normalize_drawing(Image.fromarray(seven()).resize((5000, 5000)))) < 0.05


def test_framing_does_not_change_the_picture_given() -> None:
    picture = seven()
    before = picture.copy()
    normalize_drawing(picture)
    assert (picture == before).all()


@pytest.mark.parametrize(
    "blank",
    [
        np.full((280, 280), 255, np.uint8),
        np.zeros((28, 28), np.uint8),
        np.zeros((280, 280, 4), np.uint8),
        np.full((1, 1), 7, np.uint8),
        np.random.default_rng(1).integers(200, 212, (280, 280)).astype(np.uint8),
    ],
)
def test_no_ink_is_said_to_be_empty(blank: Pixels) -> None:
    with pytest.raises(EmptyDrawingError, match="no ink"):
        normalize_drawing(blank)


@pytest.mark.parametrize(
    "nonsense",
    [np.zeros((28, 28)), np.zeros((2, 28, 28), np.uint8), np.zeros((0, 0), np.uint8), np.zeros(784, np.uint8), "7.png"],
)
def test_what_is_no_picture_is_refused(nonsense: Pixels) -> None:
    with pytest.raises(DrawingError):
        normalize_drawing(nonsense)


def test_mnist_digits_are_classified_as_well_when_framed_again(sample: Dataset) -> None:
    """MNIST is framed already, with its own pens; framing it again must not cost more than a point."""
    classifier = DigitClassifier.load()
    again = np.stack([normalize_drawing(digit) for digit in sample.test.images])
    as_they_are = evaluate(classifier, sample.test).accuracy
    framed_again = evaluate(classifier, LabelledImages("framed again", again, sample.test.labels)).accuracy
    assert framed_again > as_they_are - 0.01


def test_shrunk_and_moved_mnist_digits_are_read_as_well(sample: Dataset) -> None:
    classifier = DigitClassifier.load()
    moved = np.zeros((len(sample.test), 64, 64), np.uint8)
    moved[:, 2:30, 34:62] = sample.test.images
    frames = np.stack([normalize_drawing(255 - picture) for picture in moved])
    accuracy = evaluate(classifier, LabelledImages("moved", frames, sample.test.labels)).accuracy
    assert accuracy > evaluate(classifier, sample.test).accuracy - 0.01


@pytest.mark.parametrize(("size", "left", "top"), [(0.6, 56, 56), (0.2, 200, 20), (0.9, 10, 10)])
def test_it_is_known_where_in_the_drawing_the_frame_lies(size: float, left: float, top: float) -> None:
    picture = seven(size=size, left=left, top=top, pen=10)
    drawing = Drawing.of(picture)
    frame, window = drawing.frame, drawing.window
    ink = 255 - picture.astype(float)
    for axis, begin in ((1, window.top), (0, window.left)):
        drawn = (ink.sum(axis=axis) * (np.arange(280) + 0.5)).sum() / ink.sum()
        framed = (frame.sum(axis=axis, dtype=float) * (np.arange(28) + 0.5)).sum() / frame.sum()
        assert (drawn - begin) * window.scale == pytest.approx(framed, abs=0.3)
