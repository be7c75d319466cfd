"""Drawings that travel: out and in again, whole; and nothing of what is damaged."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_core.drawings import exchange
from mnist_core.drawings.exchange import IMAGES, LABELS, STROKES, TABLE, Imported, from_zip, to_zip
from mnist_core.drawings.store import DrawingStore
from mnist_core.errors import DatasetError, StoreError
from mnist_core.images.datasets import NOT_A_DIGIT
from mnist_core.images.strokes import read_characters
from tests.drawing_examples import drawing
from tests.zip_files import Files, packed, unpacked

MANY = [
    drawing(0, writer='=HYPERLINK("x")', strokes=json.dumps([['a,"b"\n\'c']])),
    drawing(1, writer="'quoted", label=NOT_A_DIGIT),
    drawing(2, writer="", version="-1"),
    drawing(3, writer="Zoë, 'Bob' \"X\"", strokes=json.dumps(["x" * 300_000])),
]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[DrawingStore]:
    with DrawingStore(f"sqlite:///{tmp_path / 'here.sqlite3'}") as store:
        store.add_all(MANY)
        yield store


def test_what_was_exported_can_be_imported_elsewhere(here: DrawingStore, store: DrawingStore) -> None:
    assert from_zip(store, to_zip(here)) == Imported(added=4, skipped=0)
    assert store.find(newest_first=False) == MANY


def test_drawings_that_are_there_already_stay_and_are_counted(here: DrawingStore, store: DrawingStore) -> None:
    store.add(MANY[0])
    store.relabel(MANY[0].id, 9)
    assert from_zip(store, to_zip(here)) == Imported(added=3, skipped=1)
    kept = store.get(MANY[0].id)
    assert kept is not None
    assert kept.label == 9


def test_the_file_can_be_read_by_other_programs(here: DrawingStore) -> None:
    files = unpacked(to_zip(here))
    lines = list(csv.DictReader(io.StringIO(files[TABLE].decode())))
    assert [line["label"] for line in lines] == ["0", "-1", "2", "3"]
    assert lines[0]["writer"].startswith("'=")  # a spreadsheet shows it, and computes nothing
    assert lines[1]["writer"] == "''quoted"
    assert Image.open(io.BytesIO(files[lines[2]["png"]])).size == (30, 40)
    images, labels = files[IMAGES], files[LABELS]
    assert images[:16] == bytes.fromhex("00000803 00000003 0000001c 0000001c")
    assert labels == bytes.fromhex("00000801 00000003 000203")
    frames = np.frombuffer(images[16:], np.uint8).reshape(3, 28, 28)
    assert np.array_equal(frames, [MANY[0].image, MANY[2].image, MANY[3].image])


CANVAS = [
    {
        "type": "path",
        "path": [["M", 9.9, 20], ["Q", 10, 20, 15, 25], ["Q", 20, 30, 25, 35], ["L", 30, 40]],
        "fill": None,
    },
    {"type": "path", "path": [["M", 50, 60], ["L", 50, 61]]},
]


def test_the_points_of_the_pen_are_read_as_other_strokes_are(store: DrawingStore, tmp_path: Path) -> None:
    for number, strokes in enumerate((CANVAS, [[[1, 2], [3.5, 4]]], [{"type": "Image", "src": "x"}], [], [[10**400]])):
        store.add(drawing(number, strokes=json.dumps(strokes)))
    store.add(drawing(9, strokes=json.dumps(CANVAS), label=NOT_A_DIGIT))
    path = tmp_path / STROKES
    path.write_bytes(unpacked(to_zip(store))[STROKES])
    one, other = read_characters(path)
    assert [stroke.tolist() for stroke in one.strokes] == [[[10, 20], [20, 30], [30, 40]], [[50, 61]]]
    assert [stroke.tolist() for stroke in other.strokes] == [[[1, 2], [3.5, 4]]]
    assert (one.label, other.label) == ("0", "1")


def test_mnist_files_are_read_as_torchvision_reads_mnist(here: DrawingStore, tmp_path: Path) -> None:
    mnist = pytest.importorskip("torchvision.datasets.mnist")
    for name, held in unpacked(to_zip(here)).items():
        if "idx" in name:
            (tmp_path / name).write_bytes(held)
    assert mnist.read_label_file(str(tmp_path / LABELS)).tolist() == [0, 2, 3]
    assert mnist.read_image_file(str(tmp_path / IMAGES))[0].numpy().tobytes() == MANY[0].frame


def test_only_the_writers_asked_for_are_exported(here: DrawingStore, store: DrawingStore) -> None:
    assert from_zip(store, to_zip(here, [""])).added == 1
    assert store.find() == [MANY[2]]
    assert from_zip(store, to_zip(here, ["nobody"])) == Imported(0, 0)


def without_a_table(files: Files) -> None:
    del files[TABLE]


def without_a_picture(files: Files) -> None:
    del files[f"png/{MANY[3].id}.png"]


def with_a_damaged_picture(files: Files) -> None:
    files[f"png/{MANY[3].id}.png"] = MANY[3].png[:300]


def with_a_huge_picture(files: Files) -> None:
    files[f"png/{MANY[3].id}.png"] += bytes(600_000)


def with_half_a_table(files: Files) -> None:
    files[TABLE] = files[TABLE][:-1500]


def with_other_columns(files: Files) -> None:
    files[TABLE] = files[TABLE].replace(b"writer", b"author", 1)


def with_a_wrong_label(files: Files) -> None:
    files[TABLE] = files[TABLE].replace(b",-1,", b",77,")


def with_a_label_in_words(files: Files) -> None:
    files[TABLE] = files[TABLE].replace(b",-1,", b",two,")


def with_a_cell_too_many(files: Files) -> None:
    files[TABLE] = files[TABLE].replace(b",-1,", b",-1,,")


def with_letters_of_another_kind(files: Files) -> None:
    files[TABLE] = files[TABLE].decode().encode("utf-16")


def with_a_picture_from_elsewhere(files: Files) -> None:
    files[TABLE] = files[TABLE].replace(b"png/", b"../png/")


DAMAGE = [
    *(without_a_table, without_a_picture, with_a_damaged_picture, with_a_huge_picture, with_half_a_table),
    *(with_other_columns, with_a_wrong_label, with_a_label_in_words, with_a_cell_too_many),
    *(with_letters_of_another_kind, with_a_picture_from_elsewhere),
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_of_a_damaged_file_nothing_is_imported(
    damage: Callable[[Files], None], here: DrawingStore, tmp_path: Path
) -> None:
    files = unpacked(to_zip(here))
    damage(files)
    with DrawingStore(f"sqlite:///{tmp_path / 'there.sqlite3'}") as there:
        with pytest.raises(DatasetError, match="Nothing was imported"):
            from_zip(there, packed(files))
        assert there.count() == 0


def test_a_file_without_a_table_and_one_with_a_file_twice_are_told_apart(here: DrawingStore) -> None:
    files = unpacked(to_zip(here))
    content = io.BytesIO(packed(files))
    with zipfile.ZipFile(content, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(TABLE, files[TABLE])
    with pytest.raises(DatasetError, match=rf"The file holds '{TABLE}' twice\."):
        from_zip(here, content.getvalue())
    without_a_table(files)
    with pytest.raises(DatasetError, match=rf"The file holds no {TABLE}\."):
        from_zip(here, packed(files))


def test_bytes_that_were_changed_on_the_way_are_noticed(here: DrawingStore, tmp_path: Path) -> None:
    content = to_zip(here)
    random = np.random.default_rng(0)
    with DrawingStore(f"sqlite:///{tmp_path / 'there.sqlite3'}") as there:
        for place in random.integers(0, len(content), 60):
            changed = bytearray(content)
            changed[place] ^= 0x41
            try:
                from_zip(there, bytes(changed))
            except DatasetError:
                assert there.count() == 0
                continue
            assert there.find(newest_first=False) == MANY  # it was in what the import does not read
            there.delete_all()
        for end in (0, 10, len(content) // 2, len(content) - 5):
            with pytest.raises(DatasetError, match="that was exported here"):
                from_zip(there, content[:end])


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    here: DrawingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = packed(unpacked(to_zip(here)) | {"zeros": bytes(50_000_000)})
    assert len(bomb) < 1_000_000
    monkeypatch.setattr(exchange, "MAX_UNPACKED_BYTES", 10_000_000)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(DatasetError, match="import it in pieces"):
        from_zip(here, bomb)


def test_more_than_a_file_may_hold_is_neither_exported_nor_imported(
    here: DrawingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = to_zip(here)
    monkeypatch.setattr(exchange, "MAX_DRAWINGS", 3)
    with pytest.raises(DatasetError, match="import it in pieces"):
        from_zip(here, content)
    with pytest.raises(StoreError, match="some of the writers"):
        to_zip(here)


def test_a_drawing_twice_in_the_table_is_kept_once(here: DrawingStore, store: DrawingStore) -> None:
    files = unpacked(to_zip(here, [""]))
    files[TABLE] += files[TABLE].splitlines(keepends=True)[1]
    assert from_zip(store, packed(files)) == Imported(added=1, skipped=1)
    assert store.find() == [MANY[2]]
