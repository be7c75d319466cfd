"""A run that teaches: a copy of a version learns from people's drawings, and both are judged on others."""

import dataclasses
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.drawings.store import DrawingStore, StoredDrawing
from mnist_core.evaluation.comparison import compare
from mnist_core.evaluation.evaluation import evaluate
from mnist_core.images.datasets import IMAGE_COUNTS, Dataset, LabelledImages, load_dataset, mnist_is_here
from mnist_core.network.classifier import DigitClassifier
from mnist_core.recipes import TAUGHT
from mnist_core.runs.assignments import Assignment, Lesson, kept_drawings
from mnist_core.runs.folder import Emit
from mnist_core.runs.status import RunStatus
from mnist_core.training.finetune import DrawingsSplit, Taught, TeachProgress, TeachSettings, split_drawings, teach
from mnist_core.training.loop import default_device
from mnist_core.versions.records import Curve, Record, Teaching, library_versions, now
from mnist_core.versions.registry import LoadedVersion, Version, find, load_version, save_version, version


def prepare(lesson: Lesson) -> Assignment:
    """What a run that teaches is asked to do: by the recipe of the base, with the images that are replayed.

    Raises:
        WeightsError: there is no such version.
        StoreError: the drawings cannot be read.
        TeachingError: there are too few of them; the message says how many more would tell something.
    """
    _choose(lesson)
    base = version(lesson.base).record
    recipe = dataclasses.replace(base.recipe, name=base.recipe.name.removesuffix(TAUGHT) + TAUGHT)
    return Assignment(recipe, "mnist" if mnist_is_here() and base.data == "mnist" else "sample", lesson)


def teach_version(run: RunStatus, lesson: Lesson, emit: Emit) -> Version:
    """Teach, judge the outcome beside the base, and save it into the run's folder.

    Raises:
        DatasetError, StoreError, TeachingError, WeightsError: something that is needed is not to be had.
    """
    base = load_version(find(lesson.base))
    chosen = _choose(lesson)
    dataset = load_dataset(run.data)
    emit({"event": "loaded", "images": {"drawings": len(chosen.kept), **IMAGE_COUNTS[run.data]}})
    taught = _teach(base, chosen.part("drawings", chosen.split.teach), dataset, emit)
    emit({"event": "taught", "drawings": len(chosen.split.teach), "passed_over": len(taught.doubtful)})
    emit({"event": "evaluating", "on": dataset.test.name})
    after = DigitClassifier(taught.model, taught.calibration)
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
        teaching=_judge(lesson, base, chosen, taught, after, dataset.test),
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


def _judge(
    lesson: Lesson,
    base: LoadedVersion,
    chosen: "_Chosen",
    taught: Taught,
    after: DigitClassifier,
    test: LabelledImages,
) -> Teaching:
    """What was taught, and what that did to drawings that did not teach."""
    before, recorded = DigitClassifier(base.model, base.record.calibration), base.record.evaluation
    judging = chosen.part("drawings kept back", chosen.split.judge)
    compared = compare(before, after, judging)
    return Teaching(
        base=lesson.base,
        writers=lesson.writers,
        taught_with=len(chosen.split.teach),
        skipped=len(taught.doubtful),
        before=evaluate(before, judging),
        after=evaluate(after, judging),
        test_before=recorded if recorded.checksum == test.checksum else evaluate(before, test),
        newly_right=chosen.ids(chosen.split.judge[compared.only_other_right]),
        newly_wrong=chosen.ids(chosen.split.judge[compared.only_one_right]),
        learned=_learned_by_now(base.record, chosen.ids(chosen.split.teach)),
    )


def teach_command(lesson: Lesson) -> list[str]:
    """The command line that teaches the same."""
    writers = (option for writer in lesson.writers for option in ("--writer", writer))
    return ["mnist-core", "teach", "--base", lesson.base, *writers]


@dataclass(frozen=True)
class _Chosen:
    """What the writers of a lesson drew, the oldest first, and which of it teaches."""

    kept: list[StoredDrawing]
    split: DrawingsSplit

    def part(self, name: str, places: NDArray[np.int64]) -> LabelledImages:
        """Those at `places`."""
        return _images(self.kept).part(name, places)

    def ids(self, places: NDArray[np.int64]) -> tuple[str, ...]:
        """Under which ids these are kept."""
        return tuple(self.kept[place].id for place in places)


def _choose(lesson: Lesson) -> _Chosen:
    with DrawingStore() as store:
        kept = store.find(lesson.writers or None, newest_first=False)
    labels = np.array([drawing.label for drawing in kept], np.int64)
    return _Chosen(kept, split_drawings(labels, learned=_learned(version(lesson.base), kept)))


def _learned(base: Version, kept: Sequence[StoredDrawing]) -> NDArray[np.bool_]:
    """Which drawings (n,) the base has learned from, whether it was taught with them or trained."""
    ids = set(_learned_by_now(base.record))
    trained_with = kept_drawings(base.folder)
    frames = {image.tobytes() for image in trained_with.images} if trained_with else set()
    return np.array([drawing.id in ids or drawing.frame in frames for drawing in kept], np.bool_)


def _learned_by_now(base: Record, taught: Iterable[str] = ()) -> tuple[str, ...]:
    """Ids of what the base was taught with, and of what it is taught with now."""
    return tuple(sorted({*(base.teaching.learned if base.teaching else ()), *taught}))


def _images(kept: Sequence[StoredDrawing]) -> LabelledImages:
    frames = np.stack([drawing.image for drawing in kept])
    return LabelledImages("drawings", frames, np.array([drawing.label for drawing in kept], np.int64))
