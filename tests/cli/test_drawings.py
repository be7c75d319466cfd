"""`mnist-core drawings`, as a person and as another program would use it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnist_core.drawings.store import DrawingStore
from mnist_core.images.datasets import NOT_A_DIGIT
from tests.cli.test_app import run
from tests.drawing_examples import drawing

MANY = [drawing(number, writer="Bob" if number > 19 else "Ann [red]:boom:") for number in range(25)]


@pytest.fixture
def here() -> Iterator[DrawingStore]:
    """The drawings that a person has who has set nothing."""
    with DrawingStore() as store:
        store.add_all(MANY)
        yield store


@pytest.mark.usefixtures("here")
def test_drawings_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], weights: Path
) -> None:
    assert run(monkeypatch, "drawings", "list") == 0
    out = capsys.readouterr().out
    assert "20 of 25 drawings" in out
    assert MANY[24].id[:8] in out
    assert MANY[4].id[:8] not in out
    assert run(monkeypatch, "drawings", "list", "--writer", "Bob", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["id"] for entry in listed] == [one.id for one in MANY[:19:-1]]
    assert set(listed[0]) == {
        *("id", "time", "writer", "label", "digit", "confidence", "accepted", "version"),
    }
    assert run(monkeypatch, "drawings", "list", "--all", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 25
    assert (weights / "drawings.sqlite3").exists()


def test_drawings_are_exported_deleted_and_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, here: DrawingStore
) -> None:
    file = str(tmp_path / "bob.zip")
    assert run(monkeypatch, "drawings", "export", "--writer", "Bob", "--to", file, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"file": file, "drawings": 5, "bytes": Path(file).stat().st_size}
    assert run(monkeypatch, "drawings", "delete", "--writer", "Bob") == 1
    assert "5 drawings will be deleted, and cannot be brought back. Add --yes" in capsys.readouterr().err
    assert here.count() == 25
    assert run(monkeypatch, "drawings", "delete", "--writer", "Bob", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"deleted": 5}
    assert here.count() == 20
    for added in (5, 0):
        assert run(monkeypatch, "drawings", "import", file, "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"added": added, "skipped": 5 - added}
    assert here.find() == MANY[::-1]
    assert run(monkeypatch, "drawings", "delete", MANY[0].id, MANY[1].id, "--yes") == 0
    assert run(monkeypatch, "drawings", "export", "--all", "--to", file) == 0
    assert "23 drawings" in capsys.readouterr().out
    assert run(monkeypatch, "drawings", "delete", "--all", "--yes") == 0
    assert "23 drawings deleted" in capsys.readouterr().out
    assert here.count() == 0


def test_a_person_is_asked_before_drawings_are_deleted(monkeypatch: pytest.MonkeyPatch, here: DrawingStore) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    for answer, left in ((False, 25), (True, 20)):
        monkeypatch.setattr("typer.confirm", lambda _, err, answer=answer: err and answer)
        assert run(monkeypatch, "drawings", "delete", "--writer", "Bob") == (0 if answer else 1)
        assert here.count() == left


def test_a_list_fits_a_terminal_of_80_letters_and_nothing_is_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(monkeypatch, "drawings", "list") == 0
    assert "0 of 0 drawings" in capsys.readouterr().out
    name, version = "Somebody_with_a_name_that_is_longer_than_most", "runs/20261123-120000-quick"
    answered = {"writer": name, "version": version, "digit": 7, "confidence": 0.99996}
    with DrawingStore() as store:
        store.add(drawing(label=NOT_A_DIGIT, accepted=True, **answered))
        store.add(drawing(accepted=False, **answered))
    assert run(monkeypatch, "drawings", "list") == 0
    _, *lines = capsys.readouterr().out.splitlines()  # the first one names the database
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    text = " ".join(" ".join(lines).split())
    assert "2026-11-23 12:00 no digit 7 (> 99.9%) runs/" in text
    assert "2026-11-23 12:00 0 declined (7) runs/" in text


def test_the_beginning_of_an_id_will_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], here: DrawingStore
) -> None:
    alike = [drawing(id=f"0000aaaa-0000-4000-8000-00000000000{number}") for number in range(2)]
    here.add_all(alike)
    assert run(monkeypatch, "drawings", "delete", MANY[0].id[:8], "0000aaaa", "--yes") == 1
    assert "several drawings begin with '0000aaaa'" in capsys.readouterr().err
    assert here.count() == 27, "all of them are deleted or none"
    assert run(monkeypatch, "drawings", "delete", MANY[0].id[:8].upper(), MANY[0].id, alike[1].id, "--yes") == 0
    assert "2 drawings deleted" in capsys.readouterr().out
    assert here.get(MANY[0].id) is here.get(alike[1].id) is None


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("delete",), 2, "give either ids, or --writer NAME, or --all"),
        (("delete", "--all", "--writer", "Bob"), 2, "give either"),
        (("export", "--all", "--writer", "Bob", "--to", "x.zip"), 2, "give either"),
        (("delete", "no-such-id", "--yes"), 1, "There is no drawing 'no-such-id'"),
        (("delete", "", "--yes"), 1, "too short for an id"),
        *(
            ((*command, "--writer", "Bob", "--writer", "Nobody", "--json"), 1, "There are no drawings by 'Nobody'")
            for command in (("list",), ("delete", "--yes"), ("export", "--to", "x.zip"))
        ),
        (("export", "--to", "/no such folder/x.zip"), 1, "Choose another file"),
        (("import", "none.zip"), 1, "Give a file that `export` wrote"),
        (("import", __file__), 1, "Choose a zip file that was exported here"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    assert run(monkeypatch, "drawings", *arguments) == code
    out, error = capsys.readouterr()
    assert words in error
    assert "Traceback" not in error
    assert not out


def test_a_store_that_cannot_be_opened_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://ann:secret@127.0.0.1:9/drawings")
    assert run(monkeypatch, "drawings", "list") == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert "The server does not answer" in error
    assert "secret" not in error
