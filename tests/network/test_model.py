import numpy as np
import pytest
import torch

from mnist_core.network.model import MLP, scale_pixels
from mnist_core.recipes import Recipe
from mnist_core.training.augmentation import shift_batch


@pytest.mark.parametrize("hidden", [(100, 100), (100,), (7, 6, 5)])
def test_network_has_the_parameters_its_recipe_announces(hidden: tuple[int, ...]) -> None:
    recipe = Recipe(hidden=hidden)
    model = MLP(recipe.layer_sizes)
    assert sum(parameter.numel() for parameter in model.parameters()) == recipe.parameter_count


def test_forward_is_matrices_and_relu() -> None:
    model = MLP((784, 5, 4, 10))
    image = torch.rand(1, 28, 28)
    expected = image.reshape(784).numpy()
    for index, layer in enumerate(model.layers):
        expected = layer.weight.detach().numpy() @ expected + layer.bias.detach().numpy()
        if index < 2:
            expected = np.maximum(expected, 0)
    assert np.allclose(model(image).detach().numpy()[0], expected, atol=1e-5)


def test_flat_and_square_images_give_the_same() -> None:
    model = MLP()
    images = torch.rand(3, 28, 28)
    assert torch.equal(model(images), model(images.reshape(3, 784)))


def test_pixels_are_scaled_to_one() -> None:
    frames = np.array([[[0, 51, 255]]], np.uint8)
    assert scale_pixels(frames).flatten().tolist() == pytest.approx([0, 0.2, 1])


def test_shift_moves_the_whole_batch_without_wrapping() -> None:
    images = torch.zeros(2, 28, 28)
    images[0, 10, 10], images[1, 20, 5] = 1, 2
    seen = set()
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        moved = shift_batch(images, 1, generator)
        assert moved.shape == images.shape
        (row, column), (row2, column2) = moved[0].nonzero()[0].tolist(), moved[1].nonzero()[0].tolist()
        assert (row - 10, column - 10) == (row2 - 20, column2 - 5)
        seen.add((row - 10, column - 10))
    assert seen == {(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)}
    edge = torch.zeros(1, 28, 28)
    edge[0, 0, :] = 1
    assert all(shift_batch(edge, 2, generator)[0, -1].sum() == 0 for _ in range(20))


def test_no_shift_leaves_images_alone() -> None:
    images = torch.rand(2, 28, 28)
    assert shift_batch(images, 0, torch.Generator()) is images
