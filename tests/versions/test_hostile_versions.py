"""Damaged and malicious version files are refused with a sentence, in little time and memory, and nothing is written.

    pytest tests/versions/test_hostile_versions.py --hypothesis-profile thorough

tries 2,000 changed files with each test instead of 60.
"""

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
from hypothesis import given
from hypothesis import strategies as st

from mnist_core import files
from mnist_core.errors import MnistCoreError, WeightsError
from mnist_core.network.model import MLP
from mnist_core.versions.exchange import MAX_BYTES, from_zip
from mnist_core.versions.records import Record
from mnist_core.versions.registry import RECORD_FILE, WEIGHTS_FILE
from tests.hostile import damaged, limits
from tests.zip_files import packed

RECORD = json.loads((files.SHIPPED / "article" / RECORD_FILE).read_text())
RECORD["drawings"] = RECORD["drawings"][:1]
RECORD["recipe"]["hidden"] = [1]  # a small file, so that changes hit its structure more often
WEIGHTS = safetensors.torch.save(MLP((784, 1, 10)).state_dict())


@pytest.fixture(autouse=True)
def _no_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "no mnist"))


def version_files(weights: bytes = WEIGHTS, **fields: Any) -> dict[str, bytes]:
    """A whole version; its record belongs to its weights."""
    record = {**RECORD, "weights_sha256": hashlib.sha256(weights).hexdigest(), **fields}
    return {WEIGHTS_FILE: weights, RECORD_FILE: json.dumps(record).encode()}


def add_or_refuse(folder: Path, content: bytes) -> bool:
    """Upload a file; whether it was added. What is refused is refused with a sentence and leaves nothing."""
    before, refused = set(folder.rglob("*")), ""
    with limits(megabytes=40):
        try:
            added = from_zip(content)
        except MnistCoreError as error:
            refused = str(error)
    if refused:
        assert refused.endswith(".")
        assert len(refused) < 1000
        assert set(folder.rglob("*")) == before
        return False
    assert Record.from_json((added.folder / RECORD_FILE).read_bytes()) == added.record
    return True


def test_the_file_that_is_changed_is_added_unchanged(weights: Path) -> None:
    assert add_or_refuse(weights, packed(version_files()))


@given(content=damaged(packed(version_files())))
def test_a_changed_zip_file_is_added_or_refused(weights: Path, content: bytes) -> None:
    add_or_refuse(weights, content)


@given(record=damaged(version_files()[RECORD_FILE]))
def test_a_version_with_a_changed_record_is_added_or_refused(weights: Path, record: bytes) -> None:
    add_or_refuse(weights, packed({**version_files(), RECORD_FILE: record}))


@given(content=damaged(WEIGHTS[:1000]))
def test_a_version_with_changed_weights_is_added_or_refused(weights: Path, content: bytes) -> None:
    add_or_refuse(weights, packed(version_files(content + WEIGHTS[1000:])))


def places(values: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every value in a record."""
    yield path
    held = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in held:
        yield from places(value, (*path, key))


ODD_VALUES = st.one_of(
    st.sampled_from(
        [None, True, -1, 0, 10**9, 10**400, 1e308, float("inf"), float("nan"), "", "\0", "x" * 5000, [], {}, [[]] * 50]
    ),
    st.recursive(st.integers() | st.floats() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3)),
)


@given(place=st.sampled_from([*places(RECORD)]), value=ODD_VALUES)
def test_a_version_with_odd_values_in_its_record_is_added_or_refused(
    weights: Path, place: tuple[str | int, ...], value: Any
) -> None:
    held = json.loads(version_files()[RECORD_FILE])
    if not place:
        held = value
    else:
        inside = held
        for key in place[:-1]:
            inside = inside[key]
        inside[place[-1]] = value
    add_or_refuse(weights, packed({**version_files(), RECORD_FILE: json.dumps(held).encode()}))


def bomb(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A record of 100 MB that takes half a megabyte, and says that it is short."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method, compresslevel=1) as archive:
        archive.writestr(WEIGHTS_FILE, WEIGHTS)
        archive.writestr(RECORD_FILE, bytes(100_000_000))
    return content.getvalue().replace(struct.pack("<I", 100_000_000), struct.pack("<I", 1000))


def with_many_entries() -> bytes:
    entries = 2_000_000 * (b"PK\1\2" + bytes(42))
    return entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, len(entries), 0, 0)


def with_offset(offset: int) -> bytes:
    """The list of contents seems to begin elsewhere: once a `ValueError: negative seek value`."""
    content = bytearray(packed(version_files()))
    end = content.rindex(b"PK\5\6")
    content[end + 16 : end + 20] = struct.pack("<I", offset)
    return bytes(content)


def with_record(record: bytes) -> bytes:
    return packed({**version_files(), RECORD_FILE: record})


def with_weights_header(header: bytes, length: int | None = None) -> bytes:
    size = struct.pack("<Q", len(header) if length is None else length)
    return packed(version_files(size + header + bytes(40_000)))


MALICIOUS = {
    "nothing": lambda: b"",
    "an offset before the file": lambda: with_offset(2**32 - 2),
    "an offset behind the file": lambda: with_offset(10_000_000),
    "a bomb": bomb,
    "a bomb in another compression": lambda: bomb(zipfile.ZIP_BZIP2),
    "very many entries": with_many_entries,
    "too large a file": lambda: bytes(sum(MAX_BYTES.values()) + 1),
    "deep nesting": lambda: with_record(b"[" * 1_000_000),
    "deep nesting in a field": lambda: with_record(b'{"format": 5, "epoch": ' + b"[" * 1_000_000),
    "a very long number": lambda: with_record(b'{"format": 5, "epoch": ' + b"9" * 1_000_000 + b"}"),
    "very many wrong values": lambda: with_record(
        json.dumps({**RECORD, "images": {str(number): "x" for number in range(100_000)}}).encode()
    ),
    "very many thresholds": lambda: packed(
        version_files(calibration={**RECORD["calibration"], "thresholds": ["x"] * 300_000})
    ),
    "very many confusions": lambda: packed(
        version_files(evaluation={**RECORD["evaluation"], "confusion": [["x"] * 300_000]})
    ),
    "very many mistakes": lambda: packed(
        version_files(evaluation={**RECORD["evaluation"], "mistakes": [{}] * 400_000})
    ),
    "very many wrong epochs": lambda: packed(version_files(curve={"epoch": ["x"] * 300_000})),
    "half a letter": lambda: with_record(b'{"format": 5, "device": "\xff"}'),
    "the largest network": lambda: packed(version_files(recipe={**RECORD["recipe"], "hidden": [8192] * 8})),
    "a long name": lambda: packed(version_files(recipe={**RECORD["recipe"], "name": "x" * 1_000_000})),
    "a huge header of weights": lambda: with_weights_header(b"{}", 2**63),
    "weights of a huge shape": lambda: with_weights_header(
        b'{"layers.0.weight":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,40000]}}'
    ),
    "weights of an odd type": lambda: with_weights_header(
        b'{"layers.0.weight":{"dtype":"F8_E8M0","shape":[40000],"data_offsets":[0,40000]}}'
    ),
}


@pytest.mark.parametrize("make", MALICIOUS.values(), ids=MALICIOUS)
def test_a_malicious_file_is_refused(weights: Path, make: Any) -> None:
    assert not add_or_refuse(weights, make())


def test_a_name_that_is_too_long_for_the_disk_is_refused() -> None:
    from mnist_core.versions.registry import version

    for name in ("x" * 5000, "runs/" + "x" * 300, "\0", "runs/\0"):
        with pytest.raises(WeightsError):
            version(name)
