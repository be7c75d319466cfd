"""SQLite's file and what lies beside it: made where there is none, and told from another at the same path."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

LOG = ("-wal", "-shm")
"""Endings of the write-ahead log and of its index, which SQLite finds by name: those of a file that is gone would be
taken for a new one's."""
PATIENCE = 30
"""Seconds to wait for another process that makes the same file; it takes an instant."""

Identity = tuple[int, int]


def make(path: Path) -> None:
    """See that there is a file to be opened.

    Raises:
        OSError: it cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    with _alone(path):
        if not path.exists():  # else another process was first, and may have a log already
            for ending in LOG:
                _beside(path, ending).unlink(missing_ok=True)
            path.touch()


def identity(path: Path) -> Identity | None:
    """Which file stands at the path, whatever it holds; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def log_of(path: Path) -> Mapping[str, Identity | None]:
    """The files beside an open database, by their endings."""
    return {ending: identity(_beside(path, ending)) for ending in LOG}


def remove_log(path: Path, log: Mapping[str, Identity | None]) -> None:
    """Remove the log of a file that is not at the path any more; one that others began for a new file stays.

    Raises:
        OSError: it cannot be removed.
    """
    if not path.parent.exists():
        return
    with _alone(path):
        for ending, known in log.items():
            if known is not None and identity(_beside(path, ending)) == known:
                _beside(path, ending).unlink()


def _beside(path: Path, ending: str) -> Path:
    """Where SQLite keeps it: beside the file itself where the path is a link."""
    file = path.resolve()
    return file.with_name(file.name + ending)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process at a time; otherwise one might remove what another has just begun."""
    with FileLock(path.with_name(f".{path.name}.making"), timeout=PATIENCE):
        yield
