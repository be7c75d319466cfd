"""Which version answers: promote one, roll back to the one before, and who answered when.

All of it is one file, `<weights>/active`, replaced as a whole: a JSON object a line, the last one for the version that
answers now. Where it is missing, the shipped default answers.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from mnist_core.errors import WeightsError
from mnist_core.files import weights_dir, write_atomically
from mnist_core.versions.records import now
from mnist_core.versions.registry import DEFAULT, Version, load_version, version


@dataclass(frozen=True)
class Change:
    """A change of the version that answers."""

    name: str
    """The version that answers from then on."""
    how: Literal["promoted", "rolled back"]
    since: str
    """UTC, ISO 8601; empty where nobody wrote that down."""


def active_name() -> str:
    """Return the name of the active version; the shipped default where none was promoted."""
    changes = history()
    return changes[-1].name if changes else DEFAULT


def active_version() -> Version:
    """Return the active version.

    Raises:
        WeightsError: it cannot be read.
    """
    return version(active_name())


def history() -> list[Change]:
    """Who answered when, the first change first; before it, the shipped default did."""
    try:
        lines = _active_file().read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    changes = []
    for line in filter(None, map(str.strip, lines)):
        try:
            changes.append(Change(**json.loads(line)))
        except (ValueError, TypeError):
            changes.append(Change(line, "promoted", ""))  # of old, the file held a name and nothing else
    return changes


def promote(name: str) -> Version:
    """Make a version the one that answers, everywhere, from the next drawing on.

    Raises:
        WeightsError: it cannot be loaded, or the choice cannot be written; the active version then stays.
    """
    with _changing() as changes:
        promoted = version(name)
        load_version(promoted.folder)
        if not changes or changes[-1].name != name:
            changes.append(Change(name, "promoted", now()))
    return promoted


def previous() -> str | None:
    """The version that rolling back leads to: of those that answered before the active one, the last that still can."""
    *before, _ = _stack(history())
    for name in reversed(before):
        try:
            load_version(version(name).folder)
        except WeightsError:
            continue
        return name
    return None


def roll_back() -> Version:
    """Let the version answer that did before the active one was promoted.

    Raises:
        WeightsError: there is none, or the choice cannot be written; the active version then stays.
    """
    with _changing() as changes:
        name = previous()
        if name is None:
            raise WeightsError("No version answered before this one. Promote another one instead.")
        changes.append(Change(name, "rolled back", now()))
    return version(name)


def _stack(changes: list[Change]) -> list[str]:
    """The versions that were promoted on top of each other and not rolled back since."""
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
    """The history, to be added to by one process at a time; written when nothing went wrong."""
    try:
        weights_dir().mkdir(parents=True, exist_ok=True)
        with FileLock(weights_dir() / ".promoting", timeout=30):
            changes = history()
            yield changes
            write_atomically(_active_file(), "".join(json.dumps(asdict(change)) + "\n" for change in changes))
    except (OSError, Timeout) as error:
        raise WeightsError(f"{weights_dir()} cannot be written ({error}). The active version stays.") from error
