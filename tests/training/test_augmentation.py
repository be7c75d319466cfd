"""Distortions, each against what it is meant to do, on real digits."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from mnist_core import RECIPES, Recipe
from mnist_core.images.datasets import NOT_A_DIGIT, Dataset, LabelledImages
from mnist_core.training.augmentation import Augmenter, shift_batch

CPU = torch.device("cpu")
EVERYTHING = torch.arange(200)


@pytest.fixture(scope="module")
def digits(sample: Dataset) -> LabelledImages:
    return sample.train.part("200 digits", np.arange(200))


def distorted(digits: LabelledImages, **strengths: float) -> Tensor:
    frames, _ = Augmenter(Recipe(**strengths), digits, CPU)(EVERYTHING)  # type: ignore[arg-type]
    return frames


def angle(frames: Tensor) -> Tensor:
    """Slope of each digit's long axis, from its second moments."""
    grid = torch.arange(28) - 13.5
    mass = frames.sum((1, 2))
    x, y = (frames.sum(1) @ grid) / mass, (frames.sum(2) @ grid) / mass
    dx, dy = grid[None, :] - x[:, None], grid[None, :] - y[:, None]
    xy = torch.einsum("nij,ni,nj->n", frames, dy, dx) / mass
    yy = torch.einsum("nij,ni->n", frames, dy**2) / mass
    return xy / yy


def test_distorted_digits_have_the_form_of_the_networks_input(digits: LabelledImages) -> None:
    frames, labels = Augmenter(RECIPES["best"], digits, CPU)(EVERYTHING)
    assert frames.shape == (200, 28, 28)
    assert frames.dtype == torch.float32
    assert frames.min() == 0
    assert frames.max() == 1
    kept = labels != NOT_A_DIGIT
    assert torch.equal(labels[kept], torch.from_numpy(digits.labels)[kept])


def test_the_same_seed_distorts_alike_and_another_does_not(digits: LabelledImages) -> None:
    one, same, other = (
        Augmenter(replace(RECIPES["best"], seed=seed), digits, CPU)(EVERYTHING)[0] for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_without_strength_a_digit_is_only_framed_again(digits: LabelledImages) -> None:
    originals = torch.from_numpy(digits.images).float() / 255
    frames = distorted(digits, rotation=1e-9)
    likeness = torch.nn.functional.cosine_similarity(frames.flatten(1), originals.flatten(1), dim=1)
    assert likeness.median() > 0.85  # MNIST is framed to whole pixels
    grid = torch.arange(28) + 0.5
    for axis in (1, 2):
        centres = (frames.sum(axis) @ grid) / frames.sum((1, 2))
        assert (centres - 14).abs().max() < 0.5


@pytest.mark.parametrize("distortion", ["rotation", "shear"])
def test_turned_and_slanted_digits_lean(digits: LabelledImages, distortion: str) -> None:
    strength = {"rotation": 20.0, "shear": 0.36}[distortion]
    leaning = angle(distorted(digits, **{distortion: strength})) - angle(distorted(digits, rotation=1e-9))
    assert 0.1 < leaning.std() < 0.4
    assert leaning.mean().abs() < 0.06


def test_stretched_digits_change_their_proportions(digits: LabelledImages) -> None:
    def width(frames: Tensor) -> Tensor:
        return (frames.amax(1) > 0.5).sum(1).float()

    ratio = width(distorted(digits, stretch=0.6)) / width(distorted(digits, rotation=1e-9))
    assert ratio.max() > 1.15
    assert ratio.min() < 0.85


def test_moved_digits_lie_where_the_recipe_puts_them(digits: LabelledImages) -> None:
    frames = distorted(digits, translation=1.0)
    across = (frames.sum(1) @ (torch.arange(28) + 0.5)) / frames.sum((1, 2))
    assert across.std() == pytest.approx(1, abs=0.2)


def test_bent_digits_differ_and_keep_their_ink(digits: LabelledImages) -> None:
    straight, bent = distorted(digits, rotation=1e-9), distorted(digits, elastic=1.5)
    assert (straight - bent).abs().mean() > 0.02
    assert bent.mean() == pytest.approx(straight.mean().item(), rel=0.1)


def test_thickness_changes_how_much_ink_there_is(digits: LabelledImages) -> None:
    ratio = distorted(digits, thickness=1.0).mean((1, 2)) / distorted(digits, rotation=1e-9).mean((1, 2))
    assert ratio.quantile(0.9) > 1.3
    assert ratio.quantile(0.1) < 1.15


def test_redrawn_digits_have_an_even_pen(digits: LabelledImages) -> None:
    """MNIST's pens differ between writers; in redrawn digits, ink depends far more on the length of the lines."""
    redrawn = distorted(digits, redrawn=1.0)
    assert ((redrawn > 0.1) & (redrawn < 0.9)).float().mean() < 0.2, "edges are crisp"
    assert redrawn.amax((1, 2)).min() > 0.8
    likeness = torch.nn.functional.cosine_similarity(
        redrawn.flatten(1), distorted(digits, rotation=1e-9).flatten(1), dim=1
    )
    assert likeness.median() > 0.75


def test_shares_are_kept(digits: LabelledImages) -> None:
    recipe = Recipe(non_digits=0.3, untouched=0.5, rotation=15.0)
    augmenter = Augmenter(recipe, digits, CPU)
    results = [augmenter(EVERYTHING) for _ in range(20)]
    labels = torch.stack([labels for _, labels in results])
    assert (labels == NOT_A_DIGIT).float().mean() == pytest.approx(0.3, abs=0.03)
    originals = torch.from_numpy(digits.images).float() / 255
    same = torch.stack([torch.isclose(frames, originals).all(dim=(1, 2)) for frames, _ in results])
    assert same[labels != NOT_A_DIGIT].float().mean() == pytest.approx(0.5, abs=0.03)
    assert not same[labels == NOT_A_DIGIT].any()


def test_everything_untouched_is_mnist_itself(digits: LabelledImages) -> None:
    frames = distorted(digits, rotation=15.0, untouched=1.0)
    assert torch.equal(frames, torch.from_numpy(digits.images).float() / 255)


def test_a_shifted_batch_moves_as_one() -> None:
    image = torch.zeros(1, 28, 28)
    image[0, 14, 14] = 1
    places = {
        tuple(shift_batch(image, 2, torch.Generator().manual_seed(seed))[0].nonzero()[0].tolist())
        for seed in range(300)
    }
    assert places == {(down, right) for down in range(12, 17) for right in range(12, 17)}
