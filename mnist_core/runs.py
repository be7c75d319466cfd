"""A run: one training by a recipe, in a folder of its own that tells everything about it.

`run.json` says what was asked for and which process does it; `events.jsonl` grows by a line whenever something
happens; `model.safetensors` and `model.json`, the version, appear when it is finished. Whoever follows a run reads
these files, so it makes no difference which program started it, and nothing is lost when a reader goes away.
"""

import json
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from mnist_core.calibration import calibrate
from mnist_core.datasets import IMAGE_COUNTS, DataName, load_dataset
from mnist_core.errors import MnistCoreError, RunError
from mnist_core.evaluation import evaluate
from mnist_core.files import write_atomically
from mnist_core.inference import DigitClassifier
from mnist_core.recipes import CHANGED, RECIPES, Recipe
from mnist_core.records import Record, library_versions, now
from mnist_core.registry import RECORD_FILE, Version, save_version
from mnist_core.training import EpochProgress, StepProgress, Trained, default_device, train

RUN_FILE, EVENTS_FILE, LOG_FILE, CANCEL_FILE = "run.json", "events.jsonl", "log.txt", "cancel"

State = Literal["running", "finished", "failed", "cancelled", "interrupted"]
Event = Mapping[str, Any]
Emit = Callable[[Event], None]


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands, read from its folder."""

    id: str
    folder: Path
    state: State
    recipe: Recipe
    data: DataName
    created: str
    """UTC, ISO 8601."""
    pid: int
    """The process that does it, or did."""
    events: tuple[Event, ...] = field(repr=False, default=())

    def of(self, kind: str) -> list[Event]:
        """The events of one kind, in order: download, loaded, step, epoch, evaluating, finished, failed, cancelled."""
        return [event for event in self.events if event["event"] == kind]

    @property
    def message(self) -> str:
        """Why the run failed or ended early, in a sentence; empty where it did not."""
        if self.state == "failed":
            return str(self.of("failed")[-1]["message"])
        if self.state == "interrupted":
            return "The training process ended without a word, as after a crash or a power cut. Start it again."
        if self.state == "cancelled":
            return "Cancelled before it was finished; nothing was changed."
        return ""


def perform(recipe: Recipe, data: DataName, folder: Path, emit: Emit) -> Version:
    """Do a whole run: read the images, train, evaluate once on the test images, save the version into `folder`.

    `emit` is told of everything that happens, the end included, as plain values.

    Raises:
        DatasetError: the images are not to be had.
        WeightsError: the version cannot be saved.
    """
    try:
        version = _perform(recipe, data, folder, emit)
    except KeyboardInterrupt:
        emit({"event": "cancelled"})
        raise
    except MnistCoreError as error:
        emit({"event": "failed", "kind": type(error).__name__, "message": str(error)})
        raise
    except Exception as error:
        message = f"Something unforeseen happened ({type(error).__name__}: {error}). The log tells where."
        emit({"event": "failed", "kind": type(error).__name__, "message": message})
        raise
    emit({"event": "finished", "version": version.name})
    return version


def _perform(recipe: Recipe, data: DataName, folder: Path, emit: Emit) -> Version:
    dataset = load_dataset(data, on_download=_throttled(emit))
    images = IMAGE_COUNTS[data]
    emit({"event": "loaded", "images": images})
    device = default_device()
    for progress in train(recipe, dataset, device=device):
        match progress:
            case StepProgress():
                emit({"event": "step", **asdict(progress)})
            case EpochProgress():
                emit({"event": "epoch", **progress.figures})
                last_epoch = progress
            case Trained():
                trained = progress
    emit({"event": "evaluating", "on": dataset.test.name})
    validation = dataset.validation
    calibration = calibrate(DigitClassifier(trained.model).logits(validation.images), validation.labels)
    record = Record(
        recipe=recipe,
        command=shlex.join(train_command(recipe, data)),
        data=data,
        images=images,
        checksums=dataset.checksums,
        validation_accuracy=last_epoch.validation_accuracy,
        calibration=calibration,
        evaluation=evaluate(DigitClassifier(trained.model, calibration), dataset.test),
        duration_seconds=round(trained.seconds, 3),
        device=device.type,
        created=now(),
        libraries=library_versions(),
    )
    return save_version(folder, trained.model, record)


def train_command(recipe: Recipe, data: DataName) -> list[str]:
    """The command line that trains by this recipe: a named one, and what differs from it."""
    plain = RECIPES.get(recipe.name.removesuffix(CHANGED), RECIPES["article"]).to_dict()
    command = ["mnist-core", "train", "--recipe", plain["name"], "--data", data]
    for name, value in recipe.to_dict().items():
        if name != "name" and value != plain[name]:
            command += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return command


def write_run(folder: Path, recipe: Recipe, data: DataName, pid: int) -> None:
    """Note in `folder` what is run there, and by which process."""
    run = {
        "recipe": recipe.to_dict(),
        "data": data,
        "created": now(),
        "pid": pid,
        # a process number is used again after a while; with its starting time it is unique
        "process_started": psutil.Process(pid).create_time(),
    }
    write_atomically(folder / RUN_FILE, json.dumps(run, indent=1) + "\n")


def append_event(folder: Path, event: Event) -> None:
    """Add a line to the run's events; whole lines only, as readers may come at any time."""
    with (folder / EVENTS_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"time": time.time(), **event}) + "\n")


def read_run(folder: Path) -> RunStatus:
    """Where the run in `folder` stands.

    Raises:
        RunError: there is no run in it, or what describes it is damaged.
    """
    try:
        run = json.loads((folder / RUN_FILE).read_text())
        events = _read_events(folder)
        return RunStatus(
            id=folder.name,
            folder=folder,
            state=_state(folder, run, events),
            recipe=Recipe.from_dict(run["recipe"]),
            data=run["data"],
            created=run["created"],
            pid=int(run["pid"]),
            events=events,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder} holds no run that can be read ({error!r}). Start a new one.") from error


def _state(folder: Path, run: Mapping[str, Any], events: tuple[Event, ...]) -> State:
    endings: tuple[State, ...] = ("finished", "failed", "cancelled")
    for ending in endings:
        if events and events[-1]["event"] == ending:
            return ending
    if _is_alive(run["pid"], run["process_started"]):
        return "running"
    if (folder / RECORD_FILE).exists():  # saved, and killed before it could say so
        return "finished"
    return "cancelled" if (folder / CANCEL_FILE).exists() else "interrupted"


def _is_alive(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _read_events(folder: Path) -> tuple[Event, ...]:
    try:
        lines = (folder / EVENTS_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    events = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:  # half a line: being written, or cut off by a crash
            continue
        if isinstance(event, dict) and "event" in event:
            events.append(event)
    return tuple(events)


def _throttled(emit: Emit) -> Callable[[str, int, int], None]:
    """Tell of a download a few times a second rather than at every packet, and of each file's end."""
    last = 0.0

    def on_download(file: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 0.2 or done == total:
            last = time.monotonic()
            emit({"event": "download", "file": file, "bytes": done, "bytes_total": total})

    return on_download
