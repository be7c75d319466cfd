"""Data sets load whole, and quickly the second time; damaged files are noticed, downloaded again, or named."""

import gzip
import hashlib
import http.server
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mnist_core.errors import DatasetError
from mnist_core.images import datasets
from mnist_core.images.datasets import (
    DATA_NAMES,
    DataName,
    Dataset,
    LabelledImages,
    download_mnist,
    load_dataset,
    mnist_is_here,
)
from tests.hostile import damaged, limits


def contents(part: LabelledImages) -> set[bytes]:
    return {image.tobytes() for image in part.images}


def test_the_sample_has_as_many_images_as_documented(sample: Dataset) -> None:
    counts = datasets.IMAGE_COUNTS["sample"]
    assert (len(sample.train), len(sample.validation), len(sample.test)) == tuple(counts.values())
    assert sample.train.images.shape[1:] == (28, 28)
    assert sample.train.images.dtype == np.uint8
    assert set(np.unique(sample.test.labels)) == set(range(10))


def test_sample_parts_share_no_image(sample: Dataset) -> None:
    train, validation, test = contents(sample.train), contents(sample.validation), contents(sample.test)
    assert not train & validation
    assert not (train | validation) & test


def test_split_is_the_same_every_time(sample: Dataset) -> None:
    assert load_dataset("sample").validation.checksum == sample.validation.checksum


