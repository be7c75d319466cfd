"""The active version: make another one active, roll back, and list which version was active when.

All of it is one file, `<weights>/active`, replaced as a whole: a JSON object on each line, the last one for the version
that is active now. Without the file, the shipped default is active.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from mnist_core.errors import WeightsError
from mnist_core.files import weights_dir, write_atomically
from mnist_core.versions.records import now
from mnist_core.versions.registry import DEFAULT, Version, load_version, version


@dataclass(frozen=True)
class Change:
    """A change of the active version."""

    name: str
    """The version that is active from then on."""
    how: Literal["promoted", "rolled back"]
    since: str
    """UTC, ISO 8601."""


_CHANGE = TypeAdapter(Change)


def active_name() -> str:
    """Return the name of the active version: the shipped default until another one is promoted."""
    changes = history()
    return changes[-1].name if changes else DEFAULT


def active_version() -> Version:
    """Return the active version.

    Raises:
        WeightsError: it cannot be read.
    """
    return version(active_name())


def history() -> list[Change]:
    """List all changes of the active version, the first one first; lines that cannot be read are skipped."""
    try:
        lines = _active_file().read_bytes().splitlines()
    except OSError:
        return []
    changes = []
    for line in lines:
        with suppress(ValidationError):
            changes.append(_CHANGE.validate_json(line))
    return changes


def promote(name: str) -> Version:
    """Make a version the active one, everywhere, from the next drawing on.

    Raises:
        WeightsError: it cannot be loaded, or the change cannot be written; the active version then stays.
    """
    with _changing() as changes:
        promoted = version(name)
        load_version(promoted.folder)
        if not changes or changes[-1].name != name:
            changes.append(Change(name, "promoted", now()))
    return promoted


def previous() -> str | None:
    """Return the version that rolling back leads to: of the earlier active ones, the last that can still be loaded."""
    *before, _ = _stack(history())
    for name in reversed(before):
        try:
            load_version(version(name).folder)
        except WeightsError:
            continue
        return name
    return None


def roll_back() -> Version:
    """Make the version active again that was before the active one was promoted.

    Raises:
        WeightsError: there is none, or the change cannot be written; the active version then stays.
    """
    with _changing() as changes:
        name = previous()
        if name is None:
            raise WeightsError("No version was active before this one. Make another version active instead.")
        changes.append(Change(name, "rolled back", now()))
    return version(name)


def _stack(changes: list[Change]) -> list[str]:
    """Return the versions that were promoted on top of each other and not rolled back since."""
    stack = [DEFAULT]
    for change in changes:
        if change.how == "rolled back" and change.name in stack:
            del stack[len(stack) - stack[::-1].index(change.name) :]
        elif stack[-1] != change.name:
            stack.append(change.name)
    return stack


def _active_file() -> Path:
    return weights_dir() / "active"


@contextmanager
def _changing() -> Iterator[list[Change]]:
    """Lend the history to one process at a time, and write it unless something goes wrong."""
    try:
        weights_dir().mkdir(parents=True, exist_ok=True)
        with FileLock(weights_dir() / ".promoting", timeout=30):
            changes = history()
            yield changes
            write_atomically(_active_file(), "".join(json.dumps(asdict(change)) + "\n" for change in changes))
    except (OSError, Timeout) as error:
        raise WeightsError(f"{weights_dir()} cannot be written ({error}). The active version stays.") from error
