"""Zip files and databases that are damaged or malicious are refused with a sentence, in little time and memory."""

import dataclasses
import io
import shutil
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core.drawings.exchange import TABLE, from_zip, to_zip
from mnist_core.drawings.store import DrawingStore
from mnist_core.errors import DatasetError, MnistCoreError, RefusedDrawingError, StoreError
from tests.drawing_examples import drawing
from tests.hostile import damaged, limits
from tests.zip_files import packed, unpacked

DRAWINGS = [drawing(number, writer=("Ann", "Bob")[number % 2]) for number in range(3)]
NAME = "drawings.sqlite3"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed SQLite database with three drawings."""
    path = tmp_path_factory.mktemp("whole") / NAME
    with DrawingStore(f"sqlite:///{path}") as store:
        store.add_all(DRAWINGS)
    return path


@pytest.fixture(scope="module")
def content(database: Path) -> bytes:
    """The three drawings, exported."""
    with DrawingStore(f"sqlite:///{database}") as store:
        return to_zip(store)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DrawingStore]:
    """An empty store to import into."""
    with DrawingStore(f"sqlite:///{tmp_path_factory.mktemp('there') / NAME}") as store:
        yield store


def import_or_refuse(there: DrawingStore, content: bytes) -> None:
    """Import a file; whatever it holds, all of it is imported, and each drawing is sound, or nothing."""
    try:
        with limits(megabytes=100):
            imported = from_zip(there, content)
    except DatasetError as error:
        assert "Nothing was imported" in str(error)  # noqa: PT017
        assert there.count() == 0
        return
    kept = there.find()
    assert len(kept) == imported.added
    for one in kept:
        one.check()
    if kept:
        there.delete_all()


@given(data=st.data())
def test_a_zip_file_damaged_on_the_way_is_imported_or_refused(
    data: st.DataObject, there: DrawingStore, content: bytes
) -> None:
    import_or_refuse(there, data.draw(damaged(content)))


@given(data=st.data())
def test_a_zip_file_with_a_damaged_table_or_picture_is_imported_or_refused(
    data: st.DataObject, there: DrawingStore, content: bytes
) -> None:
    files = unpacked(content)
    name = data.draw(st.sampled_from([TABLE, f"png/{DRAWINGS[0].id}.png"]))
    import_or_refuse(there, packed(files | {name: data.draw(damaged(files[name]))}))


def with_offsets_before_the_beginning(content: bytes) -> bytes:
    end = content.rindex(b"PK\5\6")
    return content[: end + 12] + b"\xff\xff\xff\x7f" + content[end + 16 :]


def with_a_bomb_that_lies_about_its_size(content: bytes) -> bytes:
    name = f"png/{DRAWINGS[0].id}.png"
    size = 300_000_000
    bomb = bytearray(packed(unpacked(content) | {name: DRAWINGS[0].png + bytes(size)}))
    claimed = struct.pack("<I", len(DRAWINGS[0].png))
    return bytes(bomb).replace(struct.pack("<I", len(DRAWINGS[0].png) + size), claimed)


def with_a_bomb_for_a_table(content: bytes) -> bytes:
    files = unpacked(content)
    return packed(files | {TABLE: files[TABLE] + b"x" * 200_000_000})


def with_one_picture_in_many_rows(content: bytes) -> bytes:
    files = unpacked(content)
    heading, row, *_ = files[TABLE].splitlines(keepends=True)
    identifier = DRAWINGS[0].id.encode()
    rows = [row.replace(identifier, b"%08x" % number + identifier[8:], 1) for number in range(30_000)]
    return packed(files | {TABLE: heading + b"".join(rows)})


def with_very_many_files(content: bytes) -> bytes:
    end = content.rindex(b"PK\5\6")
    size, begin = struct.unpack("<2I", content[end + 12 : end + 20])
    entry = content[begin : content.index(b"PK\1\2", begin + 4)]
    directory = content[begin : begin + size] + entry * 500_000
    return content[:begin] + directory + content[end : end + 12] + struct.pack("<2IH", len(directory), begin, 0)


def packed_in_another_way(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        for name, held in unpacked(content).items():
            archive.writestr(name, held)
    return file.getvalue()


MALICIOUS = [
    *(with_offsets_before_the_beginning, with_a_bomb_that_lies_about_its_size, with_a_bomb_for_a_table),
    *(with_one_picture_in_many_rows, with_very_many_files, packed_in_another_way),
]


@pytest.mark.parametrize("damage", MALICIOUS, ids=lambda damage: damage.__name__)
def test_a_malicious_zip_file_is_refused(damage: Callable[[bytes], bytes], there: DrawingStore, content: bytes) -> None:
    malicious = damage(content)
    with limits(megabytes=50), pytest.raises(DatasetError, match="Nothing was imported"):
        from_zip(there, malicious)
    assert there.count() == 0


def chunk(kind: bytes, held: bytes) -> bytes:
    return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))


@pytest.mark.parametrize("side", [2_100, 10_000, 100_000])
def test_a_picture_that_claims_its_true_size_late_is_refused(side: int) -> None:
    png = DRAWINGS[0].png
    header = chunk(b"IHDR", struct.pack(">2I", side, side) + png[24:29])
    with limits(megabytes=20), pytest.raises(RefusedDrawingError, match="PNG"):
        dataclasses.replace(DRAWINGS[0], png=png[:33] + header + png[33:]).check()


@given(data=st.data())
def test_a_damaged_database_is_read_or_refused(
    data: st.DataObject, database: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged" / NAME
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    content = data.draw(damaged(database.read_bytes()))
    path.write_bytes(content)
    with limits(megabytes=50):
        try:
            with DrawingStore(f"sqlite:///{path}") as store:
                read_everything(store)
        except MnistCoreError:
            assert path.read_bytes()[100:] == content[100:]  # SQLite keeps counters in the header


def read_everything(store: DrawingStore) -> None:
    for one in store.find():
        one.check_values()
    store.images(non_digits=True)
    store.writers()
    store.count(["Ann"], labels=[1])
    to_zip(store)


WRONG_VALUES = {
    "time": "yesterday",
    "label": 77,
    "frame": "no bytes",
    "png": 5,
    "strokes": None,
    "writer": b"\xff",
    "id": "7",
    "digit": "seven",
    "confidence": "high",
    "version": b"best",
}


@pytest.mark.parametrize(("column", "value"), WRONG_VALUES.items(), ids=WRONG_VALUES)
def test_a_database_with_values_that_are_no_drawings_is_refused(
    database: Path, tmp_path: Path, column: str, value: object
) -> None:
    path = shutil.copy(database, tmp_path / NAME)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'drawings'")
    connection.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(f"UPDATE drawings SET {column} = ? WHERE id = ?", [value, DRAWINGS[0].id])
    connection.close()
    with DrawingStore(f"sqlite:///{path}") as store:
        with pytest.raises(StoreError, match="is damaged"):
            store.find()
        with pytest.raises(StoreError, match="is damaged"):
            to_zip(store)
        if column in ("frame", "label"):
            with pytest.raises(StoreError, match="is damaged"):
                store.images(non_digits=True)
