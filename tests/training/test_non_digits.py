"""Drawings that are no digit: every kind, all together, and in the batches of a training."""

import signal
import subprocess

import numpy as np
import pytest
import torch

from mnist_core import Recipe
from mnist_core.images.datasets import Dataset
from mnist_core.training.batches import Batches
from mnist_core.training.non_digits import processes
from mnist_core.training.non_digits.drawing import CHUNK, GROUPS, SHARES, draw_chunk
from mnist_core.training.non_digits.hand import by_hand, draw_lines
from mnist_core.training.non_digits.pen import Kind, arc, line, smooth
from mnist_core.training.non_digits.processes import draw_non_digits
from mnist_core.training.skeletons import maps_of_lines
from mnist_core.training.sources import DRAWN, MOST_NON_DIGITS, count_non_digits, make_sources


@pytest.mark.parametrize("kind", SHARES, ids=lambda kind: kind.__name__)
def test_every_kind_draws_something_else_each_time(kind: Kind) -> None:
    rng = np.random.default_rng(0)
    drawings = [draw_lines(by_hand(kind(rng), rng)) for _ in range(12)]
    assert len({drawing.tobytes() for drawing in drawings}) == 12
    for drawing in drawings:
        assert drawing.sum() > 30, "it has ink"
        longer = max(np.ptp(places) for places in np.nonzero(drawing)) + 1
        assert 57 <= longer <= 62, "it fills the box: 20 of 28 pixels, at three to the pixel"


def test_every_group_has_its_share_and_every_kind_a_weight() -> None:
    assert sum(share for _, share in GROUPS) == pytest.approx(1)
    assert sum(SHARES.values()) == pytest.approx(1)
    assert len(SHARES) == sum(len(kinds) for kinds, _ in GROUPS), "no kind is in two tables"
    assert min(SHARES.values()) > 0.0005
    assert max(SHARES.values()) < 0.06, "no kind crowds out the others"


def test_kinds_are_drawn_as_often_as_their_share_says(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def counted(kind: Kind) -> Kind:
        def count(_: np.random.Generator) -> list[np.ndarray]:
            drawn.append(kind.__name__)
            return [line((0, 0), (1, 1))]

        return count

    monkeypatch.setattr("mnist_core.training.non_digits.drawing.SHARES", {counted(k): s for k, s in SHARES.items()})
    for number in range(4):
        draw_chunk(0, number)
    letters = sum(name in "adefhkmnprtuvwxy" or name == "a_with_roof" for name in drawn)
    assert letters / len(drawn) == pytest.approx(0.17, abs=0.04)


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    maps = draw_non_digits(CHUNK + 30, seed=1)
    assert maps.shape == (CHUNK + 30, 56, 56)
    assert maps.dtype == np.uint8
    assert np.array_equal(maps, draw_non_digits(CHUNK + 30, seed=1))
    assert not np.array_equal(maps[:30], draw_non_digits(30, seed=2))
    assert not np.array_equal(maps[:30], maps[CHUNK:]), "chunks differ"
    assert np.array_equal(maps[:30], draw_non_digits(30, seed=1)), "more drawings begin with the same"


def test_more_processes_draw_the_same() -> None:
    alone = draw_non_digits(2 * CHUNK + 10, seed=1, processes=1)
    assert np.array_equal(alone, draw_non_digits(2 * CHUNK + 10, seed=1, processes=2))


def test_what_a_process_does_not_draw_is_drawn_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WORKER", "this")  # a module that says nothing
    assert np.array_equal(draw_non_digits(CHUNK + 10, 1, processes=2), draw_non_digits(CHUNK + 10, 1))


def test_an_interrupt_ends_the_processes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:  # as a run does when it is asked to end
        raise KeyboardInterrupt

    started: list[subprocess.Popen[bytes]] = []
    start = processes._start
    monkeypatch.setattr(processes, "_start", lambda *of_it: started.append(start(*of_it)) or started[-1])
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            draw_non_digits(1_000_000, seed=0, processes=2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


def test_lines_are_as_wide_as_those_of_digits() -> None:
    """The maps of digits and non-digits are made in the same way, so that no network can tell them by their lines."""
    maps = maps_of_lines(draw_lines([line((-1, 0), (1, 0))])[None])
    assert maps.max() > 240
    assert not maps[0, :10].any()
    assert (maps[0] >= 128).any(0)[9:47].all()


def test_a_full_turn_closes_and_curves_pass_their_points() -> None:
    ring = arc(0, 0, 1, 1)
    assert np.allclose(ring[0], ring[-1])
    assert np.allclose(np.hypot(*ring.T), 1)
    points = np.array([[0.0, 0], [1, 2], [3, 1]])
    assert all(np.isclose(smooth(points), point).all(1).any() for point in points)


def test_most_non_digits_are_drawn_and_some_made_of_digits() -> None:
    for images, epochs in ((54_000, 300), (3_500, 2), (10, 1), (1, 1)):
        recipe = Recipe(non_digits=0.15, epochs=epochs)
        drawn, pieces = count_non_digits(recipe, images)
        assert 1 <= drawn + pieces <= MOST_NON_DIGITS
        assert drawn + pieces <= 0.15 * images * epochs + 1, "no more than are shown"
        assert drawn == pytest.approx(DRAWN * (drawn + pieces), abs=1)
    assert count_non_digits(Recipe(non_digits=0.15, epochs=300), 54_000) == (96_000, 24_000)
    assert count_non_digits(Recipe(), 54_000) == (0, 0)


def test_a_resumed_training_distorts_the_same(sample: Dataset) -> None:
    digits = sample.train.part("20 digits", np.arange(20))
    recipe = Recipe(non_digits=0.5, redrawn=0.5, variants=0.5)
    one, same = make_sources(recipe, digits), make_sources(recipe, digits)
    assert torch.equal(one.maps, same.maps)
    assert len(one.maps) - one.non_digits_from == sum(count_non_digits(recipe, 20))


def test_batches_hold_non_digits_with_all_targets_zero(sample: Dataset) -> None:
    digits = sample.train.part("100 digits", np.arange(100))
    recipe = Recipe(non_digits=0.9, rotation=10.0)
    batches = Batches(recipe, digits, torch.device("cpu"), torch.Generator().manual_seed(0))
    ((images, targets),) = batches.of([torch.arange(100)])
    refused = targets.sum(1) == 0
    assert refused.float().mean() == pytest.approx(0.9, abs=0.1)
    assert (images[refused].amax((1, 2)) > 0.5).all(), "none is blank"


def test_a_preview_shows_no_non_digit_twice(sample: Dataset) -> None:
    batches = Batches(
        Recipe(non_digits=0.5), sample.train.part("10", np.arange(10)), torch.device("cpu"), torch.Generator()
    )
    assert batches.augmenter is not None
    row = batches.augmenter.some_non_digits(20)
    assert row.shape == (20, 28, 28)
    assert len(torch.unique(row.flatten(1), dim=0)) == 20
