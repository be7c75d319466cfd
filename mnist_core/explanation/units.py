"""The hidden units of a network: how active each is for a drawing, which ink it looks for, what it adds to each digit's
logit, and which connections are strongest."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mnist_core.images.framing import FRAME
from mnist_core.network.model import MLP, scale_pixels

FAINTER, CONTRAST = 0.995, 0.7
"""The quantile of a unit's weights that is drawn at full strength, and the power that makes faint ones visible."""
PATCH = 4
"""Side in pixels of the patches over which a frame's connections are summed; one pixel alone says little."""


@dataclass(frozen=True)
class HiddenLayer:
    """A hidden layer while the network classifies one frame."""

    activations: NDArray[np.float32]
    """(units,), 0 or more."""
    looks_for: NDArray[np.float32]
    """How ink at each pixel excites (above 0) or inhibits each unit (units, 28, 28): in the first layer its weights, in
    a later layer the weights through the earlier units that are active for this frame."""
    says: NDArray[np.float32]
    """What each unit adds to each logit (units, 10), through the later units that are active."""
    incoming: NDArray[np.float32]
    """What each unit gets from each unit, or pixel, of the layer before (units, units before): the activation there
    times the weight between them."""

    @property
    def speaks_for(self) -> NDArray[np.float32]:
        """How much each unit speaks for (above 0) or against each digit (units, 10), compared with the average of all
        ten: what raises all logits alike speaks for none."""
        spoken: NDArray[np.float32] = self.says - self.says.mean(axis=1, keepdims=True)
        return spoken

    @property
    def active(self) -> int:
        """The number of units with an activation above 0."""
        return int(np.count_nonzero(self.activations))

    @property
    def strongest_first(self) -> NDArray[np.intp]:
        """The units (units,) sorted by activation, the strongest first."""
        return np.argsort(-self.activations, kind="stable")


@torch.inference_mode()
def look_inside(model: MLP, frame: NDArray[np.uint8]) -> list[HiddenLayer]:
    """Return all hidden layers, the first one first, while `model` classifies a frame (28, 28) uint8."""
    pixels = scale_pixels(frame[None])
    activations = [layer[0] for layer in model.activations(pixels)]
    weights = [parameter.detach() for parameter in model.parameters()][::2]
    says = [weights[-1]]
    for weight, after in zip(reversed(weights[1:-1]), reversed(activations[1:]), strict=True):
        says.insert(0, (says[0] * (after > 0)) @ weight)
    layers: list[HiddenLayer] = []
    looks_for, before = weights[0].clone(), pixels.flatten()
    for weight, activation, said in zip(weights[:-1], activations, says, strict=True):
        if layers:
            passes = before > 0  # skips the inactive units, which are the majority
            looks_for = weight[:, passes] @ looks_for[passes]
        layers.append(
            HiddenLayer(
                activations=activation.numpy(),
                looks_for=looks_for.reshape(-1, FRAME, FRAME).numpy(),
                says=(said * activation).T.numpy(),
                incoming=(weight * before).numpy(),
            )
        )
        before = activation
    return layers


@dataclass(frozen=True)
class Connection:
    """What one unit, or patch of the frame, passes on to a unit of the next layer."""

    source: int
    target: int
    strength: float
    """Above 0 it excites the target, below 0 it inhibits it."""


def strongest_connections(
    carried: NDArray[np.float32], sources: NDArray[np.intp], targets: NDArray[np.intp], each: int = 4
) -> list[Connection]:
    """Return the strongest `each` connections into every target and out of every source, the strongest of all first.

    Args:
        carried: what flows to each target from each source (all targets, all sources), as in `HiddenLayer.incoming`.
        sources: places of the sources to include; a `Connection` counts within these, from 0.
        targets: the same for targets.
        each: how many connections to keep for each unit.
    """
    among = carried[np.ix_(targets, sources)]
    strength = np.abs(among)
    into, out = np.argsort(-strength, axis=1)[:, :each], np.argsort(-strength, axis=0)[:each]
    kept = np.zeros(among.shape, bool)
    np.put_along_axis(kept, into, True, axis=1)
    np.put_along_axis(kept, out, True, axis=0)
    ends = np.argwhere(kept & (among != 0))
    found = [Connection(int(source), int(target), float(among[target, source])) for target, source in ends]
    return sorted(found, key=lambda connection: -abs(connection.strength))


def by_patch(incoming: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum what units get from each pixel (units, 784) over patches of the frame (units, 49)."""
    side = FRAME // PATCH
    patches: NDArray[np.float32] = incoming.reshape(-1, side, PATCH, side, PATCH).sum(axis=(2, 4)).reshape(-1, side**2)
    return patches


def with_contrast(looks_for: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale what units look for (n, 28, 28) to −1 to 1, so that more than the few strongest weights are visible."""
    most = np.quantile(np.abs(looks_for), FAINTER, axis=(1, 2), keepdims=True).clip(1e-12)
    strength = (looks_for / most).clip(-1, 1)
    seen: NDArray[np.float32] = np.sign(strength) * np.abs(strength) ** CONTRAST
    return seen
