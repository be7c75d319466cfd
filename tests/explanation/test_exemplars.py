import numpy as np
import pytest
import torch

from mnist_core import files
from mnist_core.explanation.exemplars import Exemplars
from mnist_core.images.datasets import Dataset, LabelledImages
from mnist_core.network.model import MLP, scale_pixels
from mnist_core.versions import registry


@pytest.fixture
def images(sample: Dataset) -> LabelledImages:
    return sample.train.part("some", np.arange(2500))  # more than are asked at once


@pytest.fixture
def model() -> MLP:
    torch.manual_seed(0)
    return MLP((784, 12, 9, 10))


def test_the_most_exciting_images_are_those_of_a_search_through_all(model: MLP, images: LabelledImages) -> None:
    found = Exemplars.of(model, images)
    with torch.inference_mode():
        everything = model.activations(scale_pixels(images.images))
    assert len(found.exciting) == 2
    for exciting, activations in zip(found.exciting, everything, strict=True):
        assert exciting.shape == (activations.shape[1], 10)
        for places, excited in zip(exciting, activations.T.numpy(), strict=True):
            strongest = np.sort(excited)[::-1][:10]
            expected = strongest[strongest > 0]
            assert np.allclose(excited[places[places >= 0]], expected, atol=1e-5)
            assert (places[len(expected) :] == -1).all()
            assert len(set(places[: len(expected)])) == len(expected)


def test_where_fewer_than_ten_excite_a_unit_the_rest_are_missing(model: MLP, images: LabelledImages) -> None:
    with torch.no_grad():
        first = model.layers[0]
        first.bias[0], first.weight[0] = -1, 0  # nothing excites it
        got = scale_pixels(images.images).flatten(1) @ first.weight[1]
        first.bias[1] = -float(got.topk(4).values[2:].mean())  # three do
    exciting = Exemplars.of(model, images).exciting[0]
    assert (exciting[0] == -1).all()
    assert exciting[1, :3].tolist() == got.topk(3).indices.tolist()
    assert (exciting[1, 3:] == -1).all()


def test_the_nearest_of_a_training_image_is_itself(model: MLP, images: LabelledImages) -> None:
    found = Exemplars.of(model, images)
    for place in (0, 1999, 2000, 2499):
        nearest = found.nearest(model, images.images[place])[0]
        assert nearest.place == place
        assert nearest.similarity == pytest.approx(1, abs=1e-5)


def test_the_nearest_are_those_of_a_search_through_all(images: LabelledImages, sample: Dataset) -> None:
    model = registry.load_version(files.SHIPPED / "article").model
    found, frame = Exemplars.of(model, images), sample.test.images[3]
    nearest = found.nearest(model, frame, count=5)
    with torch.inference_mode():
        last = model.activations(scale_pixels(np.concatenate([images.images, frame[None]])))[-1].double().numpy()
    similarity = last[:-1] @ last[-1] / np.linalg.norm(last[:-1], axis=1) / np.linalg.norm(last[-1])
    assert [neighbour.place for neighbour in nearest] == np.argsort(-similarity)[:5].tolist()
    assert np.allclose([neighbour.similarity for neighbour in nearest], np.sort(similarity)[::-1][:5], atol=1e-5)


def test_of_few_images_not_more_are_found_than_there_are(model: MLP, images: LabelledImages) -> None:
    few = images.part("three", np.arange(3))
    found = Exemplars.of(model, few)
    assert ((found.exciting[0] >= 0).sum(axis=1) <= 3).all()
    assert len(found.nearest(model, few.images[0])) == 3
