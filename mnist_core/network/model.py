"""The network: a multilayer perceptron."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class MLP(nn.Module):
    """Fully connected layers with ReLU between them, from the pixels to one logit a digit.

    `MLP((784, 100, 100, 10))` is the network of the article's text, `MLP((784, 100, 10))` of its listing.
    """

    def __init__(self, sizes: Sequence[int] = (784, 100, 100, 10)) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.layers = nn.ModuleList(nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes))

    def forward(self, images: Tensor, drop: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Logits (n, 10) of images (n, 28, 28) or (n, 784) with values in [0, 1].

        `drop`, while the network learns, is applied to the activations of each hidden layer.
        """
        *hidden, output = self.layers
        activations = images.flatten(1)
        for layer in hidden:
            activations = torch.relu(layer(activations))
            if drop is not None:
                activations = drop(activations)
        logits: Tensor = output(activations)
        return logits

    def activations(self, images: Tensor) -> list[Tensor]:
        """What each hidden layer makes (n, units) of images (n, 28, 28) or (n, 784), after its ReLU."""
        layers, given = [], images.flatten(1)
        for layer in list(self.layers)[:-1]:
            given = torch.relu(layer(given))
            layers.append(given)
        return layers


def scale_pixels(frames: NDArray[np.uint8] | Tensor) -> Tensor:
    """What the network is fed: frames (n, 28, 28) of 0…255 as a float tensor of 0…1."""
    pixels = frames if isinstance(frames, Tensor) else torch.from_numpy(np.ascontiguousarray(frames))
    return pixels.float().div_(255)
