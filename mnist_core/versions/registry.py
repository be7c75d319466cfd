"""Versions of the model on disk: save, load, list, delete.

A version is a folder with two files: `model.safetensors`, the weights, and `model.json`, the record from which the
network can be rebuilt and retrained. Shipped versions lie in the repository's `weights/`, one's own in
`<weights>/runs/<id>/`; deleted ones stay in `<weights>/deleted/` for a while. Which one
answers is the business of `active`.
"""

import dataclasses
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as bytes_from_tensors

from mnist_core.errors import MnistCoreError, WeightsError
from mnist_core.files import SHIPPED, deleted_dir, runs_dir, weights_dir, write_atomically
from mnist_core.network.model import MLP
from mnist_core.recipes import Recipe
from mnist_core.versions.records import Record

DEFAULT = "best"
WEIGHTS_FILE, RECORD_FILE = "model.safetensors", "model.json"


@dataclass(frozen=True)
class Version:
    """A version on disk; `name` is what `promote` takes."""

    name: str
    folder: Path
    record: Record

    @property
    def shipped(self) -> bool:
        """Whether it came with the repository."""
        return self.folder.parent == SHIPPED

    @property
    def bytes(self) -> int:
        """The size of its weights on disk."""
        return (self.folder / WEIGHTS_FILE).stat().st_size


@dataclass(frozen=True)
class LoadedVersion:
    """A network with its record."""

    model: MLP
    record: Record


def save_version(folder: Path, model: MLP, record: Record) -> Version:
    """Write a version into `folder` (made if need be): weights first, record last, each whole or not at all.

    A folder without its record holds no version, so a crash in between leaves none behind.

    Raises:
        WeightsError: it cannot be written.
    """
    weights = bytes_from_tensors({name: tensor.contiguous() for name, tensor in model.state_dict().items()})
    record = dataclasses.replace(record, weights_sha256=hashlib.sha256(weights).hexdigest())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECORD_FILE).unlink(missing_ok=True)
        write_atomically(folder / WEIGHTS_FILE, weights)
    except OSError as error:
        raise WeightsError(f"{folder} cannot be written ({error}). Make room or choose another folder.") from error
    save_record(folder, record)
    return Version(name_of(folder), folder, record)


def save_record(folder: Path, record: Record) -> None:
    """Write a version's record anew; its weights stay.

    Raises:
        WeightsError: it cannot be written.
    """
    try:
        write_atomically(folder / RECORD_FILE, json.dumps(record.to_dict(), indent=1) + "\n")
    except OSError as error:
        raise WeightsError(f"{folder} cannot be written ({error}). Make room or choose another folder.") from error


def load_version(folder: Path) -> LoadedVersion:
    """Read a version and check it: the record is complete, the weights are the record's and fit its layers.

    Raises:
        WeightsError: a file is missing, damaged or foreign; the message names it.
    """
    record = read_record(folder)
    path = folder / WEIGHTS_FILE
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != record.weights_sha256:
            raise WeightsError(f"{path} is damaged or does not belong to its record. {_REMEDY}")
        if len(content) < 4 * record.recipe.parameter_count:  # before room is made for a network of any size
            raise RuntimeError("too few weights")
        model = MLP(record.recipe.layer_sizes)
        model.load_state_dict(tensors_from_bytes(content))
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} cannot be read ({error}). {_REMEDY}") from error
    except RuntimeError as error:
        layers = "-".join(map(str, record.recipe.layer_sizes))
        raise WeightsError(f"{path} does not fit the layers of its record, {layers}. {_REMEDY}") from error
    return LoadedVersion(model, record)


def teacher_of(recipe: Recipe) -> MLP | None:
    """Load the network that a recipe learns from; None for a recipe without a teacher.

    Raises:
        WeightsError: there is no such version, or it cannot be loaded.
    """
    return load_version(find(recipe.teacher)).model if recipe.teacher else None


def read_record(folder: Path) -> Record:
    """A version's record, without its weights.

    Raises:
        WeightsError: it is missing, damaged or not a record of ours.
    """
    path = folder / RECORD_FILE
    try:
        status = path.stat()
        return _read_record(path, (status.st_mtime_ns, status.st_size, status.st_ino))
    except FileNotFoundError as error:
        raise WeightsError(f"{folder} holds no version: {RECORD_FILE} is missing. {_REMEDY}") from error
    except (OSError, KeyError, TypeError, ValueError, AttributeError, MnistCoreError) as error:
        raise WeightsError(f"{path} is not a record of a version ({error!r}). {_REMEDY}") from error


@lru_cache(maxsize=1024)
def _read_record(path: Path, _stamp: object) -> Record:
    """Read again only when the file has changed: a list of all versions is asked for often."""
    return Record.from_dict(json.loads(path.read_text()))


def version(name: str) -> Version:
    """The version of that name.

    Raises:
        WeightsError: there is none, or its record is damaged.
    """
    folder = find(name)
    return Version(name, folder, read_record(folder))


def find(name: str) -> Path:
    """The folder of the version of that name: a shipped one, or `runs/<id>`.

    Raises:
        WeightsError: there is none.
    """
    homes = () if name.startswith(deleted_dir().name) else (weights_dir(), SHIPPED)
    for home in homes:
        folder = home / name
        if folder.is_dir() and folder.resolve().is_relative_to(home.resolve()):  # no way out with ..
            return folder
    raise WeightsError(f"There is no version called {name!r}. {_REMEDY}")


def all_versions() -> list[Version]:
    """Every version whose record can be read: one's own, the latest first, then the shipped ones."""
    folders = sorted((path.parent for path in runs_dir().glob(f"*/{RECORD_FILE}")), reverse=True)
    folders += sorted(path.parent for path in SHIPPED.glob(f"*/{RECORD_FILE}"))
    versions = []
    for folder in folders:
        with suppress(WeightsError):
            name = folder.name if folder.parent == SHIPPED else f"runs/{folder.name}"
            versions.append(Version(name, folder, read_record(folder)))
    return versions


def name_of(folder: Path) -> str:
    """What `version` finds a folder by: its path below the weights folder, else the whole path."""
    folder = folder.resolve()
    weights = weights_dir().resolve()
    return folder.relative_to(weights).as_posix() if folder.is_relative_to(weights) else str(folder)


_REMEDY = f"Choose another version, such as the shipped one ({SHIPPED.name}/{DEFAULT}), or train a new one."
