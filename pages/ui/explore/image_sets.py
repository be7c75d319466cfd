"""The sets of images that a version can be explored on, and its answers to them, shared by all visitors."""

from collections import OrderedDict
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import streamlit as st

from mnist_core import Evaluation
from mnist_core.errors import DatasetError
from mnist_core.evaluation.answers import Answers, classify_all
from mnist_core.evaluation.pen_strokes import DrawingsEvaluation, digit_labels, draw_frames, drawings_file
from mnist_core.images.datasets import LabelledImages, mnist_is_here
from mnist_core.images.strokes import SETTINGS, read_characters
from mnist_core.versions import registry
from mnist_core.versions.records import Record
from pages.ui import loaders
from pages.ui.loaders import Reader

SetName = Literal["mnist", "sample", "drawings", "kept"]
TITLES: dict[SetName, str] = {
    "mnist": "MNIST's test images",
    "sample": "Bundled sample",
    "drawings": "People's drawings",
    "kept": "Corrected drawings",
}
DRAWINGS_PER_STEP = 100  # between two reports of progress
MOST_CACHED = 32  # answers of one version to one set


def sets_for(record: Record) -> list[SetName]:
    """Return the sets that a version was evaluated on, then those that it can be evaluated on here."""
    here = {"mnist": mnist_is_here(), "sample": record.data == "sample" or not mnist_is_here()}
    here |= {"drawings": drawings_file().exists(), "kept": loaders.kept_drawings() is not None}
    names = [name for name in get_args(SetName) if here[name] or recorded(record, name)]
    return sorted(names, key=lambda name: recorded(record, name) is None)


def recorded(record: Record, name: SetName) -> Evaluation | None:
    """Return the evaluation on that set from the version's record, if it has one."""
    if name == "drawings":
        return record.drawings[0].digits if record.drawings else None
    return record.evaluation if record.data == name else None


def images_are_here(name: SetName) -> bool:
    """Return whether the images can be shown."""
    match name:
        case "mnist":
            return mnist_is_here()
        case "drawings":
            return drawings_file().exists()
        case "sample" | "kept":
            return True


def is_quick(name: SetName) -> bool:
    """Return whether classifying that set takes only a moment; pen strokes must be turned into images first."""
    return name != "drawings" or bool(_cached_drawings())


def answers(reader: Reader, name: SetName) -> Answers | None:
    """Return the version's answers to that set, if they have been found already."""
    cached = _cached_answers()
    key = _key(reader, name)
    if key in cached:
        cached.move_to_end(key)
    return cached.get(key)


def find_answers(reader: Reader, name: SetName) -> Iterator[tuple[float, str]]:
    """Classify all images of a set, cache the answers, and yield progress: its share, 0 to 1, and what is being done.

    Raises:
        DatasetError: the images cannot be loaded.
    """
    match name:
        case "drawings":
            images = yield from _drawings()
        case "kept":
            images = _corrected()
        case _:
            images = loaders.test_images_of(name)
    for progress in classify_all(reader.classifier, images):
        if isinstance(progress, Answers):
            cached = _cached_answers()
            cached[_key(reader, name)] = progress
            while len(cached) > MOST_CACHED:
                cached.popitem(last=False)
            if name == "drawings":
                _record_evaluation(reader, progress)
        else:
            yield progress, f"{round(progress * len(images)):,} of {len(images):,} images classified …"


def _drawings() -> Generator[tuple[float, str], None, LabelledImages]:
    """Turn the drawings into frames, once for all, yield progress, and return them."""
    drawn = _cached_drawings()
    if not drawn:
        characters, setting = read_characters(drawings_file()), SETTINGS[0]
        frames = []
        for start in range(0, len(characters), DRAWINGS_PER_STEP):
            frames.append(draw_frames(characters[start : start + DRAWINGS_PER_STEP], setting))
            done = min(start + DRAWINGS_PER_STEP, len(characters))
            yield done / len(characters), f"{done:,} of {len(characters):,} drawings turned into images …"
        drawn.append(LabelledImages(f"drawings, {setting.name}", np.concatenate(frames), digit_labels(characters)))
    return drawn[0]


def _corrected() -> LabelledImages:
    found = loaders.kept_drawings()
    if found is None:
        raise DatasetError("The corrected drawings have been deleted. Choose other images.")
    return found


def _record_evaluation(reader: Reader, found: Answers) -> None:
    """Add the evaluation on drawings to the record of a version that was trained here, if it has none."""
    version = registry.version(reader.name)
    if not version.shipped and not version.record.drawings:
        evaluated = DrawingsEvaluation(SETTINGS[0].name, found.evaluation)
        registry.save_record(version.folder, replace(version.record, drawings=(evaluated,)))


def _key(reader: Reader, name: SetName) -> tuple[str, str]:
    """Return the cache's key; for corrected drawings, which come, go and are relabelled, it has their checksum."""
    kept = loaders.kept_drawings() if name == "kept" else None
    return reader.record.weights_sha256, kept.checksum if kept else name


@st.cache_resource(show_spinner=False)
def _cached_answers() -> "OrderedDict[tuple[str, str], Answers]":
    return OrderedDict()


@st.cache_resource(show_spinner=False)
def _cached_drawings() -> list[LabelledImages]:
    return []
