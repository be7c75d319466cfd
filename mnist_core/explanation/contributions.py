"""Why a network answers as it does: what each pixel of ink adds to each digit's logit.

A network of linear layers with ReLU is, for one drawing, a linear map: the units that are active pass on what they get,
the others pass on nothing. Each logit is therefore a sum of what the pixels contribute, weight through the active units
times ink, and a constant. This is gradient × input (Shrikumar et al. 2016); for ReLU it equals layer-wise relevance
propagation by the z-rule (Bach et al. 2015; the equality: Ancona et al. 2018), and here it is exact.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mnist_core.images.framing import FRAME
from mnist_core.network.model import MLP, scale_pixels

REGIONS = (
    ("top left", "top", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)


@dataclass(frozen=True)
class Explanation:
    """How the logits of one frame come about."""

    contributions: NDArray[np.float64]
    """What the ink at each pixel adds to each logit (10, 28, 28); where there is no ink, nothing."""
    constants: NDArray[np.float64]
    """What the biases of the units that are active add to each logit (10,)."""
    logits: NDArray[np.float64]
    """All contributions of a digit, and its constant, add up to its logit (10,)."""

    def speaks_for(self, digit: int) -> NDArray[np.float64]:
        """For (above 0) or against `digit` (28, 28), beside the average of all ten digits.

        Probabilities depend only on how logits differ; ink that lifts all of them alike speaks for none.
        """
        spoken: NDArray[np.float64] = self.contributions[digit] - self.contributions.mean(axis=0)
        return spoken

    def prefers(self, digit: int, other: int) -> NDArray[np.float64]:
        """For `digit` and against `other` (above 0), or the reverse (28, 28)."""
        preferred: NDArray[np.float64] = self.contributions[digit] - self.contributions[other]
        return preferred


@torch.inference_mode()
def explain(model: MLP, frame: NDArray[np.uint8]) -> Explanation:
    """Explain what `model` answers to a frame (28, 28) uint8."""
    pixels = scale_pixels(frame[None]).flatten().double()
    parameters = list(model.parameters())
    *hidden, output = zip(parameters[::2], parameters[1::2], strict=True)  # weights and biases, layer by layer
    # only pixels with ink and active units take part; the other weights are not even converted to double precision
    inked = part = pixels.nonzero().flatten()
    activations, passed_on = pixels[inked], []
    for weight, bias in hidden:
        weights = weight[:, part].double()
        excitement = weights @ activations + bias.double()
        part = (excitement > 0).nonzero().flatten()
        activations = excitement[part]
        passed_on.append(weights[part])
    through = output[0][:, part].double()
    logits = through @ activations + output[1].double()
    for weights in reversed(passed_on):
        through = through @ weights
    contributions = torch.zeros(len(logits), FRAME * FRAME, dtype=torch.float64)
    contributions[:, inked] = through * pixels[inked]
    constants = logits - contributions.sum(dim=1)
    return Explanation(contributions.reshape(-1, FRAME, FRAME).numpy(), constants.numpy(), logits.numpy())


def erase_ink(frame: NDArray[np.uint8], order: NDArray[np.intp], share: float) -> NDArray[np.uint8]:
    """The frame (28, 28) without `share` of its ink, taken from its pixels in `order`, places (784,) in the flat frame.

    How faithful an explanation is can be measured so: by what an answer loses with the ink that is said to speak most
    for it (Samek et al. 2017).
    """
    ink = frame.flatten().astype(np.int64)
    gone_before = np.cumsum(ink[order]) - ink[order]
    left = ink.copy()
    left[order] -= np.clip(round(share * ink.sum()) - gone_before, 0, ink[order])
    return left.reshape(frame.shape).astype(np.uint8)


def strongest_region(contributions: NDArray[np.float64]) -> str:
    """Where the ink that speaks for lies (28, 28), in words: in which ninth of the inked box most of it is; empty where
    no ink speaks for."""
    spoken = np.maximum(contributions, 0)
    if not spoken.any():
        return ""
    rows, columns = (np.flatnonzero(contributions.any(axis=axis)) for axis in (1, 0))
    box = spoken[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    sums = [[cell.sum() for cell in np.array_split(band, 3, axis=1)] for band in np.array_split(box, 3, axis=0)]
    row, column = np.unravel_index(int(np.argmax(sums)), (3, 3))
    return REGIONS[row][column]
