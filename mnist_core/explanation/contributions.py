"""Explanations: what each pixel of ink contributes to each digit's logit.

For one drawing, a network of linear layers with ReLU is a linear map: active units pass on their input, the others
nothing. Each logit is therefore the sum of a constant and the pixels' contributions: the weight through the active
units times the ink. This is gradient × input (Shrikumar et al. 2016). For ReLU it equals layer-wise relevance
propagation with the z-rule (Bach et al. 2015; shown by Ancona et al. 2018), and here it is exact.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnist_core.images.framing import FRAME
from mnist_core.network.model import MLP, scale_pixels

REGIONS = (
    ("top left", "top", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)


@dataclass(frozen=True)
class Explanation:
    """The logits of one frame, split into what its pixels contribute."""

    contributions: NDArray[np.float64]
    """What the ink at each pixel adds to each logit (10, 28, 28); 0 where there is no ink."""
    constants: NDArray[np.float64]
    """What the biases, through the active units, add to each logit (10,)."""
    logits: NDArray[np.float64]
    """The logits (10,): for each digit the sum of its contributions and its constant."""

    def speaks_for(self, digit: int) -> NDArray[np.float64]:
        """Return how much each pixel (28, 28) speaks for (above 0) or against `digit`, compared with all ten digits.

        Probabilities depend only on differences between logits, so ink that raises all of them speaks for none.
        """
        spoken: NDArray[np.float64] = self.contributions[digit] - self.contributions.mean(axis=0)
        return spoken

    def prefers(self, digit: int, other: int) -> NDArray[np.float64]:
        """Return how much each pixel (28, 28) speaks for `digit` and against `other` (above 0), or the reverse."""
        preferred: NDArray[np.float64] = self.contributions[digit] - self.contributions[other]
        return preferred


@torch.inference_mode()
def explain(model: MLP, frame: NDArray[np.uint8]) -> Explanation:
    """Explain what `model` answers to a frame (28, 28) uint8."""
    parameters = list(model.parameters())
    ink = activations = scale_pixels(frame[None]).flatten().to(parameters[0].dtype)
    *hidden, output = zip(parameters[::2], parameters[1::2], strict=True)  # weights and biases, layer by layer
    active = []
    for weight, bias in hidden:
        activations = torch.addmv(bias, weight, activations).relu_()
        active.append(activations.nonzero().flatten())
    logits = torch.addmv(output[1], output[0], activations).double()
    through: Tensor = output[0]
    for (weight, _), units in zip(reversed(hidden), reversed(active), strict=True):
        through = through[:, units] @ weight[units]
    contributions = (through * ink).double()
    constants = logits - contributions.sum(dim=1)
    return Explanation(contributions.reshape(-1, FRAME, FRAME).numpy(), constants.numpy(), logits.numpy())


def strongest_region(contributions: NDArray[np.float64]) -> str:
    """Name the ninth of the inked box in which the contributions (28, 28) above 0 are largest; "" if there are none."""
    spoken = np.maximum(contributions, 0)
    if not spoken.any():
        return ""
    rows, columns = (np.flatnonzero(contributions.any(axis=axis)) for axis in (1, 0))
    box = spoken[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    sums = [[cell.sum() for cell in np.array_split(band, 3, axis=1)] for band in np.array_split(box, 3, axis=0)]
    row, column = np.unravel_index(int(np.argmax(sums)), (3, 3))
    return REGIONS[row][column]
