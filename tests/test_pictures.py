import io

import numpy as np
import pytest
import torch
from PIL import Image

from mnist_core.model import MLP
from mnist_core.pictures import AGAINST, FOR, first_layer, to_png


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
