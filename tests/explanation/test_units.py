import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mnist_core.explanation.units import by_patch, look_inside, strongest_connections, with_contrast
from mnist_core.images.datasets import Dataset
from mnist_core.network.model import MLP, scale_pixels

SIZES = [(784, 20, 10), (784, 30, 20, 10), (784, 5, 40, 7, 10)]


@pytest.fixture(params=SIZES, ids=["one hidden layer", "two", "three"])
def model(request: pytest.FixtureRequest) -> MLP:
    torch.manual_seed(len(request.param))
    return MLP(request.param)


@pytest.fixture
def frame(sample: Dataset) -> NDArray[np.uint8]:
    return sample.test.images[3]


def biases(model: MLP) -> list[NDArray[np.float32]]:
    return [parameter.detach().numpy() for parameter in model.parameters()][1::2]


def test_activations_are_those_of_the_network(model: MLP, frame: NDArray[np.uint8]) -> None:
    layers, expected = look_inside(model, frame), model.activations(scale_pixels(frame[None]))
    assert len(layers) == len(expected)
    for layer, activations in zip(layers, expected, strict=True):
        assert np.allclose(layer.activations, activations[0].detach(), atol=1e-5)
        assert layer.active == int((activations > 0).sum())
        assert (np.diff(layer.activations[layer.strongest_first]) <= 0).all()


def test_what_comes_in_and_the_bias_sum_to_the_activation_of_each_active_unit(
    model: MLP, frame: NDArray[np.uint8]
) -> None:
    for layer, bias in zip(look_inside(model, frame), biases(model)[:-1], strict=True):
        total = layer.incoming.sum(axis=1) + bias
        assert np.allclose(np.maximum(total, 0), layer.activations, atol=1e-4)
        if layer.incoming.shape[1] == 784:
            assert np.allclose(by_patch(layer.incoming).sum(axis=1) + bias, total, atol=1e-4)


def test_what_the_last_layer_says_and_the_biases_add_up_to_the_logits(model: MLP, frame: NDArray[np.uint8]) -> None:
    logits = model(scale_pixels(frame[None]))[0].detach().numpy()
    assert np.allclose(look_inside(model, frame)[-1].says.sum(axis=0) + biases(model)[-1], logits, atol=1e-4)


def test_what_any_unit_says_is_its_activation_times_the_gradient_of_the_logits(
    model: MLP, frame: NDArray[np.uint8]
) -> None:
    for place, layer in enumerate(look_inside(model, frame)):
        activations = torch.from_numpy(layer.activations.copy()).requires_grad_()
        onward = activations
        for behind in list(model.layers)[place + 1 : -1]:
            onward = torch.relu(behind(onward))
        logits = model.layers[-1](onward)
        gradients = torch.stack([torch.autograd.grad(logit, activations, retain_graph=True)[0] for logit in logits])
        assert np.allclose(layer.says, (gradients * activations).detach().numpy().T, atol=1e-4)
        assert np.allclose(layer.speaks_for.sum(axis=1), 0, atol=1e-4)
        assert np.allclose(layer.speaks_for, layer.says - layer.says.mean(axis=1)[:, None])


def test_what_a_unit_looks_for_is_the_gradient_of_what_it_gets(model: MLP, frame: NDArray[np.uint8]) -> None:
    pixels = scale_pixels(frame[None]).flatten().requires_grad_()
    onward = pixels
    for layer, linear in zip(look_inside(model, frame), list(model.layers)[:-1], strict=True):
        got = linear(onward)
        for unit in (0, len(got) - 1):
            gradient = torch.autograd.grad(got[unit], pixels, retain_graph=True)[0]
            assert np.allclose(layer.looks_for[unit].flatten(), gradient, atol=1e-5)
        onward = torch.relu(got)


def test_looking_leaves_the_network_as_it_is(model: MLP, frame: NDArray[np.uint8]) -> None:
    look_inside(model, frame)[0].looks_for[:] = 0
    assert all(parameter.abs().max() > 0 for parameter in model.parameters())


def test_a_network_that_sees_nothing_is_looked_into_as_well(model: MLP) -> None:
    layers = look_inside(model, np.zeros((28, 28), np.uint8))
    assert not layers[0].incoming.any()
    assert np.isfinite(with_contrast(layers[-1].looks_for)).all()


def test_the_strongest_connections_are_those_into_and_out_of_each_unit() -> None:
    carried = np.array([[0, 9, 1], [0, -5, 2], [0, 7, 8], [0, 0, 0]], np.float32)  # four targets, three sources
    found = strongest_connections(carried, np.array([0, 1, 2]), np.array([0, 1, 3]), each=1)
    assert [(line.source, line.target, line.strength) for line in found] == [(1, 0, 9), (1, 1, -5), (2, 1, 2)]
    among = strongest_connections(carried, np.array([2]), np.array([2, 1]), each=5)
    assert [(line.source, line.target, line.strength) for line in among] == [(0, 0, 8), (0, 1, 2)]


def test_patches_are_four_pixels_wide_and_go_row_by_row() -> None:
    incoming = np.zeros((1, 28, 28), np.float32)
    incoming[0, 3, 4], incoming[0, 0, 7], incoming[0, 27, 27] = 1, 2, 5
    patches = by_patch(incoming.reshape(1, 784))[0]
    assert patches[1] == 3
    assert patches[48] == 5
    assert patches.sum() == 8


def test_contrast_keeps_signs_and_order_and_stays_within_one(model: MLP, frame: NDArray[np.uint8]) -> None:
    weights = look_inside(model, frame)[0].looks_for
    seen = with_contrast(weights)
    assert np.abs(seen).max() == 1
    assert np.array_equal(np.sign(seen), np.sign(weights))
    order = np.argsort(weights[0], axis=None)
    assert (np.diff(seen[0].flatten()[order]) >= 0).all()
