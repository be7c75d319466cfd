import io

import numpy as np
import pytest
import torch
from PIL import Image

from mnist_core.explanation.pictures import (
    AGAINST,
    FOR,
    SAYS_NOTHING,
    SPEAKS_AGAINST,
    SPEAKS_FOR,
    enlarged,
    first_layer,
    spoken_ink,
    to_png,
)
from mnist_core.images.framing import Drawing, Window
from mnist_core.images.strokes import draw_strokes
from mnist_core.network.model import MLP


def test_each_unit_has_a_tile_blue_where_ink_speaks_for_it_and_orange_where_against() -> None:
    model = MLP((784, 3, 10))
    with torch.no_grad():
        weights = model.layers[0].weight.zero_().view(3, 28, 28)
        weights[0, 5, 6] = 0.02
        weights[1, 7, 8] = -4.0
        weights[1, 9, 10] = 2.0
    picture = first_layer(model)
    assert (picture.shape, picture.dtype) == ((30, 90, 3), np.uint8)
    assert np.array_equal(picture[1 + 5, 1 + 6], FOR), "scaled by its own largest weight"
    assert np.array_equal(picture[1 + 7, 31 + 8], AGAINST)
    assert np.array_equal(picture[1 + 9, 31 + 10], FOR // 2)
    assert np.count_nonzero(picture.any(axis=-1)) == 3, "the rest is black, the unit without weights all of it"


@pytest.mark.parametrize(("units", "columns", "rows"), [(1, 2, 1), (8, 4, 2), (100, 15, 7), (1024, 15, 7)])
def test_there_are_about_twice_as_many_columns_as_rows(units: int, columns: int, rows: int) -> None:
    picture = first_layer(MLP((784, units, 10)))
    assert picture.shape == (30 * rows, 30 * columns, 3)


def test_a_picture_is_a_png_that_holds_the_same_pixels() -> None:
    picture = first_layer(MLP((784, 4, 10)))
    with Image.open(io.BytesIO(to_png(picture))) as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), picture)


def test_ink_is_coloured_where_it_speaks_and_paper_stays_white() -> None:
    ink = np.zeros((56, 56), np.float32)
    ink[8:48, 20:36] = 1
    contributions = np.zeros((28, 28))
    contributions[4:12], contributions[16:24] = 2.0, -2.0
    picture = spoken_ink(ink, Window(0, 0, 0.5), contributions)
    assert (picture[ink == 0] == 255).all()
    assert np.array_equal(picture[14, 25], SPEAKS_FOR)
    against = picture[34:46, 22:34].reshape(-1, 3).tolist()
    assert SPEAKS_AGAINST.tolist() in against
    assert SAYS_NOTHING.tolist() in against, "hatched, so that it can be told without colours"
    assert np.array_equal(picture[28, 25], SAYS_NOTHING)


def test_what_the_frame_says_is_shown_where_it_was_drawn() -> None:
    stroke = np.array([[30.0, 40.0], [30.0, 90.0], [70.0, 90.0]])  # small, at the left
    drawing = draw_strokes([stroke], 8)
    framed = Drawing.of(drawing)
    frame, window = framed.frame, framed.window
    rows, columns = np.nonzero(frame > 128)
    contributions = np.zeros((28, 28))
    corner = rows.max() - 1, columns.max() - 1  # the stroke's end
    contributions[corner] = 1.0
    picture = spoken_ink((255 - drawing.astype(np.float32)) / 255, window, contributions).astype(int)
    blue = np.argwhere(picture[..., 2] - picture[..., 0] > 60)
    assert np.abs(blue.mean(axis=0) - [90, 70]).max() < 6, "where the stroke ends, in pixels of the canvas"


def test_an_enlarged_frame_is_ten_times_as_large_with_its_ink_in_place() -> None:
    frame = np.zeros((28, 28), np.uint8)
    frame[3, 20] = 255
    ink, window = enlarged(frame)
    assert ink.shape == (280, 280)
    assert ink[35, 205] > 0.9
    assert window == Window(0, 0, 0.1)
