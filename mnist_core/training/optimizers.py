"""Optimizers, learning-rate schedules and the moving average of the weights.

The arithmetic is torch's kernels, called directly: the bookkeeping of `torch.optim.Adam.step` would take an eighth of a
step this small.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from mnist_core.network.model import MLP
from mnist_core.recipes import Recipe

AVERAGED_EVERY = 4  # steps; from one step to the next, weights hardly differ


class Optimizer(Protocol):
    """Updates the parameters it was made for."""

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Update each parameter from its gradient with learning rate `rate`."""

    def state(self) -> dict[str, Tensor]:
        """Return the tensors that depend on earlier steps; not copies."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""


class _Stateful:
    """An optimizer whose state is lists of tensors, one tensor for each parameter."""

    memory: dict[str, list[Tensor]]

    def state(self) -> dict[str, Tensor]:
        """Return the tensors that depend on earlier steps; not copies."""
        return {f"{name}.{place}": tensor for name, held in self.memory.items() for place, tensor in enumerate(held)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])


class Adam(_Stateful):
    """Adam (Kingma & Ba 2015), one kernel for all its parameters; with `weight_decay`, AdamW."""

    def __init__(self, parameters: Sequence[Tensor], *, beta2: float, weight_decay: float) -> None:
        self.parameters = list(parameters)
        self.beta2 = beta2
        self.weight_decay = weight_decay
        self.means = [torch.zeros_like(parameter) for parameter in parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in parameters]
        self.steps = [torch.zeros((), device=parameter.device) for parameter in parameters]
        self.memory = {"means": self.means, "squares": self.squares, "steps": self.steps}

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Update each parameter from its gradient with learning rate `rate`."""
        torch._foreach_add_(self.steps, 1)
        torch._fused_adamw_(
            self.parameters,
            list(gradients),
            self.means,
            self.squares,
            [],
            self.steps,
            lr=rate,
            beta1=0.9,
            beta2=self.beta2,
            eps=1e-8,
            weight_decay=self.weight_decay,
            amsgrad=False,
            maximize=False,
        )


class Sgd(_Stateful):
    """Stochastic gradient descent with momentum (Polyak 1964); `weight_decay` adds to the gradient."""

    def __init__(self, parameters: Sequence[Tensor], *, momentum: float, weight_decay: float) -> None:
        self.parameters = list(parameters)
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.moves: list[Tensor | None] = [torch.zeros_like(parameter) for parameter in parameters]
        self.memory = {"moves": [move for move in self.moves if move is not None]}

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Update each parameter from its gradient with learning rate `rate`."""
        sgd(
            self.parameters,
            list(gradients),
            self.moves,
            fused=True,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=rate,
            dampening=0,
            nesterov=False,
            maximize=False,
        )


class Muon:
    """Muon (Jordan et al. 2024): orthogonalized momentum of weight matrices, with updates as large as AdamW's."""

    def __init__(self, matrices: Sequence[nn.Parameter], *, weight_decay: float) -> None:
        self.matrices = list(matrices)
        self.optimizer = torch.optim.Muon(
            self.matrices, momentum=0.95, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
        )

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Update each matrix from its gradient with learning rate `rate`."""
        self.optimizer.param_groups[0]["lr"] = rate
        for matrix, gradient in zip(self.matrices, gradients, strict=True):
            matrix.grad = gradient
        self.optimizer.step()  # type: ignore[no-untyped-call]

    def state(self) -> dict[str, Tensor]:
        """Return the tensors that depend on earlier steps; not copies."""
        return {
            f"moves.{place}": self.optimizer.state[matrix]["momentum_buffer"]
            for place, matrix in enumerate(self.matrices)
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""
        for place, matrix in enumerate(self.matrices):
            self.optimizer.state[matrix]["momentum_buffer"] = state[f"moves.{place}"].to(matrix.device, copy=True)


def make_optimizers(model: MLP, recipe: Recipe) -> list[tuple[Optimizer, list[int]]]:
    """Return the recipe's optimizers, each with the places of its parameters in `model.parameters()`."""
    parameters = list(model.parameters())
    everything = list(range(len(parameters)))
    if recipe.optimizer == "adam":
        return [(Adam(parameters, beta2=0.999, weight_decay=0), everything)]
    matrices = [place for place in everything if parameters[place].ndim == 2]
    biases = [place for place in everything if parameters[place].ndim == 1]
    made: list[tuple[Optimizer, list[int]]] = []
    if recipe.optimizer == "muon":
        *hidden, output = matrices
        made.append((Muon([parameters[place] for place in hidden], weight_decay=recipe.weight_decay), hidden))
        matrices = [output]
    for places, weight_decay in ((matrices, recipe.weight_decay), (biases, 0.0)):
        chosen = [parameters[place] for place in places]
        if recipe.optimizer == "sgd":
            made.append((Sgd(chosen, momentum=recipe.momentum, weight_decay=weight_decay), places))
            continue
        # a shorter memory of squares than the default 0.999, since the learning rate changes all the time
        made.append((Adam(chosen, beta2=0.99, weight_decay=weight_decay), places))
    return made


def learning_rates(recipe: Recipe, steps: int) -> list[float]:
    """Return the learning rate of each of `steps` steps.

    One-cycle rises from 1/25 of the peak over the first tenth and then falls almost to zero, along cosines (Smith &
    Topin 2018, in the shape of torch's `OneCycleLR`).
    """
    if recipe.schedule == "constant":
        return [recipe.learning_rate] * steps
    start, peak, end = recipe.learning_rate / 25, recipe.learning_rate, recipe.learning_rate / 25e4
    top, last = 0.1 * steps - 1, steps - 1

    def between(one: float, other: float, share: float) -> float:
        return other + (one - other) * (1 + math.cos(math.pi * share)) / 2

    return [
        between(start, peak, step / top) if step <= top else between(peak, end, (step - top) / (last - top))
        for step in range(steps)
    ]


class WeightAverage:
    """A network whose weights are the exponential moving average of those of another (Polyak & Juditsky 1992)."""

    def __init__(self, model: MLP, keep: float) -> None:
        """Keep the share `keep` of the average in each step; less at the beginning, to forget the random start."""
        self.source: list[Tensor] = list(model.parameters())
        self.model = copy.deepcopy(model)
        self.averages: list[Tensor] = list(self.model.parameters())
        self.keep = keep
        self.steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Include the weights after another step."""
        self.steps += 1
        if self.steps % AVERAGED_EVERY == 0:
            keep = min(self.keep, (self.steps + 1) / (self.steps + 10)) ** AVERAGED_EVERY
            torch._foreach_lerp_(self.averages, self.source, 1 - keep)
