"""How weights follow their gradients: optimizers, the learning rate of each step, and running means of weights.

The arithmetic is torch's. `torch.optim.Adam.step` would add bookkeeping that takes an eighth of a step this small.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from mnist_core.network.model import MLP
from mnist_core.recipes import Recipe

AVERAGED_EVERY = 4
"""Steps; between one step and the next, weights hardly differ."""


class Optimizer(Protocol):
    """Moves the parameters it was made for."""

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Move each parameter by its gradient, with learning rate `rate`."""

    def state(self) -> dict[str, Tensor]:
        """What it remembers of earlier steps; not a copy."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave."""


class _Remembering:
    """Keeps what it remembers of earlier steps in lists of tensors, one for each parameter."""

    memory: dict[str, list[Tensor]]

    def state(self) -> dict[str, Tensor]:
        """What it remembers of earlier steps; not a copy."""
        return {f"{name}.{place}": tensor for name, held in self.memory.items() for place, tensor in enumerate(held)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])


class Adam(_Remembering):
    """Adam (Kingma & Ba 2015), for all its parameters in one kernel; with `weight_decay`, AdamW."""

    def __init__(self, parameters: Sequence[Tensor], *, beta2: float, weight_decay: float) -> None:
        self.parameters = list(parameters)
        self.beta2 = beta2
        self.weight_decay = weight_decay
        self.means = [torch.zeros_like(parameter) for parameter in parameters]
        self.squares = [torch.zeros_like(parameter) for parameter in parameters]
        self.steps = [torch.zeros((), device=parameter.device) for parameter in parameters]
        self.memory = {"means": self.means, "squares": self.squares, "steps": self.steps}

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Move each parameter by its gradient, with learning rate `rate`."""
        adam(
            self.parameters,
            list(gradients),
            self.means,
            self.squares,
            [],
            self.steps,
            fused=True,
            decoupled_weight_decay=True,
            lr=rate,
            beta1=0.9,
            beta2=self.beta2,
            eps=1e-8,
            weight_decay=self.weight_decay,
            amsgrad=False,
            maximize=False,
        )


class Sgd(_Remembering):
    """Stochastic gradient descent with momentum (Polyak 1964); `weight_decay` adds to the gradient."""

    def __init__(self, parameters: Sequence[Tensor], *, momentum: float, weight_decay: float) -> None:
        self.parameters = list(parameters)
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.moves: list[Tensor | None] = [torch.zeros_like(parameter) for parameter in parameters]
        self.memory = {"moves": [move for move in self.moves if move is not None]}

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Move each parameter by its gradient, with learning rate `rate`."""
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
    """Muon (Jordan et al. 2024): the momentum of a weight matrix, made orthogonal; steps as long as AdamW's."""

    def __init__(self, matrices: Sequence[nn.Parameter], *, weight_decay: float) -> None:
        self.matrices = list(matrices)
        self.optimizer = torch.optim.Muon(
            self.matrices, momentum=0.95, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
        )

    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Move each matrix by its gradient, with learning rate `rate`."""
        self.optimizer.param_groups[0]["lr"] = rate
        for matrix, gradient in zip(self.matrices, gradients, strict=True):
            matrix.grad = gradient
        self.optimizer.step()  # type: ignore[no-untyped-call]

    def state(self) -> dict[str, Tensor]:
        """What it remembers of earlier steps; not a copy."""
        return {
            f"moves.{place}": self.optimizer.state[matrix]["momentum_buffer"]
            for place, matrix in enumerate(self.matrices)
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        for place, matrix in enumerate(self.matrices):
            self.optimizer.state[matrix]["momentum_buffer"] = state[f"moves.{place}"].to(matrix.device, copy=True)


def make_optimizers(model: MLP, recipe: Recipe) -> list[tuple[Optimizer, list[int]]]:
    """The recipe's optimizers, each with the places of its parameters among `model.parameters()`."""
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
        # squares are forgotten sooner than by default, as the learning rate changes all the time
        made.append((Adam(chosen, beta2=0.99, weight_decay=weight_decay), places))
    return made


def learning_rates(recipe: Recipe, steps: int) -> list[float]:
    """The learning rate of each of `steps` steps.

    One-cycle: from 1/25 of the peak up to it over the first tenth, then down to almost nothing, along cosines
    (Smith & Topin 2018, with the shape that torch's `OneCycleLR` gives it).
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
    """A network whose weights are the exponential moving average of another's (Polyak & Juditsky 1992)."""

    def __init__(self, model: MLP, keep: float) -> None:
        """Each step keeps the share `keep` of the average; at the beginning less, to forget the random start."""
        self.source: list[Tensor] = list(model.parameters())
        self.model = copy.deepcopy(model)
        self.averages: list[Tensor] = list(self.model.parameters())
        self.keep = keep
        self.steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after another step."""
        self.steps += 1
        if self.steps % AVERAGED_EVERY == 0:
            keep = min(self.keep, (self.steps + 1) / (self.steps + 10)) ** AVERAGED_EVERY
            torch._foreach_lerp_(self.averages, self.source, 1 - keep)
