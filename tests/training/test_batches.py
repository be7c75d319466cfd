"""Training batches: images and targets, with and without distortions and a teacher."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mnist_core import RECIPES, DigitClassifier, Recipe
from mnist_core.errors import WeightsError
from mnist_core.images.datasets import NOT_A_DIGIT, Dataset, LabelledImages
from mnist_core.network.model import MLP
from mnist_core.recipes import Loss
from mnist_core.training.batches import Batches, make_targets
from mnist_core.versions import registry

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def digits(sample: Dataset) -> LabelledImages:
    return sample.train.part("100 digits", sample.train.labels[:100].argsort())


def batch(recipe: Recipe, digits: LabelledImages, teacher: MLP | None = None) -> tuple[Tensor, Tensor]:
    batches = Batches(recipe, digits, CPU, torch.Generator().manual_seed(0), teacher)
    ((images, targets),) = batches.of([torch.arange(len(digits))])
    return images, targets


def test_plain_images_are_shown_as_they_are(digits: LabelledImages) -> None:
    images, targets = batch(Recipe(), digits)
    assert torch.equal(images, torch.from_numpy(digits.images) / 255)
    assert targets.argmax(1).tolist() == digits.labels.tolist()


@pytest.mark.parametrize("recipe", [Recipe(), replace(RECIPES["best"], epochs=1)], ids=lambda recipe: recipe.name)
def test_batches_come_in_order_and_none_is_left_out(recipe: Recipe, digits: LabelledImages) -> None:
    batches = Batches(recipe, digits, CPU, torch.Generator().manual_seed(0), registry.teacher_of(recipe))
    sizes = [len(images) for images, _ in batches.of(torch.arange(100).split(32))]
    assert sizes == [32, 32, 32, 4]


@pytest.mark.parametrize(("loss", "nothing"), [("bce", 0.0), ("ce", 0.1)])
def test_no_digit_has_no_target(loss: Loss, nothing: float) -> None:
    targets = make_targets(torch.tensor([3, NOT_A_DIGIT]), Recipe(loss=loss))
    assert targets[0].tolist() == [0, 0, 0, 1, *[0] * 6]
    assert targets[1].tolist() == pytest.approx([nothing] * 10)


def test_smoothing_spreads_its_share() -> None:
    targets = make_targets(torch.tensor([3]), Recipe(label_smoothing=0.1))
    assert targets[0].tolist() == pytest.approx([0.01] * 3 + [0.91] + [0.01] * 6)


def test_a_teacher_gives_the_targets_of_the_very_images_shown(digits: LabelledImages) -> None:
    teacher = DigitClassifier.load(registry.find("article")).model
    for loss, squash in (("bce", torch.sigmoid), ("ce", lambda logits: logits.softmax(1))):
        recipe = Recipe(loss=loss, teacher="article", rotation=15.0)  # type: ignore[arg-type]
        images, targets = batch(recipe, digits, teacher)
        with torch.no_grad():
            assert torch.allclose(targets, squash(teacher(images)), atol=1e-6)


def test_a_teacher_that_is_not_there_is_named() -> None:
    with pytest.raises(WeightsError, match="'nobody'"):
        registry.teacher_of(Recipe(teacher="nobody"))
