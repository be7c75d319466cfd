"""Cache around the core: what is slow to make is made once and shared by all visitors."""

import gc
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from mnist_core import DigitClassifier, Evaluation, Recipe, evaluate, files
from mnist_core.drawings.store import DrawingStore
from mnist_core.errors import StoreError, WeightsError
from mnist_core.evaluation.comparison import Comparison
from mnist_core.evaluation.evaluation import classify
from mnist_core.explanation.exemplars import Exemplars
from mnist_core.images.datasets import CLASSES, DataName, LabelledImages, load_dataset, load_sample, mnist_is_here
from mnist_core.runs.status import running_run
from mnist_core.training.augmentation import Augmenter
from mnist_core.training.loop import estimate_seconds, leave_a_core_free
from mnist_core.versions import registry
from mnist_core.versions.active import active_name
from mnist_core.versions.records import Record
from pages.ui.server import return_memory

COPIES = 19
"""Distorted copies of each digit in the preview."""


@dataclass(frozen=True)
class Reader:
    """The version that answers."""

    name: str
    classifier: DigitClassifier
    record: Record
    problem: str = ""
    """Why this is not the active version; empty where it is."""


def active_reader() -> Reader:
    """Return the active version or, where it cannot be loaded, the shipped one with the reason.

    Raises:
        WeightsError: not even the shipped version can be loaded.
    """
    name = active_name()
    try:
        return _reader(name, *_stamp(registry.find(name)))
    except WeightsError as error:
        if name == registry.DEFAULT:
            raise
        shipped = _reader(registry.DEFAULT, *_stamp(registry.find(registry.DEFAULT)))
        return Reader(shipped.name, shipped.classifier, shipped.record, problem=str(error))


def _stamp(folder: Path) -> tuple[str, int]:
    """Return something that changes when the version in the folder does."""
    record = folder / registry.RECORD_FILE
    return str(folder), record.stat().st_mtime_ns if record.exists() else 0


@st.cache_resource(max_entries=8, show_spinner=False)
def _reader(name: str, folder: str, _changed: int) -> Reader:
    _settle_down()
    loaded = registry.load_version(Path(folder))
    return Reader(name, DigitClassifier(loaded.model, loaded.record.calibration), loaded.record)


@st.cache_resource(show_spinner=False)
def sample() -> LabelledImages:
    """Return the bundled digits."""
    return load_sample()


def test_result(reader: Reader, data: DataName) -> Evaluation:
    """Return how a version scores on the test images of `data`; from its record if it was tested on just those."""
    if reader.record.data == data:
        return reader.record.evaluation
    return _evaluation(reader, data)


@st.cache_resource(
    max_entries=32,
    show_spinner="Testing the active version on the same images …",
    hash_funcs={Reader: lambda reader: reader.record.weights_sha256},
)
def _evaluation(reader: Reader, data: DataName) -> Evaluation:
    return evaluate(reader.classifier, load_dataset(data).test)


def reader_of(name: str) -> Reader:
    """Return the version of that name.

    Raises:
        WeightsError: it cannot be loaded.
    """
    return _reader(name, *_stamp(registry.find(name)))


def test_images() -> DataName:
    """Name the data any two versions can be compared on: MNIST, or the bundled sample where MNIST is missing."""
    return "mnist" if mnist_is_here() else "sample"


@st.cache_resource(max_entries=2, show_spinner=False)
def test_images_of(data: DataName) -> LabelledImages:
    """Return the test images of `data`."""
    return load_dataset(data).test


def drawing_store() -> DrawingStore:
    """Return the store of drawings that people labelled.

    Raises:
        StoreError: it cannot be opened.
    """
    return _drawing_store(os.environ.get("DATABASE_URL", ""), files.weights_dir())


@st.cache_resource(max_entries=4, show_spinner=False)
def _drawing_store(url: str, folder: Path) -> DrawingStore:  # noqa: ARG001 — the cache tells stores apart by them
    return DrawingStore()  # it reads both settings itself


def kept_drawings() -> LabelledImages | None:
    """Return the digits that people labelled; None where there are none, or they cannot be read now."""
    try:
        found = drawing_store().images()
    except StoreError:
        return None
    return found if len(found) else None