def test_mnist_has_as_many_images_as_documented(mnist: Dataset) -> None:
    counts = datasets.IMAGE_COUNTS["mnist"]
    assert (len(mnist.train), len(mnist.validation), len(mnist.test)) == tuple(counts.values())
    assert np.bincount(mnist.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert not contents(mnist.train) & contents(mnist.validation)


def test_sample_comes_from_mnists_training_files(mnist: Dataset, sample: Dataset) -> None:
    assert contents(sample.test) <= contents(mnist.train) | contents(mnist.validation)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(DatasetError, match="mnist, sample"):
        load_dataset("cifar")  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", ["short", "bit flipped"])
def test_a_damaged_sample_says_how_to_repair_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    damaged = tmp_path / "mnist_5k.csv.gz"
    content = bytearray(gzip.compress(b"1,2,3\n" * 100))
    if damage == "bit flipped":
        content[12] ^= 0xFF
    damaged.write_bytes(content)
    monkeypatch.setattr(datasets, "_sample_path", lambda: damaged)
    with pytest.raises(DatasetError, match=r"mnist_5k\.csv\.gz.*pip install"):
        load_dataset("sample")


class Mirror:
    """A local server of small files that stand in for MNIST's."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.packed = {f"/{name}.gz": gzip.compress(content) for name, content in files.items()}
        packed = self.packed

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = packed.get(self.path)
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    files = {name: name.encode() * 100 for name in datasets.MNIST_FILES}
    digests = {name: (hashlib.md5(content).hexdigest(), len(content)) for name, content in files.items()}
    monkeypatch.setattr(datasets, "MNIST_FILES", digests)
    mirror = Mirror(files)
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()


def test_a_download_reports_progress_and_leaves_complete_files(mirror: Mirror, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    download_mnist(tmp_path, lambda *progress: seen.append(progress), [mirror.url])
    raw = tmp_path / "MNIST" / "raw"
    assert {path.name for path in raw.iterdir()} == set(datasets.MNIST_FILES)
    assert {name for name, done, total in seen if done == total > 0} == set(datasets.MNIST_FILES)


def test_complete_files_are_not_downloaded_again(mirror: Mirror, tmp_path: Path) -> None:
    download_mnist(tmp_path, None, [mirror.url])
    mirror.packed.clear()
    download_mnist(tmp_path, None, [mirror.url])


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_a_damaged_file_is_downloaded_again(mirror: Mirror, tmp_path: Path, damage: str) -> None:
    download_mnist(tmp_path, None, [mirror.url])
    path = tmp_path / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[:50], "altered": b"x" + whole[1:], "missing": b""}[damage])
    if damage == "missing":
        path.unlink()
    download_mnist(tmp_path, None, [mirror.url])
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("damage", "words"), [("truncated", "truncated"), ("altered", "checksum"), ("missing", "missing")]
)
def test_without_network_the_error_names_file_and_remedy_and_a_second_attempt_works(
    mirror: Mirror, tmp_path: Path, damage: str, words: str
) -> None:
    download_mnist(tmp_path, None, [mirror.url])
    path = tmp_path / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    whole = path.read_bytes()
    path.write_bytes(whole[:-7] if damage == "truncated" else b"x" + whole[1:])
    if damage == "missing":
        path.unlink()
    nowhere = "http://127.0.0.1:9/"
    with pytest.raises(DatasetError, match=rf"t10k-images-idx3-ubyte.*{words}.*try again.*sample"):
        download_mnist(tmp_path, None, [nowhere])
    download_mnist(tmp_path, None, [nowhere, mirror.url])
    assert path.read_bytes() == whole


def test_a_mirror_that_sends_something_else_is_skipped(mirror: Mirror, tmp_path: Path) -> None:
    rubbish = Mirror(dict.fromkeys(datasets.MNIST_FILES, b"rubbish"))
    try:
        download_mnist(tmp_path, None, [rubbish.url, mirror.url])
        with pytest.raises(DatasetError, match="not MNIST's"):
            download_mnist(tmp_path / "other", None, [rubbish.url])
    finally:
        rubbish.server.shutdown()
        rubbish.server.server_close()
    assert not list((tmp_path / "other" / "MNIST" / "raw").iterdir())


@pytest.mark.parametrize("what", ["more than MNIST's file", "a bomb"])
def test_a_mirror_cannot_fill_the_memory(mirror: Mirror, tmp_path: Path, what: str) -> None:
    zeros = bytes(30_000_000)
    sent = gzip.compress(zeros) if what == "a bomb" else zeros
    mirror.packed |= dict.fromkeys(mirror.packed, sent)
    with limits(megabytes=1), pytest.raises(DatasetError, match="try again"):
        download_mnist(tmp_path, None, [mirror.url])


def test_a_file_is_checked_once_and_again_after_each_change(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download_mnist(tmp_path, None, [mirror.url])
    checked: list[str] = []
    md5 = datasets._md5
    monkeypatch.setattr(datasets, "_md5", lambda path: [checked.append(path.name), md5(path)][1])
    for _ in range(3):
        download_mnist(tmp_path, None, [mirror.url])
    assert sorted(checked) == sorted(datasets.MNIST_FILES)
    changed = tmp_path / "MNIST" / "raw" / "t10k-labels-idx1-ubyte"
    changed.write_bytes(changed.read_bytes()[::-1])
    with pytest.raises(DatasetError, match=r"t10k-labels.*checksum"):
        download_mnist(tmp_path, None, ["http://127.0.0.1:9/"])


def test_mnist_loads_in_a_fifth_of_a_second_once_it_was_checked(mnist: Dataset) -> None:
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        again = load_dataset("mnist")
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 0.2
    assert again.train.checksum == mnist.train.checksum


@pytest.mark.parametrize("name", DATA_NAMES)
def test_torch_can_use_the_arrays_as_they_are(name: DataName, request: pytest.FixtureRequest) -> None:
    data: Dataset = request.getfixturevalue(name)
    for part in (data.train, data.validation, data.test):
        assert (part.images.dtype, part.labels.dtype) == (np.uint8, np.int64)
        torch.from_numpy(part.images)  # warns where an array is read-only, and here warnings are errors
        torch.from_numpy(part.labels)
        assert part.images.flags.c_contiguous


def test_mnist_is_not_here_where_a_file_is_short(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path))
    assert not mnist_is_here()
    download_mnist(tmp_path, None, [mirror.url])
    assert mnist_is_here()
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"short")
    assert not mnist_is_here()


@given(data=st.data())
def test_a_damaged_mnist_file_is_refused_and_nothing_is_written(
    data: st.DataObject, mirror: Mirror, tmp_path: Path
) -> None:
    download_mnist(tmp_path, None, [mirror.url])
    path = tmp_path / "MNIST" / "raw" / data.draw(st.sampled_from(list(datasets.MNIST_FILES)))
    whole = path.read_bytes()
    content = data.draw(damaged(whole).filter(lambda changed: changed != whole))
    path.write_bytes(content)
    with limits(megabytes=20), pytest.raises(DatasetError, match=path.name):
        download_mnist(tmp_path, None, ["http://127.0.0.1:9/"])
    assert path.read_bytes() == content
    assert {file.name for file in path.parent.iterdir()} == set(datasets.MNIST_FILES)
