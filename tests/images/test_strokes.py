"""Stroke files that are damaged or malicious are refused with a sentence, in little time and memory."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from mnist_core.errors import DatasetError, MnistCoreError
from mnist_core.images import strokes
from mnist_core.images.strokes import SETTINGS, read_characters, render
from tests.hostile import damaged, limits

LINES = b"".join(
    json.dumps(
        {"label": str(digit), "writer": "me", "strokes": [[[digit * 10, 0.5], [600, 20]], [[3e2, 500]]]}
    ).encode()
    + b"\n"
    for digit in range(10)
)


def read_or_refuse(path: Path, content: bytes) -> None:
    """Read a file as `mnist-core evaluate --drawings` does; whatever it holds, it is drawn or refused."""
    path.write_bytes(content)
    with limits(megabytes=50):
        try:
            characters = read_characters(path)
        except MnistCoreError:
            return
        for character in characters:
            assert render(character.strokes, SETTINGS[0]).shape == (280, 280)


@given(content=damaged(gzip.compress(LINES, mtime=0)))
def test_a_file_damaged_on_the_way_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    read_or_refuse(tmp_path / "strokes.jsonl.gz", content)


@given(lines=damaged(LINES))
def test_a_file_with_damaged_lines_is_read_or_refused(tmp_path: Path, lines: bytes) -> None:
    read_or_refuse(tmp_path / "strokes.jsonl.gz", gzip.compress(lines))


MALICIOUS = {
    "one endless line": bytes(50_000_000),
    "very many characters": b'{"label":"7","strokes":[[[0,0]]]}\n' * 100_000,
    "very many points": (b'{"label":"7","strokes":[[' + b"[0,0]," * 20_000 + b"[0,0]]]}\n") * 100,
    "deep nesting": b'{"label":"7","strokes":' + b"[" * 100_000,
    "a huge number": b'{"label":"7","strokes":[[[0,1' + b"0" * 400 + b"]]]}",
    "endless": b'{"label":"7","strokes":[[[0,Infinity]]]}',
    "not a number": b'{"label":"7","strokes":[[[0,NaN]]]}',
    "half a letter": b'{"label":"7\xff","strokes":[[[0,0]]]}',
}


@pytest.mark.parametrize("lines", MALICIOUS.values(), ids=MALICIOUS)
def test_a_malicious_file_is_refused(tmp_path: Path, lines: bytes) -> None:
    path = tmp_path / "strokes.jsonl.gz"
    path.write_bytes(gzip.compress(lines, 1))
    with limits(megabytes=300), pytest.raises(DatasetError, match=rf"{path}.* cannot be read .*Give a"):
        read_characters(path)


def test_the_limits_leave_room_for_a_real_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lines = [json.dumps({"label": "7", "strokes": random.integers(0, 9999, (2, 40, 2)).tolist()}) for _ in range(2000)]
    content = "\n".join(lines).encode()
    path = tmp_path / "strokes.jsonl.gz"
    path.write_bytes(gzip.compress(content))
    assert len(content) > 2 * strokes.FREE_BYTES
    assert len(read_characters(path)) == 2000
