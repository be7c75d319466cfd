"""Where data, weights and runs are, atomic writes, and reading a file again only after it has changed."""

import contextlib
import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

REPOSITORY = Path(__file__).parents[1]
SHIPPED = REPOSITORY / "weights"
"""Holds the versions that come with the repository."""


def data_dir() -> Path:
    """Return the folder that holds `MNIST/raw`: `MNIST_DATA`, or `data/` in the repository."""
    return Path(os.environ.get("MNIST_DATA") or REPOSITORY / "data")


def weights_dir() -> Path:
    """Return the folder where versions live: `MNIST_WEIGHTS`, or `weights/` in the repository."""
    return Path(os.environ.get("MNIST_WEIGHTS") or SHIPPED)


def runs_dir() -> Path:
    """Return the folder where training runs live, and so the versions that were trained here."""
    return weights_dir() / "runs"


def deleted_dir() -> Path:
    """Return the folder where deleted versions are kept for a while; see `versions.deletion`."""
    return weights_dir() / "deleted"


def file_stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file does: modification time in ns, size and inode; None if there is no file.

    `read_when_changed` makes a cached reader of it.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def read_when_changed(maxsize: int) -> Callable[[Callable[[Path], T]], Callable[[Path], T]]:
    """Let a function that reads one file do so only after the file has changed, and return its last result otherwise.

    `maxsize` files are remembered. An exception is not: the next call reads again.
    """

    def decorate(read: Callable[[Path], T]) -> Callable[[Path], T]:
        @functools.lru_cache(maxsize)
        def read_once(path: Path, _stamp: tuple[int, int, int] | None) -> T:
            return read(path)

        @functools.wraps(read)
        def reader(path: Path) -> T:
            return read_once(path, file_stamp(path))

        return reader

    return decorate


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write `content` to a temporary file beside `path` and rename it.

    Readers see either the previous file or the whole new one, also after a power cut.

    Raises:
        OSError: the folder is missing or not writable, or the disk is full; `path` is then unchanged.
    """
    data = content.encode() if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp's 0600 would hide a version from a server run by another user
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
