import numpy as np
import pytest
import torch
from torch import Tensor

from mnist_core.images.datasets import Dataset
from mnist_core.training.non_digits.pieces import make_pieces
from mnist_core.training.segments import ON_LINE
from mnist_core.training.skeletons import line_maps
from mnist_core.training.variants import write_differently


@pytest.fixture(scope="module")
def lines(sample: Dataset) -> tuple[Tensor, Tensor]:
    some = sample.train.part("600", np.arange(600))
    return torch.from_numpy(line_maps(some.images)), torch.from_numpy(some.labels)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("digit", [1, 7])
def test_variants_add_lines_and_take_none_away(lines: tuple[Tensor, Tensor], digit: int) -> None:
    maps, labels = (part[lines[1] == digit] for part in lines)
    written = write_differently(maps, labels, seeded())
    assert (written >= maps).all()
    longer = (written >= ON_LINE).sum((1, 2)) - (maps >= ON_LINE).sum((1, 2))
    assert (longer > 2).float().mean() > 0.9


def test_zeros_get_a_slash_or_a_gap(lines: tuple[Tensor, Tensor]) -> None:
    zeros = lines[0][lines[1] == 0]
    written = write_differently(zeros, torch.zeros(len(zeros), dtype=torch.long), seeded())
    inside = slice(24, 32)
    assert (zeros[:, inside, inside].amax((1, 2)) >= ON_LINE).float().mean() < 0.3
    slashed = written[:, inside, inside].amax((1, 2)) >= ON_LINE
    assert 0.5 < slashed.float().mean() < 0.9
    assert (written[~slashed] <= zeros[~slashed]).all(), "the others lose a part of their line"


@pytest.mark.parametrize("digit", [8, 9])
def test_a_gap_takes_away_a_short_part_near_the_top(lines: tuple[Tensor, Tensor], digit: int) -> None:
    maps, labels = (part[lines[1] == digit] for part in lines)
    written = write_differently(maps, labels, seeded())
    assert (written <= maps).all()
    before, after = ((part >= ON_LINE).sum((1, 2)).float() for part in (maps, written))
    assert ((before - after) / before).median() == pytest.approx(0.12, abs=0.08)
    assert (written[:, 36:] == maps[:, 36:]).float().mean() > 0.99


def test_a_foot_or_flag_makes_a_one_wider(lines: tuple[Tensor, Tensor]) -> None:
    def width(maps: Tensor) -> Tensor:
        return (maps >= ON_LINE).any(1).sum(1).float()

    ones = lines[0][lines[1] == 1]
    written = write_differently(ones, torch.ones(len(ones), dtype=torch.long), seeded())
    assert (width(written) > width(ones) + 1).float().mean() > 0.65, "but for those below a slanted one"


def test_other_digits_stay_as_they_are(lines: tuple[Tensor, Tensor]) -> None:
    maps, labels = (part[(lines[1] >= 2) & (lines[1] <= 6)] for part in lines)
    assert torch.equal(write_differently(maps, labels, seeded()), maps)


@pytest.mark.parametrize("count", [1, 7, 500])
def test_as_many_pieces_are_made_as_asked(lines: tuple[Tensor, Tensor], count: int) -> None:
    shapes = make_pieces(*lines, count, seeded())
    assert shapes.shape == (count, 56, 56)
    assert shapes.dtype == torch.uint8
    assert (shapes.amax((1, 2)) >= ON_LINE).float().mean() > 0.98, "none is blank"


def test_pieces_are_other_shapes_than_the_digits(lines: tuple[Tensor, Tensor]) -> None:
    shapes = make_pieces(*lines, 300, seeded())
    assert not any((shape == lines[0]).all(dim=(1, 2)).any() for shape in shapes)


def test_pieces_can_be_made_from_one_kind_of_digit(lines: tuple[Tensor, Tensor]) -> None:
    ones = lines[1] == 1
    assert len(make_pieces(lines[0][ones], lines[1][ones], 50, seeded())) == 50


def test_pieces_can_be_made_from_few_digits(lines: tuple[Tensor, Tensor]) -> None:
    """One digit of each kind, as for the preview on the Train page."""
    first = torch.stack([torch.nonzero(lines[1] == digit)[0, 0] for digit in range(10)])
    assert len(make_pieces(lines[0][first], lines[1][first], 10, seeded())) == 10
