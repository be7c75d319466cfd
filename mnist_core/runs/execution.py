"""Doing a run: read the images, train, judge once, save the version; and tell of everything on the way."""

import json
import shlex
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from mnist_core.errors import MnistCoreError
from mnist_core.evaluation.evaluation import evaluate
from mnist_core.evaluation.statistics import mcnemar
from mnist_core.explanation.pictures import first_layer, to_png
from mnist_core.files import write_atomically
from mnist_core.images.datasets import IMAGE_COUNTS, DataName, Dataset, LabelledImages, load_dataset
from mnist_core.network.calibration import calibrate
from mnist_core.network.classifier import DigitClassifier
from mnist_core.recipes import Recipe
from mnist_core.runs.assignments import Assignment, kept_drawings
from mnist_core.runs.finetune import teach_version
from mnist_core.runs.folder import CHECKPOINT_FILE, FIRST_LAYER_FILE, Emit, Event, append_event, append_log
from mnist_core.runs.status import RunStatus
from mnist_core.runs.tensorboard import EventFiles
from mnist_core.training import parallel
from mnist_core.training.checkpoints import Checkpoint
from mnist_core.training.loop import default_device, train
from mnist_core.training.progress import EpochProgress, StepProgress, Trained
from mnist_core.versions.records import Curve, Record, library_versions, now
from mnist_core.versions.registry import Version, save_version, teacher_of

PICTURE_SECONDS = 0.5
"""The picture of the first layer is not made more often."""


def perform(run: RunStatus, show: Emit = lambda _: None) -> Version:
    """Do a whole run, or what is left of it since its last checkpoint, and save the version into its folder.

    Everything that happens, the end included, is written into the folder and told to `show` as plain values.

    Raises:
        DatasetError: the images are not to be had.
        CheckpointError: the run cannot go on from where it stopped.
        WeightsError: the version cannot be saved.
    """
    with _telling(run, show) as emit:
        version = _perform(run, emit) if run.lesson is None else teach_version(run, run.lesson, emit)
        emit({"event": "finished", "version": version.name, **_taught(version.record)})
    (run.folder / CHECKPOINT_FILE).unlink(missing_ok=True)  # only now: a crash before can be gone on from
    return version


def assist(assignment: Assignment) -> None:
    """Learn together with the process that does the run, as `torchrun` wants of all others; see `parallel`."""
    dataset = _with_drawings(_load(assignment.data, lambda _: None), assignment.drawings)
    for _ in train(assignment.recipe, dataset, device=default_device(), teacher=teacher_of(assignment.recipe)):
        pass


def _with_drawings(dataset: Dataset, drawings: LabelledImages | None) -> Dataset:
    """The data set with the drawings, if any, among its training images."""
    return dataset if drawings is None else replace(dataset, train=dataset.train.with_(drawings))


@contextmanager
def _telling(run: RunStatus, show: Emit) -> Iterator[Emit]:
    """Where to tell what happens; tells of a bad end by itself."""
    event_files = EventFiles(run.folder, run.resumable_epoch)

    def emit(event: Event) -> None:
        append_event(run.folder, event)
        if words := in_words(event, run.recipe):
            append_log(run.folder, words)
        event_files(event)
        show(event)

    try:
        yield emit
    except KeyboardInterrupt:
        emit({"event": "cancelled"})
        raise
    except MnistCoreError as error:
        emit({"event": "failed", "kind": type(error).__name__, "message": str(error)})
        raise
    except Exception as error:
        append_log(run.folder, traceback.format_exc())
        message = f"Something unforeseen happened ({type(error).__name__}: {error}). The log tells where."
        emit({"event": "failed", "kind": type(error).__name__, "message": message})
        raise
    finally:
        event_files.close()


