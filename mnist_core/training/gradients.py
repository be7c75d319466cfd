"""The gradients of the network written out by hand, in buffers that are allocated once.

On batches this small, autograd's bookkeeping and allocations take longer than the matrix products. `Backpropagation`
gives the same gradients as autograd, up to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mnist_core.network.model import MLP
from mnist_core.recipes import Loss

_mask_inactive = torch.ops.aten.threshold_backward.grad_input
"""Zeroes gradients where the ReLU's activation is 0."""


@dataclass(frozen=True)
class _Buffers:
    """What the passes through a batch write: activations and the gradients of the layers' outputs, layer by layer."""

    activations: list[Tensor]
    deltas: list[Tensor]
    transposed_deltas: list[Tensor]
    ones: Tensor
    """(n,); a product with it sums over a batch faster than `torch.sum`."""

    @classmethod
    def allocate(cls, images: int, like: Sequence[Tensor]) -> "_Buffers":
        """Allocate buffers for batches of so many images, for layers with biases `like`."""
        activations = [bias.new_empty(images, len(bias)) for bias in like]
        deltas = [bias.new_empty(images, len(bias)) for bias in like]
        return cls(activations, deltas, [delta.t() for delta in deltas], like[0].new_ones(images))


class Backpropagation:
    """Computes the loss of an MLP and its gradients, for float32 and without dropout."""

    def __init__(self, model: MLP, loss: Loss) -> None:
        parameters = [parameter.detach() for parameter in model.parameters()]  # shares memory with the model
        self.weights, self.biases = parameters[::2], parameters[1::2]
        self.transposed_weights = [weight.t() for weight in self.weights]
        self.loss = loss
        self.gradients = [torch.empty_like(parameter) for parameter in parameters]
        """The gradients that the last call computed, in the order of `model.parameters()`; the next overwrites them."""
        self._buffers: dict[int, _Buffers] = {}

    @torch.no_grad()
    def __call__(self, images: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of images (n, 28, 28) against targets (n, 10) and compute its gradients.

        With `ce`, the targets of each image must sum to 1.
        """
        size = len(images)
        if size not in self._buffers:
            self._buffers[size] = _Buffers.allocate(size, self.biases)
        buffers = self._buffers[size]
        inputs = [images.reshape(size, -1), *buffers.activations[:-1]]
        logits = self._forward(inputs, buffers.activations)
        compute_loss = _bce if self.loss == "bce" else _ce
        loss = compute_loss(logits, targets, buffers.deltas[-1])
        self._backward(inputs, buffers)
        return loss

    def _forward(self, inputs: list[Tensor], activations: list[Tensor]) -> Tensor:
        last = len(activations) - 1
        for layer, output in enumerate(activations):
            torch.addmm(self.biases[layer], inputs[layer], self.transposed_weights[layer], out=output)
            if layer < last:
                output.relu_()
        return activations[last]

    def _backward(self, inputs: list[Tensor], buffers: _Buffers) -> None:
        for layer in reversed(range(len(inputs))):
            delta = buffers.deltas[layer]
            torch.mm(buffers.transposed_deltas[layer], inputs[layer], out=self.gradients[2 * layer])
            torch.mv(buffers.transposed_deltas[layer], buffers.ones, out=self.gradients[2 * layer + 1])
            if layer > 0:
                before = buffers.deltas[layer - 1]
                torch.mm(delta, self.weights[layer], out=before)
                _mask_inactive(before, inputs[layer], 0, grad_input=before)


def _bce(logits: Tensor, targets: Tensor, delta: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of logits (n, 10) and write its gradient to `delta`."""
    count = logits.numel()
    torch.sigmoid(logits, out=delta).sub_(targets).div_(count)
    return softplus(logits).addcmul_(logits, targets, value=-1).mean()


def _ce(logits: Tensor, targets: Tensor, delta: Tensor) -> Tensor:
    """Return the mean softmax cross-entropy of logits (n, 10) and write its gradient to `delta`."""
    count = len(logits)
    log_probabilities = torch.log_softmax(logits, 1)
    torch.exp(log_probabilities, out=delta).sub_(targets).div_(count)
    return torch.dot(log_probabilities.view(-1), targets.view(-1)).div_(-count)
