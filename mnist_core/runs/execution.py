"""Doing a run: read the images, train, evaluate once, save the version, and report every event on the way."""

import json
import shlex
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace

from mnist_core.errors import MnistCoreError
from mnist_core.evaluation.evaluation import evaluate
from mnist_core.explanation.pictures import first_layer, to_png
from mnist_core.files import write_atomically
from mnist_core.images.datasets import IMAGE_COUNTS, DataName, Dataset, LabelledImages, load_dataset
from mnist_core.network.calibration import calibrate
from mnist_core.network.classifier import DigitClassifier
from mnist_core.network.model import MLP
from mnist_core.recipes import Recipe
from mnist_core.runs import events
from mnist_core.runs.events import Emit, RunEvent, append_event, describe
from mnist_core.runs.finetune import fine_tune, teaching_result
from mnist_core.runs.folder import CHECKPOINT_FILE, FIRST_LAYER_FILE, RunRequest, append_log
from mnist_core.runs.status import RunStatus
from mnist_core.runs.tensorboard import EventFiles
from mnist_core.training import parallel
from mnist_core.training.checkpoints import Checkpoint
from mnist_core.training.loop import default_device, train
from mnist_core.training.progress import EpochProgress, StepProgress, Trained
from mnist_core.versions.records import Curve, Record, library_versions, now
from mnist_core.versions.registry import Version, save_version, teacher_of

PICTURE_SECONDS = 0.5
"""The shortest time between two pictures of the first layer."""
DOWNLOAD_SECONDS = 0.2
"""The shortest time between two events of a download."""


def perform(run: RunStatus, show: Emit = lambda _: None) -> Version:
    """Do a whole run, or what is left of it since its last checkpoint, and save the version into its folder.

    Every event, the end included, is written into the folder and passed to `show`.

    Raises:
        DatasetError: the images cannot be loaded.
        CheckpointError: the run cannot be resumed.
        WeightsError: the version cannot be saved.
    """
    with _reporting(run, show) as emit:
        version = _train_version(run, emit) if run.fine_tune is None else fine_tune(run, run.fine_tune, emit)
        emit(events.Finished(version=version.name, teaching=teaching_result(version.record)))
    (run.folder / CHECKPOINT_FILE).unlink(missing_ok=True)  # only now: after a crash before, the run can be resumed
    return version


def train_along(request: RunRequest) -> None:
    """Train together with the process that does the run, as every other process of a `torchrun` does."""
    dataset = _with_drawings(_load(request.data, lambda _: None), request.drawings)
    for _ in train(request.recipe, dataset, device=default_device(), teacher=teacher_of(request.recipe)):
        pass


@contextmanager
def _reporting(run: RunStatus, show: Emit) -> Iterator[Emit]:
    """Yield the function that reports an event; report by itself how the run ends if it does not finish."""
    event_files = EventFiles(run.folder, run.resumable_epoch)

    def emit(event: RunEvent) -> None:
        append_event(run.folder, event)
        if line := describe(event, run.recipe):
            append_log(run.folder, line)
        event_files(event)
        show(event)

    try:
        yield emit
    except KeyboardInterrupt:
        emit(events.Cancelled())
        raise
    except MnistCoreError as error:
        emit(events.Failed(kind=type(error).__name__, message=str(error)))
        raise
    except Exception as error:
        append_log(run.folder, traceback.format_exc())
        message = f"Something unexpected happened ({type(error).__name__}: {error}). The log says where."
        emit(events.Failed(kind=type(error).__name__, message=message))
        raise
    finally:
        event_files.close()