def _perform(run: RunStatus, emit: Emit) -> Version:
    for left_over in run.folder.glob(".*.*"):  # by a process that was killed while it wrote
        left_over.unlink(missing_ok=True)
    drawings = kept_drawings(run.folder)
    dataset = _with_drawings(_load(run.data, emit), drawings)
    counts = {**IMAGE_COUNTS[run.data], "training": len(dataset.train)}
    if drawings is not None:
        counts["drawings"] = len(drawings)
    emit({"event": "loaded", "images": counts})
    path = run.folder / CHECKPOINT_FILE
    checkpoint = Checkpoint.load(path) if path.exists() else None
    if checkpoint is not None:
        emit({"event": "resumed", "epoch": checkpoint.epoch})
    epochs = run.of("epoch")
    picture_due = 0.0
    learning = train(run.recipe, dataset, device=default_device(), resume=checkpoint, teacher=teacher_of(run.recipe))
    for progress in learning:
        match progress:
            case StepProgress():
                emit({"event": "step", **asdict(progress)})
            case EpochProgress():
                epochs.append(progress.figures)
                if time.monotonic() >= picture_due:
                    picture_due = time.monotonic() + PICTURE_SECONDS
                    write_atomically(run.folder / FIRST_LAYER_FILE, to_png(first_layer(progress.model)))
                emit({"event": "epoch", **progress.figures})
                progress.checkpoint().save(path)  # last: a crash before it repeats the epoch, none is left untold
            case Trained():
                trained = progress
    write_atomically(run.folder / FIRST_LAYER_FILE, to_png(first_layer(trained.model)))
    emit({"event": "evaluating", "on": dataset.test.name})
    return save_version(run.folder, trained.model, _judge(run, dataset, trained, Curve.of(epochs), counts))


def _judge(run: RunStatus, dataset: Dataset, trained: Trained, curve: Curve, counts: Mapping[str, int]) -> Record:
    """Calibrate on the validation images, look at the test images once, and write down all of it."""
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


def _taught(record: Record) -> dict[str, Any]:
    """What a lesson came to, for a program that decides by it; of other runs nothing."""
    if record.teaching is None:
        return {}
    teaching, right, wrong = record.teaching, len(record.teaching.newly_right), len(record.teaching.newly_wrong)
    judged = (("drawings", teaching.before, teaching.after), ("test", teaching.test_before, record.evaluation))
    figures: dict[str, Any] = {
        name: {"images": after.images, "right_before": before.correct, "right_after": after.correct}
        for name, before, after in judged
    }
    return {"teaching": {**figures, "newly_right": right, "newly_wrong": wrong, "p_value": mcnemar(wrong, right)}}


def train_command(recipe: Recipe, data: DataName) -> list[str]:
    """The command line that trains by this recipe: a named one, and what differs from it."""
    command = ["mnist-core", "train", "--recipe", recipe.named_after.name, "--data", data]
    for name, value in recipe.changes.items():
        command += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return command


def _load(data: DataName, emit: Emit) -> Dataset:
    """Read the images; where several processes need them, the first downloads what is missing."""
    with parallel.first_alone():
        return load_dataset(data, on_download=_throttled(emit))


def _throttled(emit: Emit) -> Callable[[str, int, int], None]:
    """Tell of a download a few times a second rather than at every packet, and of each file's end."""
    last = 0.0

    def on_download(file: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 0.2 or done == total:
            last = time.monotonic()
            emit({"event": "download", "file": file, "bytes": done, "bytes_total": total})

    return on_download


def in_words(event: Event, recipe: Recipe | None = None) -> str:
    """An event as a line for a log or a pipe; empty where it is not worth one."""
    match event["event"]:
        case "download" if event["bytes"] == event["bytes_total"]:
            return f"downloaded {event['file']} ({event['bytes'] / 1e6:.1f} MB)"
        case "loaded":
            return ", ".join(f"{count:,} {part}" for part, count in event["images"].items()) + " images"
        case "taught":
            return f"taught with {event['drawings']:,} drawings, {event['passed_over']:,} passed over"
        case "resumed":
            return f"going on after epoch {event['epoch']}"
        case "epoch":
            of = f"/{recipe.epochs}" if recipe else ""
            return (
                f"epoch {event['epoch']}{of}: loss {event['train_loss']:.4f}, "
                f"validation loss {event['validation_loss']:.4f}, "
                f"validation accuracy {event['validation_accuracy']:.2%}, {event['seconds']:.1f} s"
            )
        case "evaluating":
            return f"evaluating on {event['on']}"
        case "finished" | "cancelled":
            return str(event["event"])
        case "failed":
            return f"failed: {event['message']}"
    return ""
