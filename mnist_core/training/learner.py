"""One training step: a network, its loss and its optimizers, with the state that a checkpoint needs."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mnist_core.network.model import MLP
from mnist_core.recipes import Recipe
from mnist_core.training import parallel
from mnist_core.training.batches import number_format
from mnist_core.training.gradients import Backpropagation
from mnist_core.training.optimizers import WeightAverage, learning_rates, make_optimizers


class Learner:
    """Trains a network step by step, as a recipe says."""

    def __init__(self, recipe: Recipe, images: int, device: torch.device) -> None:
        """Make a new network to train on `images` images; its first weights depend only on the recipe's seed."""
        self.model = _new_model(recipe).to(device)
        self.network = parallel.shared(self.model)
        self.loss = loss_function(recipe)
        self.rates = learning_rates(recipe, recipe.epochs * recipe.steps_per_epoch(images))
        self.steps = 0
        self.parameters: list[Tensor] = list(self.model.parameters())
        self.optimizers = make_optimizers(self.model, recipe)
        self.average = WeightAverage(self.model, recipe.averaging) if recipe.averaging else None
        self.precision = number_format(recipe, device)
        self.dropout = Dropout(recipe, device) if recipe.dropout else None
        plain = parallel.processes() == 1 and not recipe.dropout and recipe.precision == "float32"
        self.backpropagation = Backpropagation(self.model, recipe.loss) if plain else None

    @property
    def result(self) -> MLP:
        """The trained network: the average of the weights if the recipe averages them."""
        return self.average.model if self.average else self.model

    def step(self, images: Tensor, targets: Tensor, images_of_all: int) -> Tensor:
        """Learn from a batch, or from this process's share of a batch of `images_of_all`; return the mean loss."""
        if self.backpropagation is None:
            loss, gradients = self._autograd(images, targets, images_of_all)
            self._update(gradients)
            return loss
        # Adam's moving averages of pixels that are rarely inked decay to denormal numbers, which take twice as long
        torch.set_flush_denormal(True)
        try:
            loss = self.backpropagation(images, targets)
            self._update(self.backpropagation.gradients)
        finally:
            torch.set_flush_denormal(False)
        return loss

    @torch.no_grad()
    def _update(self, gradients: list[Tensor]) -> None:
        """Update the weights from their gradients with the learning rate of this step."""
        rate = self.rates[self.steps]
        self.steps += 1
        for optimizer, places in self.optimizers:
            optimizer.step([gradients[place] for place in places], rate)
        if self.average:
            self.average.update()

    def _autograd(self, images: Tensor, targets: Tensor, images_of_all: int) -> tuple[Tensor, list[Tensor]]:
        """Return the mean loss of a batch and its gradients, averaged over all processes."""
        with self.precision:
            logits = self.network(images, self.dropout)
        # this process's share of a short last batch may be empty
        loss: Tensor = self.loss(logits.float(), targets) if len(images) else logits.sum()
        if parallel.processes() == 1:
            return loss.detach(), list(torch.autograd.grad(loss, self.parameters))
        for parameter in self.parameters:
            parameter.grad = None
        # the mean over processes must be the mean over images, even if a last batch does not divide evenly
        (loss * (len(images) * parallel.processes() / images_of_all)).backward()  # type: ignore[no-untyped-call]
        return loss.detach(), [parameter.grad for parameter in self.parameters if parameter.grad is not None]

    def state(self) -> dict[str, Tensor]:
        """Return all tensors that a step changes; not copies."""
        parts: dict[str, Mapping[str, Tensor]] = {"model": self.model.state_dict()}
        for number, (optimizer, _) in enumerate(self.optimizers):
            parts[f"optimizer{number}"] = optimizer.state()
        if self.average:
            parts["average"] = self.average.model.state_dict()
        if self.dropout:
            parts["dropout"] = {"generator": self.dropout.generator.get_state()}
        return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}

    def restore(self, state: Mapping[str, Tensor], steps: int) -> None:
        """Restore the `state` after `steps` steps."""
        self.steps = steps
        self.model.load_state_dict(part_of(state, "model"))
        for number, (optimizer, _) in enumerate(self.optimizers):
            optimizer.restore(part_of(state, f"optimizer{number}"))
        if self.average:
            self.average.model.load_state_dict(part_of(state, "average"))
            self.average.steps = steps
        if self.dropout:
            self.dropout.generator.set_state(state["dropout.generator"])


class Dropout:
    """Dropout (Srivastava et al. 2014) with its own random generator, whose state a checkpoint can hold."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        self.share = recipe.dropout
        self.generator = torch.Generator(device).manual_seed(recipe.seed + parallel.rank())

    def __call__(self, activations: Tensor) -> Tensor:
        kept = torch.rand(activations.shape, generator=self.generator, device=activations.device) >= self.share
        return activations * kept / (1 - self.share)


def part_of(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with `part` and a dot, by the rest of their names."""
    return {name.removeprefix(f"{part}."): tensor for name, tensor in state.items() if name.startswith(f"{part}.")}


def loss_function(recipe: Recipe) -> nn.Module:
    """Return the recipe's loss of logits (n, 10) against targets (n, 10): the mean over images."""
    return nn.BCEWithLogitsLoss() if recipe.loss == "bce" else nn.CrossEntropyLoss()


def _new_model(recipe: Recipe) -> MLP:
    """Make a network whose first weights depend only on the seed; torch's global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return MLP(recipe.layer_sizes)
