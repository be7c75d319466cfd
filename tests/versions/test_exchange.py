"""Versions as files: out as zip and ONNX, in as zip, checked."""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from mnist_core import RECIPES, DigitClassifier, evaluate, files
from mnist_core.errors import WeightsError
from mnist_core.images.datasets import Dataset
from mnist_core.network.calibration import Calibration
from mnist_core.versions import registry
from mnist_core.versions.exchange import from_zip, to_onnx, to_zip
from mnist_core.versions.registry import RECORD_FILE, WEIGHTS_FILE
from tests.zip_files import Files, packed, unpacked


@pytest.fixture(autouse=True)
def _no_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "no mnist"))


def test_what_was_downloaded_can_be_uploaded() -> None:
    article = registry.version("article")
    added = from_zip(to_zip(article))
    assert added.name in [version.name for version in registry.all_versions()]
    assert not added.shipped
    assert added.record == article.record
    assert (added.folder / WEIGHTS_FILE).read_bytes() == (article.folder / WEIGHTS_FILE).read_bytes()


@pytest.fixture
def theirs(sample: Dataset, classifier: DigitClassifier, weights: Path) -> bytes:
    """A version that was trained and tested elsewhere, on the bundled sample, packed."""
    record = dataclasses.replace(
        registry.version("article").record,
        recipe=RECIPES["quick"],
        data="sample",
        calibration=Calibration(),
        evaluation=evaluate(classifier, sample.test),
    )
    saved = registry.save_version(weights / "runs" / "theirs", classifier.model, record)
    content = to_zip(saved)
    shutil.rmtree(saved.folder)
    return content


def without_a_record(files: Files) -> None:
    del files[RECORD_FILE]


def with_other_weights(files: Files) -> None:
    files[WEIGHTS_FILE] = files[WEIGHTS_FILE][:-4] + b"\0\0\0\1"


def with_a_record_that_wants_a_huge_network(files: Files) -> None:
    record = json.loads(files[RECORD_FILE])
    record["recipe"]["hidden"] = [8192] * 8
    files[RECORD_FILE] = json.dumps(record).encode()


def with_a_path_out(files: Files) -> None:
    files["../" + RECORD_FILE] = files.pop(RECORD_FILE)


def with_weights_that_are_not_finite(files: Files) -> None:
    weights = safetensors.torch.load(files[WEIGHTS_FILE])
    weights["layers.0.bias"][3] = float("nan")
    resealed(files, safetensors.torch.save(weights))


def with_other_numbers(files: Files) -> None:
    weights = safetensors.torch.load(files[WEIGHTS_FILE])
    resealed(files, safetensors.torch.save({name: values.double() for name, values in weights.items()}))


def with_a_tensor_too_many(files: Files) -> None:
    weights = safetensors.torch.load(files[WEIGHTS_FILE])
    resealed(files, safetensors.torch.save({**weights, "layers.9.bias": torch.zeros(10)}))


def resealed(files: Files, weights: bytes) -> None:
    """Exchange the weights, and their checksum in the record."""
    files[WEIGHTS_FILE] = weights
    with_field(files, "weights_sha256", hashlib.sha256(weights).hexdigest())


def with_field(files: Files, field: str, value: object) -> None:
    files[RECORD_FILE] = json.dumps({**json.loads(files[RECORD_FILE]), field: value}).encode()


DAMAGE = [
    *(without_a_record, with_other_weights, with_a_record_that_wants_a_huge_network, with_a_path_out),
    *(with_weights_that_are_not_finite, with_other_numbers, with_a_tensor_too_many),
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_an_incomplete_version_is_refused_and_leaves_nothing(damage: Callable[[Files], None], weights: Path) -> None:
    files = unpacked(to_zip(registry.version("article")))
    damage(files)
    with pytest.raises(WeightsError):
        from_zip(packed(files))
    assert not list(weights.rglob("*"))


def test_other_files_are_refused() -> None:
    with pytest.raises(WeightsError, match="downloaded from the Models page"):
        from_zip(b"not a zip file")


def test_a_version_that_is_worse_than_its_record_says_is_refused(theirs: bytes) -> None:
    files = unpacked(theirs)
    record = json.loads(files[RECORD_FILE])
    confusion = record["evaluation"]["confusion"]
    record["evaluation"]["confusion"] = [
        [sum(row) if answer == digit else 0 for answer in range(10)] for digit, row in enumerate(confusion)
    ]
    files[RECORD_FILE] = json.dumps(record).encode()
    with pytest.raises(WeightsError, match=r"classifies 100\.00% of 1,000 images correctly"):
        from_zip(packed(files))
    assert from_zip(theirs).record.data == "sample"


@pytest.mark.parametrize("name", ["article", "best"])
def test_onnx_gives_the_same_answers(name: str) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(to_onnx(registry.version(name)))
    frames = np.random.default_rng(0).integers(0, 256, (64, 28, 28), dtype=np.uint8)
    frames[32:] = frames[32:] // 200 * 255
    probabilities, scores = session.run(["probabilities", "ood_score"], {"frames": frames})
    classifier = DigitClassifier.load(files.SHIPPED / name)
    np.testing.assert_allclose(probabilities, classifier.predict_frames(frames), atol=1e-5, rtol=0)
    np.testing.assert_allclose(scores, classifier.ood_scores(frames), atol=1e-3, rtol=1e-5)
    details = session.get_modelmeta().custom_metadata_map
    assert float(details["threshold"]) == classifier.calibration.threshold()
    assert json.loads(details["record"])["recipe"]["name"] == name
