"""Doing a run that fine-tunes: a copy of a version learns from some drawings, and both are evaluated on others."""

import dataclasses
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_core.drawings.store import DrawingStore, StoredDrawing
from mnist_core.evaluation.comparison import compare
from mnist_core.evaluation.evaluation import evaluate
from mnist_core.evaluation.statistics import mcnemar
from mnist_core.images.datasets import IMAGE_COUNTS, Dataset, LabelledImages, load_dataset, mnist_is_here
from mnist_core.network.classifier import DigitClassifier
from mnist_core.recipes import TAUGHT
from mnist_core.runs import events
from mnist_core.runs.events import BeforeAndAfter, Emit, TeachingResult
from mnist_core.runs.folder import FineTuneRequest, RunRequest, load_drawings
from mnist_core.runs.status import RunStatus
from mnist_core.training.finetune import DrawingsSplit, Taught, TeachProgress, TeachSettings, split_drawings, teach
from mnist_core.training.loop import default_device
from mnist_core.versions.records import Curve, Record, Teaching, library_versions, now
from mnist_core.versions.registry import LoadedVersion, Version, find, load_version, save_version, version


def prepare(request: FineTuneRequest) -> RunRequest:
    """Return the request for a run that fine-tunes: the recipe of the base version, and the images to replay.

    Raises:
        WeightsError: there is no such version.
        StoreError: the drawings cannot be read.
        TeachingError: there are too few drawings; the message says how many more are needed.
    """
    _choose(request)
    base = version(request.base).record
    recipe = dataclasses.replace(base.recipe, name=base.recipe.name.removesuffix(TAUGHT) + TAUGHT)
    return RunRequest(recipe, "mnist" if mnist_is_here() and base.data == "mnist" else "sample", request)


def fine_tune(run: RunStatus, request: FineTuneRequest, emit: Emit) -> Version:
    """Fine-tune a copy of the base version, evaluate both, and save the copy into the run's folder.

    Raises:
        DatasetError, StoreError, TeachingError, WeightsError: something that is needed cannot be loaded.
    """
    base = load_version(find(request.base))
    chosen = _choose(request)
    dataset = load_dataset(run.data)
    emit(events.Loaded(images={"drawings": len(chosen.stored), **IMAGE_COUNTS[run.data]}))
    taught = _teach(base, chosen.part("drawings", chosen.split.teach), dataset, emit)
    emit(events.TeachingEnded(drawings=len(chosen.split.teach), skipped=len(taught.doubtful)))
    emit(events.Evaluating(on=dataset.test.name))
    after = DigitClassifier(taught.model, taught.calibration)
    record = Record(
        recipe=run.recipe,
        command=shlex.join(teach_command(request)),
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
        teaching=_evaluate(request, base, chosen, taught, after, dataset.test),
    )
    return save_version(run.folder, taught.model, record)


def teaching_result(record: Record) -> TeachingResult | None:
    """Return what fine-tuning changed, for a program that decides by it; None for a version trained from scratch."""
    teaching = record.teaching
    if teaching is None:
        return None
    right, wrong = len(teaching.newly_right), len(teaching.newly_wrong)
    return TeachingResult(
        drawings=BeforeAndAfter(teaching.after.images, teaching.before.correct, teaching.after.correct),
        test=BeforeAndAfter(record.evaluation.images, teaching.test_before.correct, record.evaluation.correct),
        newly_right=right,
        newly_wrong=wrong,
        p_value=mcnemar(wrong, right),
    )


def teach_command(request: FineTuneRequest) -> list[str]:
    """Return the command line that fine-tunes in the same way."""
    writers = (option for writer in request.writers for option in ("--writer", writer))
    return ["mnist-core", "teach", "--base", request.base, *writers]


def _teach(base: LoadedVersion, drawings: LabelledImages, dataset: Dataset, emit: Emit) -> Taught:
    """Fine-tune, and report the progress."""
    settings = TeachSettings.of(base.record.recipe)
    for progress in teach(base.model, drawings, dataset.train, dataset.validation, settings):
        match progress:
            case TeachProgress():
                emit(events.TeachingStep(**asdict(progress)))
            case Taught():
                return progress
    raise AssertionError("teaching ends with the copy")


def _evaluate(
    request: FineTuneRequest,
    base: LoadedVersion,
    chosen: "_Chosen",
    taught: Taught,
    after: DigitClassifier,
    test: LabelledImages,
) -> Teaching:
    """Evaluate the base version and the copy on the drawings that were held back."""
    before, recorded = DigitClassifier(base.model, base.record.calibration), base.record.evaluation
    judging = chosen.part("drawings held back", chosen.split.judge)
    compared = compare(before, after, judging)
    return Teaching(
        base=request.base,
        writers=request.writers,
        taught_with=len(chosen.split.teach),
        skipped=len(taught.doubtful),
        before=evaluate(before, judging),
        after=evaluate(after, judging),
        test_before=recorded if recorded.checksum == test.checksum else evaluate(before, test),
        newly_right=chosen.ids(chosen.split.judge[compared.only_other_right]),
        newly_wrong=chosen.ids(chosen.split.judge[compared.only_one_right]),
        learned=_ids_learned(base.record, chosen.ids(chosen.split.teach)),
    )


@dataclass(frozen=True)
class _Chosen:
    """The stored drawings of the requested writers, the oldest first, and which of them teach and which judge."""

    stored: list[StoredDrawing]
    split: DrawingsSplit

    def part(self, name: str, places: NDArray[np.int64]) -> LabelledImages:
        """Return the drawings at `places` (n,) as images."""
        return _images(self.stored).part(name, places)

    def ids(self, places: NDArray[np.int64]) -> tuple[str, ...]:
        """Return the ids of the drawings at `places` (n,)."""
        return tuple(self.stored[place].id for place in places)


def _choose(request: FineTuneRequest) -> _Chosen:
    with DrawingStore() as store:
        stored = store.find(request.writers or None, newest_first=False)
    labels = np.array([drawing.label for drawing in stored], np.int64)
    return _Chosen(stored, split_drawings(labels, learned=_learned(version(request.base), stored)))


def _learned(base: Version, stored: Sequence[StoredDrawing]) -> NDArray[np.bool_]:
    """Return which drawings (n,) the base version has learned from, by fine-tuning or by training."""
    ids = set(_ids_learned(base.record))
    trained_on = load_drawings(base.folder)
    frames = {image.tobytes() for image in trained_on.images} if trained_on else set()
    return np.array([drawing.id in ids or drawing.frame in frames for drawing in stored], np.bool_)


def _ids_learned(base: Record, taught: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the ids of the drawings that the base version was fine-tuned with, and of those `taught` now."""
    return tuple(sorted({*(base.teaching.learned if base.teaching else ()), *taught}))


def _images(stored: Sequence[StoredDrawing]) -> LabelledImages:
    frames = np.stack([drawing.image for drawing in stored])
    return LabelledImages("drawings", frames, np.array([drawing.label for drawing in stored], np.int64))
