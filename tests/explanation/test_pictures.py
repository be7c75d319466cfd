import io

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from mnist_core.explanation.pictures import (
    AGAINST,
    CONTRIBUTIONS_SIDE,
    FOR,
    SAYS_NOTHING,
    SPEAKS_AGAINST,
    SPEAKS_FOR,
    contributions_png,
    first_layer,
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


WHOLE = Window(0, 0, CONTRIBUTIONS_SIDE / 28)
"""The whole frame in a picture of contributions."""


def pixels(png: bytes) -> NDArray[np.int64]:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_contributions_are_coloured_by_what_they_speak_for() -> None:
    contributions = np.zeros((28, 28))
    contributions[4:12], contributions[16:24] = 2.0, -2.0
    picture = pixels(contributions_png(contributions, WHOLE))
    assert picture.shape == (CONTRIBUTIONS_SIDE, CONTRIBUTIONS_SIDE, 3)
    assert np.array_equal(picture[32, 56], SPEAKS_FOR)
    against = picture[67:93, 40:67].reshape(-1, 3).tolist()
    assert list(SPEAKS_AGAINST) in against
    assert list(SAYS_NOTHING) in against, "hatched, so that it can be told without colours"
    assert np.array_equal(picture[56, 56], SAYS_NOTHING)


def test_what_the_frame_says_lies_where_it_was_drawn() -> None:
    stroke = np.array([[30.0, 40.0], [30.0, 90.0], [70.0, 90.0]])  # small, at the left
    drawing = Drawing.of(draw_strokes([stroke], 8))
    rows, columns = np.nonzero(drawing.frame > 128)
    contributions = np.zeros((28, 28))
    contributions[rows.max() - 1, columns.max() - 1] = 1.0  # the stroke's end
    top, left, side = 30, 20, 70  # pixels of the canvas
    to_frame, window = drawing.window.scale, drawing.window
    view = Window((top - window.top) * to_frame, (left - window.left) * to_frame, CONTRIBUTIONS_SIDE / side / to_frame)
    picture = pixels(contributions_png(contributions, view))
    blue = np.argwhere(picture[..., 2] - picture[..., 0] > 60).mean(axis=0)
    assert np.abs(blue * side / CONTRIBUTIONS_SIDE + [top, left] - [90, 70]).max() < 6, "where the stroke ends"
