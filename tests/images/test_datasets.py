import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from mnist_core.errors import DatasetError
from mnist_core.images import datasets
from mnist_core.images.datasets import Dataset, LabelledImages, download_mnist, load_dataset, mnist_is_here


def contents(part: LabelledImages) -> set[bytes]:
    return {image.tobytes() for image in part.images}


def test_sample_is_divided_as_announced(sample: Dataset) -> None:
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


def test_mnist_is_divided_as_announced(mnist: Dataset) -> None:
    counts = datasets.IMAGE_COUNTS["mnist"]
    assert (len(mnist.train), len(mnist.validation), len(mnist.test)) == tuple(counts.values())
    assert np.bincount(mnist.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert not contents(mnist.train) & contents(mnist.validation)


def test_sample_comes_from_mnists_training_files(mnist: Dataset, sample: Dataset) -> None:
    assert contents(sample.test) <= contents(mnist.train) | contents(mnist.validation)


def test_unknown_data_lists_the_known() -> None:
    with pytest.raises(DatasetError, match="mnist, sample"):
        load_dataset("cifar")  # type: ignore[arg-type]


def test_damaged_sample_says_how_to_mend_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / "mnist_5k.csv.gz"
    damaged.write_bytes(gzip.compress(b"1,2,3\n"))
    monkeypatch.setattr(datasets, "_sample_path", lambda: damaged)
    with pytest.raises(DatasetError, match=r"mnist_5k\.csv\.gz.*pip install"):
        load_dataset("sample")


class Mirror:
    """A server of small stand-ins for MNIST's files, on this machine."""

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
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    files = {name: name.encode() * 100 for name in datasets.MNIST_FILES}
    digests = {name: (hashlib.md5(content).hexdigest(), len(content)) for name, content in files.items()}
    monkeypatch.setattr(datasets, "MNIST_FILES", digests)
    mirror = Mirror(files)
    yield mirror
    mirror.server.shutdown()
    mirror.server.server_close()


def test_download_reports_progress_and_leaves_whole_files(mirror: Mirror, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    download_mnist(tmp_path, lambda *progress: seen.append(progress), [mirror.url])
    raw = tmp_path / "MNIST" / "raw"
    assert {path.name for path in raw.iterdir()} == set(datasets.MNIST_FILES)
    assert {name for name, done, total in seen if done == total > 0} == set(datasets.MNIST_FILES)


def test_whole_files_are_not_fetched_again(mirror: Mirror, tmp_path: Path) -> None:
    download_mnist(tmp_path, None, [mirror.url])
    mirror.packed.clear()
    download_mnist(tmp_path, None, [mirror.url])


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_a_damaged_file_is_fetched_again(mirror: Mirror, tmp_path: Path, damage: str) -> None:
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


def test_a_mirror_that_sends_rubbish_is_passed_over(mirror: Mirror, tmp_path: Path) -> None:
    rubbish = Mirror(dict.fromkeys(datasets.MNIST_FILES, b"rubbish"))
    try:
        download_mnist(tmp_path, None, [rubbish.url, mirror.url])
        with pytest.raises(DatasetError, match="not MNIST's"):
            download_mnist(tmp_path / "other", None, [rubbish.url])
    finally:
        rubbish.server.shutdown()
        rubbish.server.server_close()
    assert not list((tmp_path / "other" / "MNIST" / "raw").iterdir())


def test_mnist_is_not_here_where_a_file_is_short(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path))
    assert not mnist_is_here()
    download_mnist(tmp_path, None, [mirror.url])
    assert mnist_is_here()
    (tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"short")
    assert not mnist_is_here()
