"""Damaged and hostile pictures: `predict` answers or says in its own words why not, in bounded time."""

import io
import struct
import time
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_core import DigitClassifier, MnistCoreError
from mnist_core.errors import DrawingError
from mnist_core.images.ink import FORMATS, read_picture
from mnist_core.images.strokes import draw_strokes

LONGEST_SECONDS = 5
SEVEN = draw_strokes([np.array([[60.0, 60], [200, 60], [120, 220]])], 16)


def file(kind: str) -> bytes:
    content = io.BytesIO()
    Image.fromarray(SEVEN).save(content, kind)
    return content.getvalue()


FILES = {kind: file(kind) for kind in FORMATS}
CHANGES = st.lists(
    st.tuples(st.floats(0, 0.999), st.sampled_from(["set", "cut", "drop", "insert"]), st.binary(max_size=8))
)


def changed(content: bytes, changes: list[tuple[float, str, bytes]]) -> bytes:
    """A file after changes, each at a share of its length."""
    for share, how, put in changes:
        place = int(share * len(content))
        if how == "cut":
            content = content[:place]
        else:
            skipped = {"set": len(put), "drop": 1 + len(put), "insert": 0}[how]
            content = content[:place] + (b"" if how == "drop" else put) + content[place + skipped :]
    return content


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(FORMATS), changes=CHANGES)
def test_a_damaged_picture_is_answered_or_refused_in_words(
    kind: str, changes: list[tuple[float, str, bytes]], classifier: DigitClassifier, tmp_path: Path
) -> None:
    path = tmp_path / "picture"
    path.write_bytes(changed(FILES[kind], changes))
    begin = time.perf_counter()
    with suppress(MnistCoreError):
        assert 0 <= classifier.predict(read_picture(path)).digit <= 9
    assert time.perf_counter() - begin < LONGEST_SECONDS


def test_a_picture_that_claims_billions_of_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (8_000, 60_000):  # more than we read; more than Pillow opens
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        path = tmp_path / "huge.png"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")))
        begin = time.perf_counter()
        with pytest.raises(DrawingError, match=r"pixels|cannot be read"):
            read_picture(path)
        assert time.perf_counter() - begin < LONGEST_SECONDS


def test_files_that_would_start_another_program_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "picture.eps"
    Image.fromarray(SEVEN).save(path, "EPS")
    with pytest.raises(DrawingError, match="cannot be read"):
        read_picture(path)