def _train_version(run: RunStatus, emit: Emit) -> Version:
    for left_over in run.folder.glob(".*.*"):  # temporary files of a process that was killed while it wrote
        left_over.unlink(missing_ok=True)
    drawings = run.drawings
    dataset = _with_drawings(_load(run.data, emit), drawings)
    counts = {**IMAGE_COUNTS[run.data], "training": len(dataset.train)}
    if drawings is not None:
        counts["drawings"] = len(drawings)
    emit(events.Loaded(images=counts))
    trained, curve = _train(run, dataset, emit)
    _draw_first_layer(run, trained.model)
    emit(events.Evaluating(on=dataset.test.name))
    return save_version(run.folder, trained.model, _evaluate(run, dataset, trained, curve, counts))


def _train(run: RunStatus, dataset: Dataset, emit: Emit) -> tuple[Trained, Curve]:
    """Train, from the checkpoint if there is one, and write a checkpoint after each epoch."""
    path = run.folder / CHECKPOINT_FILE
    checkpoint = Checkpoint.load(path) if path.exists() else None
    if checkpoint is not None:
        emit(events.Resumed(epoch=checkpoint.epoch))
    epochs = [asdict(epoch) for epoch in run.of(events.Epoch)]
    picture_due = 0.0
    teacher = teacher_of(run.recipe)
    for progress in train(run.recipe, dataset, device=default_device(), resume=checkpoint, teacher=teacher):
        match progress:
            case StepProgress():
                emit(events.Step(**asdict(progress)))
            case EpochProgress():
                epochs.append(progress.figures)
                if time.monotonic() >= picture_due:
                    picture_due = time.monotonic() + PICTURE_SECONDS
                    _draw_first_layer(run, progress.model)
                emit(events.Epoch(**progress.figures))
                progress.checkpoint().save(path)  # last: after a crash before it, the epoch is repeated and reported
            case Trained():
                return progress, Curve.of(epochs)
    raise AssertionError("training ends with the network")


def _draw_first_layer(run: RunStatus, model: MLP) -> None:
    write_atomically(run.folder / FIRST_LAYER_FILE, to_png(first_layer(model)))


def _evaluate(run: RunStatus, dataset: Dataset, trained: Trained, curve: Curve, counts: Mapping[str, int]) -> Record:
    """Calibrate on the validation images, evaluate on the test images once, and return the version's record."""
    validation = dataset.validation
    calibration = calibrate(DigitClassifier(trained.model).logits(validation.images), validation.labels)
    return Record(
        recipe=run.recipe,
        command=shlex.join(train_command(run.recipe, run.data) + ["--with-drawings"] * ("drawings" in counts)),
        data=run.data,
        images=counts,
        checksums=dataset.checksums,
        epoch=trained.epoch,
        validation_accuracy=trained.validation_accuracy,
        curve=curve,
        calibration=calibration,
        evaluation=evaluate(DigitClassifier(trained.model, calibration), dataset.test),
        duration_seconds=round(trained.seconds, 3),
        device=default_device().type,
        created=now(),
        libraries=library_versions(),
    )


def train_command(recipe: Recipe, data: DataName) -> list[str]:
    """Return the command line that trains by this recipe: a named one, and the fields that differ from it."""
    command = ["mnist-core", "train", "--recipe", recipe.named_after.name, "--data", data]
    for name, value in recipe.changes.items():
        command += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return command


def _with_drawings(dataset: Dataset, drawings: LabelledImages | None) -> Dataset:
    """Return the data set with the drawings, if any, among its training images."""
    return dataset if drawings is None else replace(dataset, train=dataset.train.with_(drawings))


def _load(data: DataName, emit: Emit) -> Dataset:
    """Read the images; if several processes need them, the first one downloads what is missing."""
    with parallel.first_alone():
        return load_dataset(data, on_download=_report_download(emit))


def _report_download(emit: Emit) -> Callable[[str, int, int], None]:
    """Report a download a few times a second rather than at every packet, and the end of each file."""
    reported = 0.0

    def on_download(file: str, done: int, total: int) -> None:
        nonlocal reported
        if time.monotonic() - reported >= DOWNLOAD_SECONDS or done == total:
            reported = time.monotonic()
            emit(events.Download(file=file, bytes=done, bytes_total=total))

    return on_download
