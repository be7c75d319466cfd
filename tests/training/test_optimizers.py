"""Optimizers against torch's own classes."""

import dataclasses

import pytest
import torch
from torch import nn

from mnist_core import RECIPES
from mnist_core.network.model import MLP
from mnist_core.training.optimizers import WeightAverage, make_optimizers

SIZES = (784, 20, 15, 10)


def steps(model: MLP, take: object) -> None:
    """Five steps on random images; `take(gradients)` moves the weights."""
    random = torch.Generator().manual_seed(1)
    for _ in range(5):
        images, labels = torch.rand(32, 784, generator=random), torch.randint(0, 10, (32,), generator=random)
        loss = nn.functional.cross_entropy(model(images), labels)
        take(torch.autograd.grad(loss, list(model.parameters())))  # type: ignore[operator]


def ours(optimizer: str, weight_decay: float) -> MLP:
    torch.manual_seed(0)
    model = MLP(SIZES)
    recipe = dataclasses.replace(RECIPES["quick"], optimizer=optimizer, weight_decay=weight_decay)
    optimizers = make_optimizers(model, recipe)

    def take(gradients: tuple[torch.Tensor, ...]) -> None:
        with torch.no_grad():
            for each, places in optimizers:
                each.step([gradients[place] for place in places], 0.01)

    steps(model, take)
    return model


def reference(optimizer: str, weight_decay: float) -> MLP:
    torch.manual_seed(0)
    model = MLP(SIZES)
    matrices = [layer.weight for layer in model.layers]
    biases = [layer.bias for layer in model.layers]
    if optimizer == "adam":
        torchs = [torch.optim.Adam(model.parameters(), lr=0.01)]
    elif optimizer == "adamw":
        groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0}]
        torchs = [torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.99))]
    else:
        rest = [{"params": matrices[-1:], "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0}]
        torchs = [
            torch.optim.Muon(
                matrices[:-1], lr=0.01, weight_decay=weight_decay, momentum=0.95, adjust_lr_fn="match_rms_adamw"
            ),
            torch.optim.AdamW(rest, lr=0.01, betas=(0.9, 0.99)),
        ]

    def take(gradients: tuple[torch.Tensor, ...]) -> None:
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter.grad = gradient
        for each in torchs:
            each.step()

    steps(model, take)
    return model


@pytest.mark.parametrize(("optimizer", "weight_decay"), [("adam", 0.0), ("adamw", 0.1), ("muon", 0.0), ("muon", 0.1)])
def test_steps_are_torchs(optimizer: str, weight_decay: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.float)  # in which torch's Muon computes
    mine, torchs = ours(optimizer, weight_decay).state_dict(), reference(optimizer, weight_decay).state_dict()
    assert all(torch.allclose(mine[key], torchs[key], atol=1e-5) for key in torchs)


def test_an_average_follows_the_weights_and_forgets_the_start() -> None:
    model = MLP((784, 10))
    average = WeightAverage(model, keep=0.99)
    weight = model.layers[0].weight
    with torch.no_grad():
        for step in range(4000):
            weight.fill_(1 + (step // 4) % 2)  # 1 and 2 in turn
            average.update()
    assert average.model.layers[0].weight.mean().item() == pytest.approx(1.5, abs=0.02)
    assert weight.mean().item() in (1, 2)
