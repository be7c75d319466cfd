import numpy as np
from scipy.ndimage import distance_transform_edt, label

from mnist_core.images.datasets import Dataset
from mnist_core.training.skeletons import REACH, UNITS, enlarged_twice, line_maps, skeletonize


def test_a_thick_bar_becomes_a_line_along_its_middle() -> None:
    mask = np.zeros((1, 30, 60), bool)
    mask[0, 10:19, 5:55] = True
    lines = skeletonize(mask)[0]
    assert set(np.nonzero(lines)[0]) == {14}
    assert 40 <= lines.sum() <= 50


def test_lines_are_thin_and_nothing_comes_apart(sample: Dataset) -> None:
    masks = np.repeat(np.repeat(sample.test.images[:100] > 100, 3, axis=1), 3, axis=2)
    eight = np.ones((3, 3))
    for mask, lines in zip(masks, skeletonize(masks), strict=True):
        assert not (lines & ~mask).any()
        assert label(lines, eight)[1] == label(mask, eight)[1]
        blocks = lines[:-1, :-1] & lines[1:, :-1] & lines[:-1, 1:] & lines[1:, 1:]
        assert blocks.sum() <= 3, "lines are one pixel wide, but for a few joints"


def test_a_map_falls_with_the_distance_from_the_line() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 13:15, 6:22] = 255
    from_line = (255 - line_maps(image)[0][:, 28].astype(float)) / UNITS
    rows = (np.arange(56) + 0.5) / 2
    expected = np.minimum(np.abs(rows - 14), REACH)
    assert np.abs(from_line - expected).max() < 0.3


def test_maps_agree_with_scipy_on_real_digits(sample: Dataset) -> None:
    images = sample.test.images[:20]
    for line_map in line_maps(images):
        on_line = line_map >= 255 - 0.3 * UNITS
        away = distance_transform_edt(~on_line) / 2
        near = away < 3
        assert np.abs((255 - line_map[near].astype(float)) / UNITS - away[near]).mean() < 0.4


def test_enlarging_keeps_the_ink(sample: Dataset) -> None:
    images = sample.test.images[:50]
    enlarged = enlarged_twice(images)
    assert enlarged.shape == (50, 56, 56)
    assert np.abs(enlarged.mean((1, 2)) / images.mean((1, 2)) - 1).max() < 0.05
