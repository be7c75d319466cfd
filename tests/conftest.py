"""What tests share. No test needs the network; those that need MNIST or Chromium skip without them."""

from pathlib import Path

import pytest

from mnist_core import RECIPES, DigitClassifier, train
from mnist_core.datasets import Dataset, load_dataset, mnist_is_here
from mnist_core.model import MLP
from mnist_core.progress import Trained


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for versions and runs, so that no test sees another's, nor the developer's."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("MNIST_WEIGHTS", str(folder))
    return folder


@pytest.fixture(scope="session")
def sample() -> Dataset:
    return load_dataset("sample")


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    if not mnist_is_here():
        pytest.skip("MNIST is not here: set MNIST_DATA to the folder that holds MNIST/raw")
    return load_dataset("mnist")


@pytest.fixture(scope="session")
def small_model(sample: Dataset) -> MLP:
    """A network really trained, in a second, on the bundled sample."""
    *_, last = train(RECIPES["quick"].override(epochs=8), sample)
    assert isinstance(last, Trained)
    return last.model


@pytest.fixture(scope="session")
def classifier(small_model: MLP) -> DigitClassifier:
    return DigitClassifier(small_model)
