"""What tests share. No test needs the network; those that need MNIST, Chromium or PostgreSQL skip without them."""

import multiprocessing
import sys
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.context import BaseContext
from pathlib import Path
from types import ModuleType

import pytest
import torch
from hypothesis import HealthCheck, settings

from mnist_core import RECIPES, DigitClassifier, files, train
from mnist_core.drawings.store import DrawingStore
from mnist_core.images.datasets import Dataset, load_dataset, mnist_is_here
from mnist_core.network.model import MLP
from mnist_core.training.progress import Trained
from mnist_core.versions import registry
from mnist_core.versions.registry import Version
from tests import postgres

torch.set_num_threads(1)  # tests run side by side: threads that wait for each other are many times slower than one

# no deadline of Hypothesis's own: tests that limit the time measure it themselves
CHECKS = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
# the suite tries the same examples each time; only the thorough profile looks for new ones
settings.register_profile(
    "default", max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=CHECKS
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2_000, derandomize=False)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for versions, runs and drawings, so that no test sees another's, nor the developer's."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("MNIST_WEIGHTS", str(folder))
    monkeypatch.delenv("DATABASE_URL", raising=False)
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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Server]:
    if reason := postgres.why_not():
        pytest.skip(reason)
    with postgres.server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind that drawings may be kept in."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'drawings.sqlite3'}"
    server: postgres.Server = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def store(url: str) -> Iterator[DrawingStore]:
    with DrawingStore(url) as opened:
        yield opened


@pytest.fixture
def fork_server(monkeypatch: pytest.MonkeyPatch) -> BaseContext:
    """For processes that have the drawing store loaded, and nothing of the tests' own program."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # AppTest leaves the app there
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mnist_core.drawings.store"])
    return context


@pytest.fixture
def worse(weights: Path) -> Version:
    """A copy of `article` that has forgotten a part of what it has learned."""
    record = replace(registry.read_record(files.SHIPPED / "article"), created="2026-11-24T10:00:00+00:00")
    model = registry.load_version(files.SHIPPED / "article").model
    with torch.no_grad():
        model.layers[0].weight[:50] = 0
    return registry.save_version(weights / "runs" / "worse", model, record)
