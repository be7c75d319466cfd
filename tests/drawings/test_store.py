"""Drawings are kept whatever happens, once, and deleted for good; in SQLite and in PostgreSQL alike."""

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from multiprocessing.context import BaseContext
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from mnist_core.drawings import database
from mnist_core.drawings import drawing as stored
from mnist_core.drawings.store import DrawingStore, StoredDrawing
from mnist_core.errors import RefusedDrawingError, StoreError
from mnist_core.images.datasets import NOT_A_DIGIT
from tests.drawing_examples import BEGIN, drawing
from tests.postgres import Server

ROOT = Path(__file__).parents[2]


def test_a_drawing_comes_back_as_it_was(store: DrawingStore) -> None:
    kept = drawing(writer="Zoë 👩‍🚀 '; DROP TABLE drawings; --", strokes='{"objects": [{"path": "é\\u0000"}]}')
    assert store.add(kept)
    assert store.find() == [kept]
    assert store.get(kept.id) == kept
    assert store.get("another") is None
    assert store.ids(kept.id[:8], limit=2) == store.ids(kept.id, limit=1) == [kept.id]
    assert store.ids("%", limit=1) == store.ids("_", limit=1) == []
    assert kept.image.shape == (28, 28)


def test_times_of_other_zones_are_kept_as_utc(store: DrawingStore) -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    kept = drawing(time=datetime(2026, 11, 23, 3, tzinfo=there))
    store.add(kept)
    (found,) = store.find()
    assert found.time == kept.time
    assert found.time.utcoffset() == timedelta(0)


def test_saving_again_keeps_it_once(store: DrawingStore) -> None:
    kept = drawing()
    assert [store.add(kept) for _ in range(3)] == [True, False, False]
    assert not store.add(dataclasses.replace(kept, time=kept.time + timedelta(minutes=1)))
    assert store.find() == [kept]


@pytest.mark.parametrize("changes", [{"label": 5}, {"writer": "Bob"}, {"frame": bytes(784)}])
def test_another_drawing_under_the_same_id_is_refused(store: DrawingStore, changes: dict[str, object]) -> None:
    kept = drawing()
    store.add(kept)
    with pytest.raises(RefusedDrawingError, match="Relabel that one"):
        store.add(dataclasses.replace(kept, **changes))  # type: ignore[arg-type]
    assert store.find() == [kept]


def test_drawings_are_found_by_writer_and_label_and_in_pages(store: DrawingStore) -> None:
    many = [drawing(number, writer="Ann" if number % 2 else "") for number in range(10)]
    assert store.add_all(many[::-1]) == 10
    assert store.find() == many[::-1]
    assert store.find(newest_first=False, limit=3, offset=2) == many[2:5]
    assert store.find(offset=8) == many[1::-1]
    assert store.find([""], newest_first=False) == many[::2]
    assert store.find(["Ann", ""], labels=[3, 4]) == [many[4], many[3]]
    assert store.find([]) == store.find(["nobody"]) == []
    assert list(store.each()) == many
    assert (store.count(), store.count(["Ann"]), store.count(["Ann"], labels=[3])) == (10, 5, 1)
    assert list(store.writers().items()) == [("", 5), ("Ann", 5)]


def test_images_are_digits_with_their_labels(store: DrawingStore) -> None:
    many = [drawing(number, writer="Bob" if number == 4 else "Ann") for number in range(6)]
    many[2] = dataclasses.replace(many[2], label=NOT_A_DIGIT)
    store.add_all(many)
    digits = store.images(["Ann"])
    assert digits.labels.tolist() == [0, 1, 3, 5]
    assert np.array_equal(digits.images[2], many[3].image)
    assert store.images(non_digits=True).labels.tolist() == [0, 1, -1, 3, 4, 5]
    assert store.images(["nobody"]).images.shape == (0, 28, 28)
    assert digits.labels.dtype == np.int64


def test_a_label_can_be_corrected(store: DrawingStore) -> None:
    kept = drawing()
    store.add(kept)
    store.relabel(kept.id, NOT_A_DIGIT)
    assert store.find() == [dataclasses.replace(kept, label=NOT_A_DIGIT)]
    for wrong in (10, -2, True):
        with pytest.raises(RefusedDrawingError, match="Choose 0 to 9"):
            store.relabel(kept.id, wrong)
    with pytest.raises(StoreError, match="That drawing is not there any more"):
        store.relabel(str(uuid4()), 3)


def test_drawings_are_deleted_by_id_by_writer_and_all(store: DrawingStore) -> None:
    many = [drawing(number, writer="Ann" if number < 500 else "Bob") for number in range(600)]
    store.add_all(many)
    assert store.delete([kept.id for kept in many[100:]] + ["no id"]) == 500
    assert store.find(newest_first=False) == many[:100]
    assert store.delete([]) == 0
    assert store.delete_writer("Bob") == 0
    assert store.delete_writer("Ann") == 100
    store.add(many[0])
    assert store.delete_all() == 1
    assert store.count() == 0


