"""A database of any age is brought up to date, with all that it holds, whoever opens it, and however many at once."""

import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import CommandLine
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from mnist_core.drawings import database
from mnist_core.drawings.database import open_database
from mnist_core.drawings.schema import VERSION_TABLE, drawings, metadata
from mnist_core.drawings.store import DrawingStore
from mnist_core.errors import StoreError
from tests.drawing_examples import drawing

ROOT = Path(__file__).parents[2]
FIRST_CONTENT = """
INSERT INTO drawings (id, time, writer, label, png, strokes, frame, digit, confidence, accepted, version) VALUES
(:id, '2026-11-23 12:00:00.123456', 'Ann', 7, :png, '[]', :frame, 1, 0.5, :accepted, 'best')
"""
NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "0001"

def upgrade():
    op.add_column("drawings", sa.Column("country", sa.String(2), nullable=False, server_default="NP"))
    op.execute("UPDATE drawings SET writer = 'changed'")
"""


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program as it may be one day, with a step more."""
    folder = tmp_path / "migrations, 100% new"
    shutil.copytree(database.MIGRATIONS, folder)
    (folder / "versions" / "revision_9999.py").write_text(NEXT)
    monkeypatch.setattr(database, "MIGRATIONS", folder)
    return folder


def test_the_schema_is_what_the_migrations_make(url: str) -> None:
    engine = open_database(url)
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        checks = {check["name"] for check in inspect(connection).get_check_constraints("drawings")}
        assert checks == {"drawings_label", "drawings_digit", "drawings_frame"}
    engine.dispose()


def _with_first_content(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A database as the first revision left it, with a drawing in it; its id."""
    first = tmp_path / "first"
    (first / "versions").mkdir(parents=True)
    for name in ("env.py", "script.py.mako", "versions/revision_0001.py"):
        shutil.copy(database.MIGRATIONS / name, first / name)
    kept = drawing()
    with monkeypatch.context() as then:
        then.setattr(database, "MIGRATIONS", first)
        engine = open_database(url)
    with engine.begin() as connection:
        values = {"id": kept.id, "png": kept.png, "frame": kept.frame, "accepted": True}
        connection.execute(text(FIRST_CONTENT), values)
    engine.dispose()
    return kept.id


def test_a_database_of_the_first_revision_is_kept_with_its_content(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    identifier = _with_first_content(url, monkeypatch, tmp_path)
    with DrawingStore(url) as store:
        (found,) = store.find()
        assert (found.id, found.writer, found.label, found.confidence) == (identifier, "Ann", 7, 0.5)
        assert store.add(drawing(1))


@pytest.mark.usefixtures("newer")
def test_a_further_step_keeps_what_is_there(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _with_first_content(url, monkeypatch, tmp_path)
    engine = open_database(url)
    with engine.connect() as connection:
        (row,) = connection.execute(text("SELECT writer, country, label FROM drawings")).all()
        assert tuple(row) == ("changed", "NP", 7)
    engine.dispose()


def test_a_step_that_fails_leaves_the_database_as_it_was(url: str, newer: Path) -> None:
    step = newer / "versions" / "revision_9999.py"
    content = step.read_text()
    step.unlink()
    with DrawingStore(url) as store:
        store.add(drawing())
    step.write_text(content + '    op.execute("SELECT no_such_column FROM drawings")\n')
    with pytest.raises(StoreError, match="no_such_column"):
        open_database(url)
    step.unlink()
    with DrawingStore(url) as store:
        assert store.writers() == {"Ann": 1}
        assert _columns(store._engine) == set(drawings.columns.keys())


def test_a_database_of_a_newer_program_is_left_alone(url: str, newer: Path) -> None:
    open_database(url).dispose()
    shutil.rmtree(newer / "versions" / "__pycache__", ignore_errors=True)
    (newer / "versions" / "revision_9999.py").unlink()
    with pytest.raises(StoreError, match=r"newer program \(its revision is 9999\)\. Update this program"):
        open_database(url)


def test_a_revision_that_is_no_text_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'damaged.sqlite3'}"
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
        connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num)"))
        connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (7)"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"its revision is 7\)"):
        open_database(url)


def test_another_programs_tables_are_left_alone(url: str) -> None:
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))
    engine.dispose()
    with pytest.raises(StoreError, match="Let DATABASE_URL name another database"):
        open_database(url)


def test_alembics_own_command_line_works(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.chdir(ROOT)
    for command in ("upgrade head", "check", "downgrade base"):
        CommandLine().main(command.split())
    with DrawingStore(url) as store:
        assert store.count() == 0


def _open_and_count(url: str) -> int:
    with DrawingStore(url) as store:
        return store.count()


def test_many_processes_open_a_new_database_at_once(url: str, fork_server: BaseContext) -> None:
    with ProcessPoolExecutor(4, fork_server) as pool:
        assert list(pool.map(_open_and_count, [url] * 4)) == [0] * 4


def _columns(engine: Engine) -> set[str]:
    return {column["name"] for column in inspect(engine).get_columns("drawings")}
