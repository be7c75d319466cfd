"""What a network has made of the digits it learned from: those that excite each hidden unit most, and those that lie
nearest to a drawing in its last hidden layer."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_core.images.datasets import LabelledImages
from mnist_core.network.model import MLP, scale_pixels

MOST_EXCITING = 10
AT_ONCE = 2000


@dataclass(frozen=True)
class Neighbour:
    """A digit that the network sees much like another."""

    place: int
    """Of the image among those it was looked for in."""
    similarity: float
    """Cosine between the activations of both in the last hidden layer, 0 to 1."""


@dataclass(frozen=True)
class Exemplars:
    """What one network makes of `images`."""

    images: LabelledImages
    exciting: tuple[NDArray[np.int64], ...]
    """For each hidden layer: of each unit, the places (units, 10) of the images that excite it most, the strongest
    first; -1 where fewer excite it at all."""
    directions: Tensor
    """Each image's activations in the last hidden layer (n, units), scaled to length 1; half precision, since all of
    MNIST's would take 200 MB in single for a thousand units."""

    @classmethod
    @torch.inference_mode()
    def of(cls, model: MLP, images: LabelledImages) -> Self:
        """Ask a network about all of `images` once."""
        excitement = [_Strongest(model.sizes[layer + 1]) for layer in range(len(model.layers) - 1)]
        directions = []
        for start in range(0, len(images), AT_ONCE):
            layers = model.activations(scale_pixels(images.images[start : start + AT_ONCE]))
            for strongest, activations in zip(excitement, layers, strict=True):
                strongest.add(activations, start)
            directions.append(torch.nn.functional.normalize(layers[-1]).half())
        exciting = tuple(strongest.places.T.numpy() for strongest in excitement)
        return cls(images, exciting, torch.cat(directions))

    @torch.inference_mode()
    def nearest(self, model: MLP, frame: NDArray[np.uint8], count: int = 5) -> list[Neighbour]:
        """The images most like a frame (28, 28) to the network, the nearest first (deep k-nearest neighbours,
        Papernot & McDaniel 2018)."""
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
        """Take into account images (n, units) whose places begin at `start`."""
        places = torch.arange(start, start + len(activations))[:, None].expand_as(activations)
        # those of before come first, so that they stay where a unit is not excited at all
        both = torch.cat([self.activations, activations])
        self.activations, kept = both.topk(MOST_EXCITING, dim=0)
        self.places = torch.cat([self.places, places]).gather(0, kept)
        self.places[self.activations <= 0] = -1