def test_nothing_of_a_deleted_writer_is_left_in_the_files(
    url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kept = [drawing(number, writer="Ann", strokes=f'["of Ann {number}"]') for number in range(60)]
    gone = [drawing(1000 + number, writer="Bob Builder", strokes=f'["of Bob {number}"]') for number in range(60)]
    folder, server = tmp_path, None
    if url.startswith("postgres"):
        server = request.getfixturevalue("postgresql")
        folder = server.folder_of(url)
    with DrawingStore(url) as store, DrawingStore(url) as other:
        for one, two in zip(kept, gone, strict=True):  # side by side in the same pages
            store.add_all([one, two])
        assert other.count() == 120
        traces = [b"Bob Builder", *(trace for one in gone for trace in (one.id.encode(), one.png[-60:], one.frame))]
        traces += [one.strokes[2:].encode() for one in gone]
        _flush(server)
        assert any(_found(traces[:1], folder))
        assert store.delete_writer("Bob Builder") == 60
        _flush(server)
        assert _found(traces, folder) == []
        assert other.find(newest_first=False) == kept


def _flush(server: Server | None) -> None:
    if server is not None:
        with server.connect() as connection:
            connection.execute("CHECKPOINT")


def _found(traces: list[bytes], folder: Path) -> list[bytes]:
    content = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return [trace for trace in traces if trace in content]


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "no UUID": ({"id": "7"}, "UUID"),
    "UUID in capitals": ({"id": str(uuid4()).upper()}, "UUID"),
    "time without zone": ({"time": BEGIN.replace(tzinfo=None)}, "zone"),
    "time before computers": ({"time": BEGIN.replace(year=1)}, "year 1"),
    "long name": ({"writer": "x" * 61}, "longer than 60"),
    "name with a zero byte": ({"writer": "x\0"}, "cannot be shown"),
    "name with half a letter": ({"writer": "\ud800"}, "cannot be shown"),
    "long version": ({"version": "x" * 201}, "version's name is longer"),
    "label 10": ({"label": 10}, "label 10"),
    "label -2": ({"label": -2}, "label -2"),
    "label of numpy": ({"label": np.int64(7)}, "not an int"),
    "answer -1": ({"digit": -1}, "answer -1"),
    "confidence 2": ({"confidence": 2.0}, "confidence"),
    "no confidence": ({"confidence": float("nan")}, "confidence"),
    "accepted 1": ({"accepted": 1}, "accepted"),
    "short frame": ({"frame": bytes(783)}, "783 bytes instead of 784"),
    "frame as an array": ({"frame": np.zeros(784, np.uint8)}, "tobytes"),
    "strokes no JSON": ({"strokes": "[1,"}, "JSON"),
    "strokes too deep": ({"strokes": "[" * 100_000}, "JSON"),
    "strokes a number": ({"strokes": "7"}, "JSON"),
    "long strokes": ({"strokes": "[" + " " * stored.MAX_STROKES_LETTERS + "]"}, "longer than"),
    "no PNG": ({"png": b"GIF89a" + bytes(40)}, "not a PNG"),
    "large PNG": ({"png": drawing().png + bytes(stored.MAX_PNG_BYTES)}, "larger than 500,000 bytes"),
    "PNG cut off": ({"png": drawing().png[:400]}, "damaged"),
    "wide PNG": ({"png": drawing().png[:16] + b"\0\1\0\0" * 2 + drawing().png[24:]}, "2048 × 2048"),
}


@pytest.mark.parametrize(("changes", "words"), WRONG.values(), ids=WRONG)
def test_what_is_out_of_range_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(RefusedDrawingError, match=words):
        dataclasses.replace(drawing(), **changes).check()  # type: ignore[arg-type]


def test_of_many_all_are_kept_or_none(store: DrawingStore) -> None:
    many = [drawing(number) for number in range(450)]
    with pytest.raises(RefusedDrawingError):
        store.add_all([*many, dataclasses.replace(many[0], id="7")])
    assert store.count() == 0
    assert store.add_all(many[:300]) == 300
    assert store.add_all(many) == 150


def _add_some(url: str, which: list[StoredDrawing]) -> int:
    with DrawingStore(url) as store:
        return sum(store.add(one) for one in which)


def test_processes_that_save_at_once_lose_none_and_double_none(url: str, fork_server: BaseContext) -> None:
    many = [drawing(number) for number in range(120)]
    parts = [many[start::3] for start in range(3)] * 2  # each by two processes; nobody has opened the database before
    with ProcessPoolExecutor(6, fork_server) as pool:
        new = list(pool.map(_add_some, [url] * 6, parts))
    assert sum(new) == 120
    with DrawingStore(url) as store:
        assert store.find(newest_first=False) == many


ENDLESS = """
import sys
from mnist_core.drawings.store import DrawingStore
from tests.drawing_examples import drawing
store, number = DrawingStore(sys.argv[1]), 0
while True:
    one = drawing(number)
    print("begin", one.id, flush=True)
    store.add(one)
    print("kept", one.id, flush=True)
    number += 1
"""


