"""The sets of images a version can be looked at on, and its answers to them, kept for all visitors once made."""

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
AT_ONCE = 100
MOST_KEPT = 32


def sets_for(record: Record) -> list[SetName]:
    """What the version was evaluated on, first, and what it can be evaluated on here."""
    here = {"mnist": mnist_is_here(), "sample": record.data == "sample" or not mnist_is_here()}
    here |= {"drawings": drawings_file().exists(), "kept": loaders.kept_drawings() is not None}
    names = [name for name in get_args(SetName) if here[name] or recorded(record, name)]
    return sorted(names, key=lambda name: recorded(record, name) is None)


def recorded(record: Record, name: SetName) -> Evaluation | None:
    """What the version's record says of that set, if anything."""
    if name == "drawings":
        return record.drawings[0].digits if record.drawings else None
    return record.evaluation if record.data == name else None


def images_are_here(name: SetName) -> bool:
    """Whether the images themselves can be shown."""
    match name:
        case "mnist":
            return mnist_is_here()
        case "drawings":
            return drawings_file().exists()
        case "sample" | "kept":
            return True


def is_quick(name: SetName) -> bool:
    """Whether asking a version about that set takes a moment only: drawings have to be drawn first, once."""
    return name != "drawings" or bool(_drawn())


def answers(reader: Reader, name: SetName) -> Answers | None:
    """What the version answers to the images of that set, if it has been asked."""
    made = _made()
    key = _key(reader, name)
    if key in made:
        made.move_to_end(key)
    return made.get(key)


def find_answers(reader: Reader, name: SetName) -> Iterator[tuple[float, str]]:
    """Have the version answer, and keep that; gives how far it is, 0 to 1, and what it is doing.

    Raises:
        DatasetError: the images cannot be read.
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
            made = _made()
            made[_key(reader, name)] = progress
            while len(made) > MOST_KEPT:
                made.popitem(last=False)
            if name == "drawings":
                _write_down(reader, progress)
        else:
            yield progress, f"{round(progress * len(images)):,} of {len(images):,} images read …"


def _drawings() -> Generator[tuple[float, str], None, LabelledImages]:
    """The drawings as frames, made once; the last word is the images."""
    drawn = _drawn()
    if not drawn:
        characters, setting = read_characters(drawings_file()), SETTINGS[0]
        frames = []
        for start in range(0, len(characters), AT_ONCE):
            frames.append(draw_frames(characters[start : start + AT_ONCE], setting))
            done = min(start + AT_ONCE, len(characters))
            yield done / len(characters), f"{done:,} of {len(characters):,} drawn on a canvas and framed …"
        drawn.append(LabelledImages(f"drawings, {setting.name}", np.concatenate(frames), digit_labels(characters)))
    return drawn[0]


def _corrected() -> LabelledImages:
    found = loaders.kept_drawings()
    if found is None:
        raise DatasetError("There are no corrected drawings any more. Choose other images.")
    return found


def _write_down(reader: Reader, found: Answers) -> None:
    """A version of one's own that was not evaluated on drawings has been now."""
    version = registry.version(reader.name)
    if not version.shipped and not version.record.drawings:
        evaluated = DrawingsEvaluation(SETTINGS[0].name, found.evaluation)
        registry.save_record(version.folder, replace(version.record, drawings=(evaluated,)))


def _key(reader: Reader, name: SetName) -> tuple[str, str]:
    """What answers are kept under; corrected drawings come, go and are relabelled."""
    kept = loaders.kept_drawings() if name == "kept" else None
    return reader.record.weights_sha256, kept.checksum if kept else name


@st.cache_resource(show_spinner=False)
def _made() -> "OrderedDict[tuple[str, str], Answers]":
    return OrderedDict()


@st.cache_resource(show_spinner=False)
def _drawn() -> list[LabelledImages]:
    return []
