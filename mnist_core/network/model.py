"""The network: a multilayer perceptron, and the forward pass over many images."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

INFERENCE_BATCH = 2000  # images; bounds the memory of a forward pass


class MLP(nn.Module):
    """Fully connected layers with ReLU between them, from the pixels to one logit per digit.

    `MLP((784, 100, 100, 10))` is the network of the article's text, `MLP((784, 100, 10))` that of its listing.
    """

    def __init__(self, sizes: Sequence[int] = (784, 100, 100, 10)) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.layers = nn.ModuleList(nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes))

    def forward(self, images: Tensor, drop: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Return the logits (n, 10) of images (n, 28, 28) or (n, 784) with values in [0, 1].

        `drop` is applied to the activations of each hidden layer; training uses it for dropout.
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
        """Return the activations (n, units) of each hidden layer, after its ReLU, for images as in `forward`."""
        layers, activations = [], images.flatten(1)
        for layer in list(self.layers)[:-1]:
            activations = torch.relu(layer(activations))
            layers.append(activations)
        return layers


def scale_pixels(frames: NDArray[np.uint8] | Tensor) -> Tensor:
    """Return frames (n, 28, 28) of 0 to 255 as a float tensor of 0 to 1, the form the network takes."""
    pixels = frames if isinstance(frames, Tensor) else torch.from_numpy(np.ascontiguousarray(frames))
    return pixels.float().div_(255)


@torch.inference_mode()
def batched_logits(model: MLP, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the logits (n, 10) of frames (n, 28, 28), computed in batches so that memory stays bounded."""
    logits: NDArray[np.float32] = logits_in_batches(model, torch.from_numpy(np.ascontiguousarray(frames))).numpy()
    return logits


@torch.no_grad()
def logits_in_batches(model: MLP, images: Tensor) -> Tensor:
    """Return the logits (n, 10) of images (n, 28, 28), uint8 or scaled to [0, 1]; `batched_logits` for tensors."""
    batches = torch.tensor_split(images, max(1, len(images) // INFERENCE_BATCH))
    return torch.cat([model(scale_pixels(batch) if batch.dtype == torch.uint8 else batch) for batch in batches])