def test_what_a_killed_process_was_told_is_kept_is_there(url: str) -> None:
    command = [sys.executable, "-c", ENDLESS, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(61)]  # the last one: it is about to save
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
    said = [line.split() for line in lines if line.endswith("\n")]
    begun, kept = ({id for word, id in said if word == which} for which in ("begin", "kept"))
    assert len(kept) >= 30
    with DrawingStore(url) as store:
        ids = [one.id for one in store.find()]
        assert kept <= set(ids) <= begun
        assert len(ids) == len(set(ids))
        assert store.add(drawing(9999))


@contextmanager
def full(_: Path, store: DrawingStore) -> Iterator[None]:
    with store._engine.connect().execution_options(begin=None) as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 12")
    yield


@contextmanager
def locked(path: Path, _: DrawingStore) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


@contextmanager
def damaged(path: Path, store: DrawingStore) -> Iterator[None]:
    store.close()
    path.write_bytes(path.read_bytes()[:4096] + os.urandom(20_000))
    yield


@contextmanager
def foreign(path: Path, _: DrawingStore) -> Iterator[None]:
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE drawings")
    other.close()
    yield


TROUBLE = {full: "Make room", locked: "Try again in a moment", damaged: "is damaged", foreign: "another database"}


@pytest.mark.parametrize(("trouble", "words"), TROUBLE.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_when_the_file_fails_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: object, words: str
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.2)
    path = tmp_path / "drawings.sqlite3"
    with DrawingStore(f"sqlite:///{path}") as store, trouble(path, store):  # type: ignore[operator]
        with pytest.raises(StoreError, match=words) as failure:
            store.add(drawing(strokes=f'["{"x" * 90_000}"]'))
        said = str(failure.value)
        assert said.startswith("Drawings cannot be saved or read just now. For whoever runs this program: sqlite:///")
        assert str(path) in said


def test_a_file_that_was_taken_away_is_missed_and_can_be_put_back(tmp_path: Path) -> None:
    path = tmp_path / "drawings.sqlite3"
    url = f"sqlite:///{path}"
    with DrawingStore(url) as store:
        store.add(drawing(1))
        away = path.rename(path.with_name("away.sqlite3"))
        for call in (store.count, lambda: store.add(drawing(2))):
            with pytest.raises(StoreError, match="deleted or moved away"):
                call()
        away.rename(path)
        assert store.add(drawing(2))
        assert store.count() == 2
        path.unlink()
        with pytest.raises(StoreError, match="deleted or moved away"):
            store.add(drawing(3))
        with DrawingStore(url) as again:
            assert again.add(drawing(3))
    with DrawingStore(url) as store:
        assert store.count() == 1


def test_a_file_that_can_only_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "drawings.sqlite3"
    DrawingStore(f"sqlite:///{path}").close()
    with DrawingStore(f"sqlite:///file:{path}?mode=ro&uri=true") as store:
        assert store.count() == 0
        with pytest.raises(StoreError, match="It can only be read"):
            store.add(drawing())


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "drawings.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="not a database of this program"):
        DrawingStore(f"sqlite:///{tmp_path / 'drawings.sqlite3'}")


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Make the folder writable"):
        DrawingStore(f"sqlite:///{tmp_path / 'file' / 'drawings.sqlite3'}")


def test_a_server_that_is_away_says_so_but_not_the_password() -> None:
    with pytest.raises(StoreError, match="The server does not answer") as failure:
        DrawingStore("postgresql://ann:secret@127.0.0.1:9/drawings?sslpassword=secret")
    assert "secret" not in str(failure.value)


def test_a_missing_database_and_a_restarted_server(postgresql: Server) -> None:
    url = postgresql.new_database()
    with pytest.raises(StoreError, match="createdb"):
        DrawingStore(url.replace("/drawings", "/missing"))
    with DrawingStore(url) as store, postgresql.connect() as master:
        store.add(drawing())
        master.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        assert store.count() == 1  # over a new connection


@pytest.mark.parametrize(
    ("url", "words"),
    [
        *(("mysql://x/y", "cannot be stored in 'mysql'"), ("nonsense", "cannot be understood")),
        *(("sqlite://", "in memory"), ("sqlite:///:memory:", "in memory")),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(StoreError, match=words):
        DrawingStore()


def test_urls_as_platforms_give_them_are_understood(weights: Path) -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        url = database.database_url(f"{scheme}://ann:p%40ss@host:5432/drawings?sslmode=require")
        assert (url.drivername, url.password, url.query["sslmode"]) == ("postgresql+psycopg", "p@ss", "require")
    assert database.database_url().database == str(weights / "drawings.sqlite3")


def test_sqlite_is_as_careful_as_promised(tmp_path: Path) -> None:
    with DrawingStore(f"sqlite:///{tmp_path / 'x.sqlite3'}") as store, store._engine.connect() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    assert found == {
        **{"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1},
        "busy_timeout": database.WAIT_SECONDS * 1000,
    }