@st.cache_resource(max_entries=200, show_spinner=False, hash_funcs={LabelledImages: lambda images: images.checksum})
def on_kept_drawings(weights_sha256: str, folder: Path, drawings: LabelledImages) -> Evaluation | None:  # noqa: ARG001 — the cache tells versions apart by it
    """Return how a version scores on kept drawings; None where its weights cannot be loaded."""
    try:
        return evaluate(DigitClassifier.load(folder), drawings)
    except WeightsError:
        return None


def exemplars(reader: Reader) -> Exemplars:
    """Return what a version makes of the digits it learned from, or of the bundled ones where MNIST is missing."""
    return _exemplars(reader, whole=reader.record.data == "sample" or mnist_is_here())


@st.cache_resource(
    max_entries=3,
    show_spinner="Looking through the training digits …",
    hash_funcs={Reader: lambda reader: reader.record.weights_sha256},
)
def _exemplars(reader: Reader, *, whole: bool) -> Exemplars:
    found = Exemplars.of(reader.classifier.model, load_dataset(reader.record.data).train if whole else sample())
    return_memory()
    return found


def comparison(one: Reader, other: Reader, data: DataName) -> Comparison:
    """Compare the answers of two versions to the test images of `data`."""
    images = test_images_of(data)
    return Comparison(images.name, images.labels, _classes(one, data), _classes(other, data))


@st.cache_resource(
    max_entries=16,
    show_spinner="Classifying the test images …",
    hash_funcs={Reader: lambda reader: reader.record.weights_sha256},
)
def _classes(reader: Reader, data: DataName) -> NDArray[np.intp]:
    """Return the digit that a version sees in each test image of `data`."""
    return classify(reader.classifier, test_images_of(data).images).probabilities.argmax(axis=1)


def estimated_seconds(recipe: Recipe, training_images: int) -> float:
    """Estimate how long a training would take on this machine."""
    alike = replace(recipe, name="any", seed=0, patience=0, keep="last")
    return _estimated_seconds(alike, training_images, running_run() is not None)


@st.cache_data(ttl="10m", max_entries=64, show_spinner="Timing a few steps …")
def _estimated_seconds(recipe: Recipe, training_images: int, busy: bool) -> float:  # noqa: ARG001 — a time measured during a training is not shown after it
    _settle_down()
    return estimate_seconds(recipe, training_images, registry.teacher_of(recipe))


@st.cache_data(max_entries=32, show_spinner="Distorting some digits …")
def distorted_digits(recipe: Recipe) -> NDArray[np.uint8]:
    """Draw one digit of each kind and, to its right, what the recipe's distortions make of it; then its non-digits."""
    images = sample()
    one_of_each = np.array([int(np.flatnonzero(images.labels == digit)[7]) for digit in range(CLASSES)])
    digits, cpu = images.part("one of each", one_of_each), torch.device("cpu")
    augmenter = Augmenter(replace(recipe, non_digits=0.0), digits, cpu)
    columns = [
        torch.from_numpy(digits.images) / 255,
        *(augmenter(torch.arange(CLASSES))[0] for _ in range(COPIES)),
    ]
    rows = [torch.cat(columns, dim=2).reshape(CLASSES * 28, -1)]
    if recipe.non_digits:
        non_digits = Augmenter(recipe, digits, cpu).some_non_digits(1 + COPIES)
        rows.append(torch.cat(non_digits.unbind(), dim=1))
    picture = torch.cat(rows)
    pixels: NDArray[np.uint8] = (picture * 255).byte().numpy().repeat(2, axis=0).repeat(2, axis=1)
    return pixels


@st.cache_resource(show_spinner=False)
def _settle_down() -> None:
    """Prepare the server for many visitors, once, after all large modules were imported."""
    leave_a_core_free()
    # the matrices of a stroke are small: threads that share them spend more time waiting for each other than computing
    threadpool_limits(1, user_api="blas")
    # searching torch's hundreds of thousands of objects takes 150 ms, and they never become garbage
    gc.collect()
    gc.freeze()
