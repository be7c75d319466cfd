"""Optimizers, learning-rate schedules and the moving average of the weights.

The arithmetic is torch's kernels, called directly: the bookkeeping of `torch.optim.Adam.step` would take an eighth of a
step this small.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.optim.sgd import sgd

from mnist_core.network.model import MLP
from mnist_core.recipes import Recipe

MUON_MOMENTUM = 0.95
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


class Muon(_Stateful):
    """Muon (Jordan et al. 2024): orthogonalized momentum of weight matrices, with updates as large as AdamW's.

    `torch.optim.Muon` computes in bfloat16, for which many processors have no instructions: there, a step of a network
    of 100 units takes 15 times as long.
    """

    def __init__(self, matrices: Sequence[Tensor], *, weight_decay: float) -> None:
        self.matrices = list(matrices)
        self.weight_decay = weight_decay
        self.moves = [torch.zeros_like(matrix) for matrix in matrices]
        self.memory = {"moves": self.moves}

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Update each matrix from its gradient with learning rate `rate`."""
        for matrix, gradient, move in zip(self.matrices, gradients, self.moves, strict=True):
            move.lerp_(gradient, 1 - MUON_MOMENTUM)
            direction = orthogonalized(gradient.lerp(move, MUON_MOMENTUM))  # Nesterov's momentum
            matrix.mul_(1 - rate * self.weight_decay)
            matrix.add_(direction, alpha=-rate * 0.2 * math.sqrt(max(matrix.shape)))  # AdamW's size (Liu et al. 2025)


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return about the orthogonal matrix that is nearest to a matrix (m, n), by five steps of Newton and Schulz."""
    upright = matrix.shape[0] > matrix.shape[1]
    wide = matrix.t() if upright else matrix
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(5):
        square = wide @ wide.t()
        # the coefficients of Jordan et al.: fastest to bring all singular values near 1
        mixed = torch.addmm(square, square, square, beta=-4.775, alpha=2.0315)
        wide = torch.addmm(wide, mixed, wide, beta=3.4445)
    return wide.t() if upright else wide


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
