"""The hidden units of a network: how active each is for a drawing, what ink it looks for, what it says for each
digit."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mnist_core.model import MLP, scale_pixels
from mnist_core.preprocessing import FRAME


@dataclass(frozen=True)
class HiddenLayer:
    """A hidden layer while the network reads one frame."""

    activations: NDArray[np.float32]
    """(units,), 0 or more."""
    looks_for: NDArray[np.float32]
    """How ink at each pixel excites (above 0) or inhibits each unit (units, 28, 28): in the first layer its weights, in
    a later one weights through the units before it that are active for this frame."""
    says: NDArray[np.float32]
    """What each unit adds to each logit now (units, 10), through the units behind it that are active."""
    incoming: NDArray[np.float32]
    """What each unit gets now from each unit, or pixel, of the layer before (units, units before): the one's activation
    times the weight between them."""

    @property
    def strongest_first(self) -> NDArray[np.intp]:
        """Units (units,) by activation."""
        return np.argsort(-self.activations, kind="stable")


@torch.inference_mode()
def look_inside(model: MLP, frame: NDArray[np.uint8]) -> list[HiddenLayer]:
    """All hidden layers, from the pixels on, while `model` reads a frame (28, 28) uint8."""
    pixels = scale_pixels(frame[None])
    activations = [layer[0] for layer in model.activations(pixels)]
    weights = [parameter.detach() for parameter in model.parameters()][::2]
    says = [weights[-1]]
    for weight, after in zip(reversed(weights[1:-1]), reversed(activations[1:]), strict=True):
        says.insert(0, (says[0] * (after > 0)) @ weight)
    layers, looks_for, before = [], torch.eye(FRAME * FRAME), pixels.flatten()
    for weight, activation, said in zip(weights[:-1], activations, says, strict=True):
        looks_for = weight @ looks_for
        layers.append(
            HiddenLayer(
                activations=activation.numpy(),
                looks_for=looks_for.reshape(-1, FRAME, FRAME).numpy(),
                says=(said * activation).T.numpy(),
                incoming=(weight * before).numpy(),
            )
        )
        looks_for, before = looks_for * (activation > 0)[:, None], activation
    return layers
