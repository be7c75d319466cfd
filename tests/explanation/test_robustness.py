from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_core import DigitClassifier, files
from mnist_core.explanation.robustness import DIRECTIONS, Direction, Movement, move, reach
from mnist_core.images.datasets import Dataset


@pytest.fixture
def frame() -> NDArray[np.uint8]:
    """An uneven shape, with room on all sides."""
    ink = np.zeros((28, 28), np.uint8)
    ink[10:19, 12:15] = 255
    ink[10:12, 15:19] = 130
    return ink


class TellsWhereTheInkIs(DigitClassifier):
    """Answers 7 while the ink's centre lies in some columns, 1 left of them and 2 right of them."""

    def __init__(self, first: float, last: float) -> None:
        self.first, self.last = first, last

    def predict_frames(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        centres = (frames.sum(axis=1) * np.arange(28)).sum(axis=1) / frames.sum(axis=(1, 2)).clip(1)
        digits = np.where(centres < self.first, 1, np.where(centres > self.last, 2, 7))
        return np.eye(10, dtype=np.float32)[digits] * 0.9 + np.float32(0.01)


def test_no_movement_leaves_a_frame_as_it_is(sample: Dataset) -> None:
    for frame in sample.test.images[:20]:
        assert np.array_equal(move(frame, Movement()), frame)


@pytest.mark.parametrize(("right", "down"), [(3, 0), (-4, 0), (0, 5), (0, -2), (2, -3)])
def test_a_shift_by_whole_pixels_moves_each_of_them(frame: NDArray[np.uint8], right: int, down: int) -> None:
    moved = move(frame, Movement(right=right, down=down))
    assert np.array_equal(moved, np.roll(frame, (down, right), (0, 1)))


def test_what_leaves_the_frame_is_lost(frame: NDArray[np.uint8]) -> None:
    assert not move(frame, Movement(right=-19)).any()


def test_a_quarter_turn_is_clockwise(frame: NDArray[np.uint8]) -> None:
    turned = move(frame, Movement(rotation=90))
    assert np.abs(turned.astype(int) - np.rot90(frame, -1)).max() <= 1
    assert np.abs(move(frame, Movement(rotation=-90)).astype(int) - np.rot90(frame)).max() <= 1


def test_four_quarter_turns_lead_back(sample: Dataset) -> None:
    turned = frame = sample.test.images[8]
    for _ in range(4):
        turned = move(turned, Movement(rotation=90))
    assert np.abs(turned.astype(int) - frame).max() <= 4


def test_a_shift_of_a_turned_digit_is_one_on_the_page(frame: NDArray[np.uint8]) -> None:
    turned = move(frame, Movement(rotation=90))
    both = move(frame, Movement(rotation=90, right=3))
    assert np.abs(both.astype(int) - np.roll(turned, 3, 1)).max() <= 1


def test_blurring_spreads_ink_and_sharpening_hardens_edges(sample: Dataset) -> None:
    frame = sample.test.images[8]
    ink = np.count_nonzero(frame)
    assert np.count_nonzero(move(frame, Movement(sharpness=-0.5))) > ink
    assert move(frame, Movement(sharpness=-0.5)).max() < frame.max()
    grey = ((frame > 0) & (frame < 255)).sum()
    sharp = move(frame, Movement(sharpness=1))
    assert ((sharp > 0) & (sharp < 255)).sum() < grey / 2
    assert not sharp[frame == 0].any(), "no ink where none was"


def test_reach_ends_where_the_answer_changes(frame: NDArray[np.uint8]) -> None:
    middle = float((frame.sum(axis=0) * np.arange(28)).sum() / frame.sum())
    found = reach(TellsWhereTheInkIs(middle - 4.2, middle + 2.7), frame, "right")
    assert (found.low, found.high) == (-4, 2.5)
    places = [int(np.flatnonzero(found.values == place)[0]) for place in (-4.5, 0, 3)]
    assert found.digits[places].tolist() == [1, 7, 2]
    assert np.allclose(found.probabilities[places], [0.01, 0.91, 0.01])


def test_reach_without_any_change_goes_from_end_to_end(frame: NDArray[np.uint8]) -> None:
    found = reach(TellsWhereTheInkIs(-1, 30), frame, "down")
    assert (found.low, found.high) == (-10, 10)


def test_reach_along_one_direction_keeps_the_others(frame: NDArray[np.uint8]) -> None:
    middle = float((frame.sum(axis=0) * np.arange(28)).sum() / frame.sum())
    classifier = TellsWhereTheInkIs(middle - 4.2, middle + 2.7)
    away = reach(classifier, frame, "down", Movement(right=5))
    assert np.isnan([away.low, away.high]).all(), "the digit is not the answer even in the middle"
    assert (away.digits == 2).all()
    own = reach(classifier, frame, "right", Movement(right=5))
    assert (own.low, own.high) == (-4, 2.5), "along its own direction what is set there counts for nothing"


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_direction_is_asked_step_by_step(sample: Dataset, direction: Direction) -> None:
    classifier = DigitClassifier.load(files.SHIPPED / "article")
    frame, held = sample.test.images[3], Movement(rotation=6, down=1)
    found = reach(classifier, frame, direction, held)
    assert found.values[len(found.values) // 2] == 0
    digit = classifier.predict_frame(frame).digit
    for place in (0, 7, -1):
        moved = move(frame, replace(held, **{direction: float(found.values[place])}))
        prediction = classifier.predict_frame(moved)
        assert found.digits[place] == prediction.digit
        assert found.probabilities[place] == pytest.approx(prediction.probabilities[digit], abs=1e-4)
