"""Delete versions, and restore them for a while."""

import os
import shutil
import time
from pathlib import Path

from mnist_core.errors import WeightsError
from mnist_core.files import deleted_dir, runs_dir
from mnist_core.versions.active import active_name
from mnist_core.versions.registry import RECORD_FILE, Version, name_of, version

UNDO_DAYS = 7
"""A deleted version can be restored for this long."""


def delete(name: str) -> None:
    """Delete one of your own versions; `restore` brings it back for `UNDO_DAYS` days.

    Raises:
        WeightsError: it is active, came with the repository, or cannot be moved.
    """
    chosen = version(name)
    if chosen.shipped or chosen.folder.parent.resolve() != runs_dir().resolve():
        raise WeightsError(f"{name} came with the installation and cannot be deleted.")
    if name_of(chosen.folder) == active_name():
        raise WeightsError(f"{name} is the active version. Make another version active first, then delete this one.")
    _remove_expired()
    try:
        deleted_dir().mkdir(exist_ok=True)
        os.utime(chosen.folder)  # the days count from now
        chosen.folder.rename(deleted_dir() / chosen.folder.name)
    except OSError as error:
        raise WeightsError(f"{name} cannot be deleted ({error}). It stays.") from error


def restore(name: str) -> Version:
    """Restore a deleted version.

    Raises:
        WeightsError: it was not deleted in the last days, or cannot be moved.
    """
    folder = deleted_dir() / Path(name).name
    if not (folder / RECORD_FILE).exists():
        raise WeightsError(f"{name} is not among the versions deleted in the last {UNDO_DAYS} days.")
    try:
        folder.rename(runs_dir() / folder.name)
    except OSError as error:
        raise WeightsError(f"{name} cannot be restored ({error}). Try again.") from error
    return version(f"runs/{folder.name}")


def deleted() -> list[str]:
    """List the names of the versions that can be restored, the last deleted first."""
    folders = [path.parent for path in deleted_dir().glob(f"*/{RECORD_FILE}")]
    return [f"runs/{folder.name}" for folder in sorted(folders, key=lambda folder: -folder.stat().st_mtime)]


def _remove_expired() -> None:
    for folder in deleted_dir().glob("*"):
        if time.time() - folder.stat().st_mtime > UNDO_DAYS * 24 * 3600:
            shutil.rmtree(folder, ignore_errors=True)
