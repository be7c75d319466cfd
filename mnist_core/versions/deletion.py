"""Deleting versions, and bringing them back for a while."""

import os
import shutil
import time
from pathlib import Path

from mnist_core.errors import WeightsError
from mnist_core.files import deleted_dir, runs_dir
from mnist_core.versions.active import active_name
from mnist_core.versions.registry import RECORD_FILE, Version, name_of, version

UNDO_DAYS = 7
"""For so long a deleted version can be brought back."""


def delete(name: str) -> None:
    """Take one's own version out of the list; `restore` brings it back for `UNDO_DAYS` days.

    Raises:
        WeightsError: it answers now, came with the repository, or cannot be moved.
    """
    chosen = version(name)
    if chosen.shipped or chosen.folder.parent.resolve() != runs_dir().resolve():
        raise WeightsError(f"{name} came with the installation and stays.")
    if name_of(chosen.folder) == active_name():
        raise WeightsError(f"{name} answers on the Draw page. Promote another version first, then delete this one.")
    _forget_what_was_deleted_long_ago()
    try:
        deleted_dir().mkdir(exist_ok=True)
        os.utime(chosen.folder)  # from now on the days are counted
        chosen.folder.rename(deleted_dir() / chosen.folder.name)
    except OSError as error:
        raise WeightsError(f"{name} cannot be deleted ({error}). It stays.") from error


def restore(name: str) -> Version:
    """Bring a deleted version back.

    Raises:
        WeightsError: it is not among the deleted ones, or cannot be moved.
    """
    folder = deleted_dir() / Path(name).name
    if not (folder / RECORD_FILE).exists():
        raise WeightsError(f"{name} is not among the versions deleted in the last {UNDO_DAYS} days.")
    try:
        folder.rename(runs_dir() / folder.name)
    except OSError as error:
        raise WeightsError(f"{name} cannot be brought back ({error}). Try again.") from error
    return version(f"runs/{folder.name}")


def deleted() -> list[str]:
    """The names of the versions that can be brought back, the last deleted first."""
    folders = [path.parent for path in deleted_dir().glob(f"*/{RECORD_FILE}")]
    return [f"runs/{folder.name}" for folder in sorted(folders, key=lambda folder: -folder.stat().st_mtime)]


def _forget_what_was_deleted_long_ago() -> None:
    for folder in deleted_dir().glob("*"):
        if time.time() - folder.stat().st_mtime > UNDO_DAYS * 24 * 3600:
            shutil.rmtree(folder, ignore_errors=True)
