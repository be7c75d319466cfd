"""What is said about drawings, on drawings that have the problem and on digits that do not."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnist_core import DigitClassifier
from mnist_core.errors import EmptyDrawingError
from mnist_core.images.datasets import Dataset
from mnist_core.images.framing import Drawing
from mnist_core.images.problems import A_DOT, TOO_FAINT, TOUCHES_EDGE, TWO_DIGITS, is_dot

Pixels = NDArray[np.uint8]


def sheet(*digits: tuple[Pixels, int, int]) -> Pixels:
    """Digits (28, 28), five times enlarged, black on white, each with its upper left corner at a row and column."""
    paper = np.full((280, 280), 255, np.uint8)
    for digit, top, left in digits:
        large = np.kron(255 - digit, np.ones((5, 5), np.uint8))
        part = paper[max(top, 0) : top + 140, max(left, 0) : left + 140]
        large = large[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]
        part[:] = np.minimum(part, large)
    return paper


@pytest.fixture(scope="module")
def digits(sample: Dataset) -> Pixels:
    return sample.test.images[:200]


def test_a_plain_digit_has_no_problem(digits: Pixels) -> None:
    found = [Drawing.of(sheet((digit, 60, 60))).problems for digit in digits]
    assert sum(map(bool, found)) <= 4, "some of MNIST's own digits are in two parts"


def test_ink_at_the_edge_is_told(digits: Pixels) -> None:
    for digit in digits[:20]:
        assert TOUCHES_EDGE in Drawing.of(sheet((digit, -40, 60))).problems
        assert TOUCHES_EDGE in Drawing.of(sheet((digit, 60, 190))).problems


def test_two_digits_are_told(digits: Pixels) -> None:
    pairs = list(zip(digits[::2], digits[1::2], strict=True))
    told = [TWO_DIGITS in Drawing.of(sheet((one, 70, 0), (other, 70, 135))).problems for one, other in pairs]
    assert np.mean(told) > 0.9


def test_one_digit_in_two_strokes_is_not_two() -> None:
    """A five whose bar does not touch, and an equals sign."""
    five = np.full((280, 280), 255, np.uint8)
    five[60:75, 120:200] = 0
    five[90:220, 100:115] = 0
    assert TWO_DIGITS not in Drawing.of(five).problems


def test_faint_ink_is_told(digits: Pixels) -> None:
    dark = sheet((digits[0], 60, 60))
    faint = (255 - (255 - dark.astype(int)) // 8).astype(np.uint8)
    assert Drawing.of(faint).problems == (TOO_FAINT,)
    assert TOO_FAINT not in Drawing.of(dark).problems


def test_no_ink_is_no_problem_but_an_error() -> None:
    with pytest.raises(EmptyDrawingError):
        Drawing.of(np.full((280, 280), 255, np.uint8))


@pytest.mark.parametrize(("width", "height"), [(20, 20), (24, 20), (26, 30)])
def test_a_dot_is_told_apart_and_not_taken_for_a_zero(width: int, height: int) -> None:
    dot = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(dot).rounded_rectangle((60, 200, 60 + width, 200 + height), 10, fill=0)
    assert Drawing.of(dot).problems == (A_DOT,)
    assert not DigitClassifier.load().predict(dot).accepted


def test_no_digit_of_mnist_is_a_dot(sample: Dataset) -> None:
    assert not any(is_dot(frame >= 128) for frame in sample.test.images)
