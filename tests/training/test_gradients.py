"""The gradients written by hand, against autograd."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from mnist_core.network.model import MLP
from mnist_core.recipes import Loss
from mnist_core.training.gradients import Backpropagation

SIZES = [(784, 10), (784, 30, 10), (784, 100, 100, 10), (784, 20, 30, 5, 10)]


def batch(size: int, seed: int, *, soft: bool = False) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    images = torch.rand(size, 28, 28, generator=random) * (torch.rand(size, 28, 28, generator=random) < 0.3)
    if soft:
        return images, torch.rand(size, 10, generator=random).softmax(1)
    return images, nn.functional.one_hot(torch.randint(0, 10, (size,), generator=random), 10).float()


def reference(model: MLP, loss: Loss, images: Tensor, targets: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    function = nn.BCEWithLogitsLoss() if loss == "bce" else nn.CrossEntropyLoss()
    value = function(model(images), targets)
    return value.detach(), torch.autograd.grad(value, list(model.parameters()))


def furthest(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    """Return the largest difference between two lists of gradients."""
    return max((one - other).abs().max().item() for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("loss", ["bce", "ce"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_gradients_are_those_of_autograd(sizes: tuple[int, ...], loss: Loss) -> None:
    torch.manual_seed(len(sizes))
    model = MLP(sizes)
    backpropagation = Backpropagation(model, loss)
    for seed, size in enumerate((32, 32, 1, 7, 300, 32)):  # a short batch between full ones, as at the end of an epoch
        images, targets = batch(size, seed, soft=seed % 2 == 1)
        value, expected = reference(model, loss, images, targets)
        assert backpropagation(images, targets).item() == pytest.approx(value.item(), abs=1e-6)
        assert [one.shape for one in backpropagation.gradients] == [one.shape for one in expected]
        assert furthest(backpropagation.gradients, expected) < 1e-6
        assert min(one.abs().max() for one in expected) > 1e-4, "the gradients are far larger than the tolerance"


@pytest.mark.parametrize("loss", ["bce", "ce"])
def test_large_logits_keep_the_loss_and_the_gradients_finite(loss: Loss) -> None:
    torch.manual_seed(0)
    model = MLP((784, 20, 10))
    with torch.no_grad():
        model.layers[-1].bias.copy_(torch.linspace(-200, 200, 10))
    images, targets = batch(16, 0)
    value, expected = reference(model, loss, images, targets)
    backpropagation = Backpropagation(model, loss)
    assert backpropagation(images, targets).item() == pytest.approx(value.item(), rel=1e-6)
    assert all(
        (ours - theirs).abs().max() < 1e-6 for ours, theirs in zip(backpropagation.gradients, expected, strict=True)
    )


def test_gradients_follow_the_weights_when_these_change() -> None:
    torch.manual_seed(0)
    model = MLP((784, 30, 10))
    backpropagation = Backpropagation(model, "bce")
    images, targets = batch(32, 0)
    backpropagation(images, targets)
    model.load_state_dict(MLP((784, 30, 10)).state_dict())
    value, expected = reference(model, "bce", images, targets)
    assert backpropagation(images, targets).item() == pytest.approx(value.item(), abs=1e-6)
    assert all(
        (ours - theirs).abs().max() < 1e-6 for ours, theirs in zip(backpropagation.gradients, expected, strict=True)
    )
