"""A run that teaches: a copy of a version learns from people's drawings, and both are judged on others."""

import dataclasses
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from mnist_core.assignments import Assignment, Lesson, kept_drawings
from mnist_core.comparison import compare
from mnist_core.datasets import IMAGE_COUNTS, Dataset, LabelledImages, load_dataset, mnist_is_here
from mnist_core.drawing_store import DrawingStore, StoredDrawing
from mnist_core.evaluation import evaluate
from mnist_core.inference import DigitClassifier
from mnist_core.recipes import TAUGHT
from mnist_core.records import Curve, Record, Teaching, library_versions, now
from mnist_core.registry import LoadedVersion, Version, find, load_version, save_version, version
from mnist_core.run_files import Emit
from mnist_core.runs import RunStatus
from mnist_core.teaching import Taught, TeachProgress, TeachSettings, split_drawings, teach
from mnist_core.training import default_device


def prepare(lesson: Lesson) -> Assignment:
    """What a run that teaches is asked to do: by the recipe of the base, with the images that are replayed.

    Raises:
        WeightsError: there is no such version.
        StoreError: the drawings cannot be read.
        TeachingError: there are too few of them; the message says how many more would tell something.
    """
    found = version(lesson.base)
    kept, drawings = _drawings(lesson)
    split_drawings(drawings.labels, learned=_learned(found, kept))
    base = found.record
    recipe = dataclasses.replace(base.recipe, name=base.recipe.name.removesuffix(TAUGHT) + TAUGHT)
    return Assignment(recipe, "mnist" if mnist_is_here() and base.data == "mnist" else "sample", lesson)


def teach_version(run: RunStatus, lesson: Lesson, emit: Emit) -> Version:
    """Teach, judge the outcome beside the base, and save it into the run's folder.

    Raises:
        DatasetError, StoreError, TeachingError, WeightsError: something that is needed is not to be had.
    """
    base = load_version(find(lesson.base))
    kept, drawings = _drawings(lesson)
    split = split_drawings(drawings.labels, learned=_learned(version(lesson.base), kept))
    dataset = load_dataset(run.data)
    emit({"event": "loaded", "images": {"drawings": len(drawings), **IMAGE_COUNTS[run.data]}})
    taught = _teach(base, drawings.part("drawings", split.teach), dataset, emit)
    emit({"event": "taught", "drawings": len(split.teach), "passed_over": len(taught.doubtful)})
    emit({"event": "evaluating", "on": dataset.test.name})
    before = DigitClassifier(base.model, base.record.calibration)
    recorded = base.record.evaluation
    after = DigitClassifier(taught.model, taught.calibration)
    judging = drawings.part("drawings kept back", split.judge)
    compared = compare(before, after, judging)
    record = Record(
        recipe=run.recipe,
        command=shlex.join(teach_command(lesson)),
        data=run.data,
        images=IMAGE_COUNTS[run.data],
        checksums=dataset.checksums,
        epoch=base.record.epoch,
        validation_accuracy=taught.validation_right[1] / len(dataset.validation),
        curve=Curve(),
        calibration=taught.calibration,
        evaluation=evaluate(after, dataset.test),
        duration_seconds=round(taught.seconds, 3),
        device=default_device().type,
        created=now(),
        libraries=library_versions(),
        teaching=Teaching(
            base=lesson.base,
            writers=lesson.writers,
            taught_with=len(split.teach),
            passed_over=len(taught.doubtful),
            before=evaluate(before, judging),
            after=evaluate(after, judging),
            test_before=recorded if recorded.checksum == dataset.test.checksum else evaluate(before, dataset.test),
            newly_right=tuple(kept[split.judge[place]].id for place in compared.only_other_right),
            newly_wrong=tuple(kept[split.judge[place]].id for place in compared.only_one_right),
            learned=_learned_by_now(base.record, [kept[place].id for place in split.teach]),
        ),
    )
    return save_version(run.folder, taught.model, record)


def _teach(base: LoadedVersion, drawings: LabelledImages, dataset: Dataset, emit: Emit) -> Taught:
    """The taught copy, after telling how it went."""
    settings = TeachSettings.of(base.record.recipe)
    for progress in teach(base.model, drawings, dataset.train, dataset.validation, settings):
        match progress:
            case TeachProgress():
                emit({"event": "teaching", **asdict(progress)})
            case Taught():
                return progress
    raise AssertionError("teaching ends with the copy")


def teach_command(lesson: Lesson) -> list[str]:
    """The command line that teaches the same."""
    writers = (option for writer in lesson.writers for option in ("--writer", writer))
    return ["mnist-core", "teach", "--base", lesson.base, *writers]


def _learned(base: Version, kept: Sequence[StoredDrawing]) -> NDArray[np.bool_]:
    """Which drawings (n,) the base has learned from, whether it was taught with them or trained."""
    ids = set(_learned_by_now(base.record))
    trained_with = kept_drawings(base.folder)
    frames = {image.tobytes() for image in trained_with.images} if trained_with else set()
    return np.array([drawing.id in ids or drawing.frame in frames for drawing in kept], np.bool_)


def _learned_by_now(base: Record, taught: Iterable[str] = ()) -> tuple[str, ...]:
    """Ids of what the base was taught with, and of what it is taught with now."""
    return tuple(sorted({*(base.teaching.learned if base.teaching else ()), *taught}))


def _drawings(lesson: Lesson) -> tuple[list[StoredDrawing], LabelledImages]:
    """What the writers drew, the oldest first, and the same as images."""
    with DrawingStore() as store:
        kept = store.find(lesson.writers or None, newest_first=False)
    frames = np.stack([drawing.image for drawing in kept]) if kept else np.zeros((0, 28, 28), np.uint8)
    labels = np.array([drawing.label for drawing in kept], np.int64)
    return kept, LabelledImages("drawings", frames, labels)
