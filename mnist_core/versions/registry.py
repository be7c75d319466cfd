"""Versions of the model on disk: save, load, find, list.

A version is a folder with two files: `model.safetensors`, the weights, and `model.json`, the record from which the
network can be rebuilt and trained again. Shipped versions are in the repository's `weights/`, your own in
`<weights>/runs/<id>/`; `deletion` moves them to `<weights>/deleted/` for a while. `active` says which one answers.
"""

import dataclasses
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as bytes_from_tensors

from mnist_core.errors import WeightsError
from mnist_core.files import SHIPPED, deleted_dir, read_when_changed, runs_dir, weights_dir, write_atomically
from mnist_core.network.model import MLP
from mnist_core.recipes import Recipe
from mnist_core.versions.records import Record

DEFAULT = "best"
MAX_NAME_LENGTH = 200  # file systems refuse much longer ones with an error of their own
WEIGHTS_FILE, RECORD_FILE = "model.safetensors", "model.json"


_REMEDY = f"Choose another version, such as the shipped one ({SHIPPED.name}/{DEFAULT}), or train a new one."


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
        """Return the size of its weights on disk."""
        return (self.folder / WEIGHTS_FILE).stat().st_size


@dataclass(frozen=True)
class LoadedVersion:
    """A network with its record."""

    model: MLP
    record: Record


def save_version(folder: Path, model: MLP, record: Record) -> Version:
    """Write a version into `folder`; see `write_version`.

    Raises:
        WeightsError: it cannot be written.
    """
    weights = bytes_from_tensors({name: tensor.contiguous() for name, tensor in model.state_dict().items()})
    return write_version(folder, weights, dataclasses.replace(record, weights_sha256=_sha256(weights)))


def write_version(folder: Path, weights: bytes, record: Record) -> Version:
    """Write a version into `folder`, which is created if it is missing: the weights first, the record last.

    Each file is written whole or not at all. A folder without a record holds no version, so a crash in between leaves
    none behind.

    Raises:
        WeightsError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECORD_FILE).unlink(missing_ok=True)
        write_atomically(folder / WEIGHTS_FILE, weights)
    except OSError as error:
        raise WeightsError(f"{folder} cannot be written ({error}). Make room or choose another folder.") from error
    save_record(folder, record)
    return Version(name_of(folder), folder, record)


def save_record(folder: Path, record: Record) -> None:
    """Replace a version's record; its weights stay.

    Raises:
        WeightsError: it cannot be written.
    """
    try:
        write_atomically(folder / RECORD_FILE, record.to_json())
    except OSError as error:
        raise WeightsError(f"{folder} cannot be written ({error}). Make room or choose another folder.") from error


def load_version(folder: Path) -> LoadedVersion:
    """Load a version and check that its record is complete and that the weights match it.

    Raises:
        WeightsError: a file is missing, damaged or foreign; the message names it.
    """
    record, path = read_record(folder), folder / WEIGHTS_FILE
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error}). {_REMEDY}") from error
    return LoadedVersion(rebuild(weights, record, str(path)), record)


def rebuild(weights: bytes, record: Record, source: str) -> MLP:
    """Build the network that a record describes from its weights, which `source` names in messages.

    Raises:
        WeightsError: the weights are damaged or do not match the record.
    """
    if _sha256(weights) != record.weights_sha256:
        raise WeightsError(f"{source} is damaged or does not belong to its record. {_REMEDY}")
    try:
        if len(weights) < 4 * record.recipe.parameter_count:  # checked before memory is allocated for them
            raise RuntimeError("too few weights")
        tensors = tensors_from_bytes(weights)
        if any(tensor.dtype != torch.float32 for tensor in tensors.values()):
            raise RuntimeError("not 32-bit floating-point numbers")
        model = MLP(record.recipe.layer_sizes)
        model.load_state_dict(tensors)
    except RuntimeError as error:
        layers = "-".join(map(str, record.recipe.layer_sizes))
        raise WeightsError(f"{source} does not fit the layers of its record, {layers}. {_REMEDY}") from error
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{source} cannot be read ({error}). {_REMEDY}") from error
    return model


def teacher_of(recipe: Recipe) -> MLP | None:
    """Load the network that a recipe learns from; None for a recipe without a teacher.

    Raises:
        WeightsError: there is no such version, or it cannot be loaded.
    """
    return load_version(find(recipe.teacher)).model if recipe.teacher else None


def read_record(folder: Path) -> Record:
    """Read a version's record, without its weights.

    Raises:
        WeightsError: it is missing, damaged or not one of ours.
    """
    path = folder / RECORD_FILE
    try:
        return _read_record(folder)
    except FileNotFoundError as error:
        raise WeightsError(f"{folder} holds no version: {RECORD_FILE} is missing. {_REMEDY}") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} is not the record of a version ({error}). {_REMEDY}") from error


@read_when_changed(RECORD_FILE, maxsize=1024)
def _read_record(folder: Path) -> Record:
    return Record.from_json((folder / RECORD_FILE).read_bytes())


def version(name: str) -> Version:
    """Find a version by its name and read its record.

    Raises:
        WeightsError: there is none, or its record is damaged.
    """
    folder = find(name)
    return Version(name, folder, read_record(folder))


def find(name: str) -> Path:
    """Return the folder of a version by its name: a shipped one's, or `runs/<id>`.

    Raises:
        WeightsError: there is none.
    """
    homes = () if name.startswith(deleted_dir().name) else (weights_dir(), SHIPPED)
    for home in homes if len(name) <= MAX_NAME_LENGTH else ():
        folder = home / name
        if Path(normpath(folder)).is_relative_to(normpath(home)) and folder.is_dir():  # `..` must not lead out
            return folder
    raise WeightsError(f"There is no version called {name!r:.200}. {_REMEDY}")


def all_versions() -> list[Version]:
    """List all versions whose record can be read: your own, the latest first, then the shipped ones."""
    folders = sorted((path.parent for path in runs_dir().glob(f"*/{RECORD_FILE}")), reverse=True)
    folders += sorted(path.parent for path in SHIPPED.glob(f"*/{RECORD_FILE}"))
    versions = []
    for folder in folders:
        with suppress(WeightsError):
            name = folder.name if folder.parent == SHIPPED else f"runs/{folder.name}"
            versions.append(Version(name, folder, read_record(folder)))
    return versions


def name_of(folder: Path) -> str:
    """Return the name of the version in a folder: its path below the weights folder, else the whole path."""
    folder = folder.resolve()
    weights = weights_dir().resolve()
    return folder.relative_to(weights).as_posix() if folder.is_relative_to(weights) else str(folder)


def _sha256(weights: bytes) -> str:
    return hashlib.sha256(weights).hexdigest()
