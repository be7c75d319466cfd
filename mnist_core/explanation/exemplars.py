"""Training digits that explain a network: those that excite each hidden unit most, and those most similar to a drawing
in its last hidden layer."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_core.images.datasets import LabelledImages
from mnist_core.network.model import INFERENCE_BATCH, MLP, scale_pixels

MOST_EXCITING = 10


@dataclass(frozen=True)
class Neighbour:
    """A training digit that is similar to a drawing, in the eyes of the network."""

    place: int
    """Of the image among those that were searched."""
    similarity: float
    """Cosine between the activations of both in the last hidden layer, 0 to 1."""


@dataclass(frozen=True)
class Exemplars:
    """The activations of one network for `images`, in the form that the searches need."""

    images: LabelledImages
    exciting: tuple[NDArray[np.int64], ...]
    """For each hidden layer, the places (units, 10) of the images that excite each unit most, the strongest first; -1
    where fewer images excite the unit."""
    directions: Tensor
    """Each image's activations in the last hidden layer (n, units), scaled to length 1. They are in half precision: for
    a thousand units, all of MNIST would take 200 MB in single precision."""

    @classmethod
    @torch.inference_mode()
    def of(cls, model: MLP, images: LabelledImages) -> Self:
        """Run the network once over all of `images`."""
        excitement = [_Strongest(model.sizes[layer + 1]) for layer in range(len(model.layers) - 1)]
        directions = torch.empty(len(images), model.sizes[-2], dtype=torch.half)  # filled in place: no copy at the end
        for start in range(0, len(images), INFERENCE_BATCH):
            layers = model.activations(scale_pixels(images.images[start : start + INFERENCE_BATCH]))
            for strongest, activations in zip(excitement, layers, strict=True):
                strongest.add(activations, start)
            directions[start : start + len(layers[-1])] = torch.nn.functional.normalize(layers[-1])
        exciting = tuple(strongest.places.T.numpy() for strongest in excitement)
        return cls(images, exciting, directions)

    @torch.inference_mode()
    def nearest(self, model: MLP, frame: NDArray[np.uint8], count: int = 5) -> list[Neighbour]:
        """Return the images most similar to a frame (28, 28), the nearest first (deep k-nearest neighbours, Papernot &
        McDaniel 2018)."""
        direction = _directions(model, frame[None])[0]
        near = (self.directions @ direction.half()).topk(min(4 * count, len(self.images))).indices
        exactly = (_directions(model, self.images.images[near.numpy()]) @ direction).topk(min(count, len(near)))
        return [
            Neighbour(int(near[index]), min(float(similarity), 1.0))
            for similarity, index in zip(exactly.values, exactly.indices, strict=True)
        ]


def _directions(model: MLP, frames: NDArray[np.uint8]) -> Tensor:
    return torch.nn.functional.normalize(model.activations(scale_pixels(frames))[-1])


class _Strongest:
    """The strongest activations of each unit of a layer so far."""

    def __init__(self, units: int) -> None:
        self.activations = torch.zeros(MOST_EXCITING, units)
        self.places = torch.full((MOST_EXCITING, units), -1)

    def add(self, activations: Tensor, start: int) -> None:
        """Add the activations (n, units) of images whose places begin at `start`."""
        places = torch.arange(start, start + len(activations))[:, None].expand_as(activations)
        # earlier images come first, so that they stay if a unit is not excited at all
        both = torch.cat([self.activations, activations])
        self.activations, kept = both.topk(MOST_EXCITING, dim=0)
        self.places = torch.cat([self.places, places]).gather(0, kept)
        self.places[self.activations <= 0] = -1
