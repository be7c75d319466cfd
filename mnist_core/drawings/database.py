"""Open the database of drawings, and bring its schema up to date.

SQLite keeps a write-ahead log, so that readers and a writer do not wait for each other, and flushes it to the disk at
every commit (`synchronous=FULL`): what was acknowledged survives a killed process and a power cut. That takes a few
milliseconds, which nobody notices, since people confirm a drawing only now and then.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from mnist_core.drawings.database_errors import TAKEN_AWAY, not_now, what_to_do
from mnist_core.drawings.schema import VERSION_TABLE, drawings
from mnist_core.errors import StoreError
from mnist_core.files import weights_dir

FILE = "drawings.sqlite3"
MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_SECONDS = 30
"""How long to wait for another process that writes, or for a server."""
UPGRADE_LOCK = 7_841_010
"""Number of the lock under which PostgreSQL's schema is changed; any number that other programs do not use."""

_DATABASE_ERRORS = (SQLAlchemyError, OSError, UnicodeDecodeError)
"""The last one: what SQLite says of a damaged file may quote it, and then is no text."""


def database_url(url: str | None = None) -> URL:
    """Return where drawings are stored: `url`, else `DATABASE_URL`, else an SQLite file beside the versions.

    Raises:
        StoreError: the address is not one of SQLite or PostgreSQL.
    """
    given = url or os.environ.get("DATABASE_URL")
    if not given:
        return URL.create("sqlite", database=str(weights_dir() / FILE))
    try:
        parsed = make_url(given)
    except (ArgumentError, ValueError) as error:
        raise StoreError(not_now(f"DATABASE_URL cannot be understood. {_GIVE_A_URL}")) from error
    if parsed.drivername in ("postgres", "postgresql"):  # as platforms write it
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("postgresql+psycopg", "sqlite"):
        raise StoreError(not_now(f"Drawings cannot be stored in {parsed.drivername!r}. {_GIVE_A_URL}"))
    if parsed.drivername == "sqlite" and (parsed.database or ":memory:") == ":memory:":
        raise StoreError(not_now(f"Drawings in memory would be lost when the program ends. {_GIVE_A_URL}"))
    return parsed


def open_database(url: str | None = None) -> Engine:
    """Open the database and bring its schema up to date; many processes may do so at once.

    Raises:
        StoreError: it cannot be opened, or was made by a newer program.
    """
    place = database_url(url)
    with clear_errors(place):
        engine = engine_of(place)
        try:
            if engine.dialect.name == "sqlite":
                _use_write_ahead_log(engine)
            _upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


def engine_of(place: URL) -> Engine:
    """Return an engine for the database, whatever its schema."""
    return _sqlite(place) if place.drivername == "sqlite" else _postgresql(place)


@contextmanager
def clear_errors(place: URL) -> Iterator[None]:
    """Turn errors of the database within into a `StoreError` that says what to do."""
    try:
        yield
    except _DATABASE_ERRORS as error:
        raise StoreError(not_now(f"{name_of(place)}: {what_to_do(error)}")) from error


def name_of(place: URL) -> str:
    """Return the database's address without passwords."""
    return place.difference_update_query(["password", "sslpassword"]).render_as_string(hide_password=True)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees the database as it is now."""
    with clear_errors(engine.url), engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that makes all of its changes or none; they are on the disk when it ends."""
    with clear_errors(engine.url), engine.execution_options(begin="IMMEDIATE").begin() as connection:
        yield connection


def forget_what_was_deleted(engine: Engine) -> None:
    """Rewrite the database's files without what was deleted; backups and a server's own log stay as they are.

    Takes about a second for 100 MB, during which others wait.

    Raises:
        StoreError: others kept it busy, or the disk is full; traces of what was deleted may remain in the files.
    """
    try:
        if engine.dialect.name == "sqlite":
            _rewrite_file(engine)
        else:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql(f"VACUUM (FULL) {drawings.name}")
    except _DATABASE_ERRORS as error:
        raise StoreError(f"{_TRACES} {name_of(engine.url)}: {what_to_do(error)}") from error


def _rewrite_file(engine: Engine) -> None:
    """Remove the copies of deleted rows; SQLite zeroes the rows, but not the log or pages that rows were moved from."""
    with engine.connect().execution_options(begin=None) as connection:
        connection.exec_driver_sql("VACUUM")
        busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if busy:
        raise StoreError(f"{_TRACES} Another program is reading them.")


def _sqlite(place: URL) -> Engine:
    assert place.database
    path = None if place.query else Path(place.database)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(place, connect_args={"timeout": WAIT_SECONDS})
    opened: list[tuple[int, int] | None] = []

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = (
            None  # we begin transactions ourselves; the sqlite3 module would leave some statements out
        )
        for setting in ("foreign_keys=ON", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # SQLite would go on writing into a file that was deleted or moved away, and what it saved would be lost
        now = _identity(path)
        if not opened:
            opened.append(now)
        if now != opened[0]:
            raise StoreError(not_now(f"{name_of(place)}: {TAKEN_AWAY}"))
        if kind := connection.get_execution_options().get("begin", "DEFERRED"):
            connection.exec_driver_sql(f"BEGIN {kind}")

    return engine


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Return what tells the file at a path from any other; None where there is none."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def _postgresql(place: URL) -> Engine:
    patience: dict[str, Any] = {
        "connect_timeout": WAIT_SECONDS // 3,
        "tcp_user_timeout": WAIT_SECONDS * 1000,  # without it, a silent network means waiting for ever
        "prepare_threshold": None,  # connection poolers lose prepared statements
    }
    arguments = {key: value for key, value in patience.items() if key not in place.query}
    engine = create_engine(place, connect_args=arguments, pool_pre_ping=True)  # servers restart

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.execute(f"SET lock_timeout = '{WAIT_SECONDS}s'")
        connection.commit()

    return engine


def _use_write_ahead_log(engine: Engine) -> None:
    """Switch to the write-ahead log, which is a property of the file.

    When several processes do so at once, SQLite does not wait by itself as it does elsewhere.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with engine.connect().execution_options(begin=None) as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                return
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _upgrade(engine: Engine) -> None:
    """Bring the schema up to date in one transaction, under a lock; other processes wait, then find it done."""
    from alembic import command  # imported here, since most of the program does not need it
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    steps = ScriptDirectory.from_config(config)
    with reading(engine) as connection:
        if _revision(connection, steps) == steps.get_current_head():
            return
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": UPGRADE_LOCK})
        if _revision(connection, steps) != steps.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _revision(connection: Connection, steps: Any) -> str | None:
    """Return the last migration that the database has seen, or None.

    Raises:
        StoreError: this program does not know that migration.
    """
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    heads = map(str, context.get_current_heads())  # a damaged database may name several, or something that is no text
    revision = ", ".join(heads) or None
    if revision is not None and revision not in {step.revision for step in steps.walk_revisions()}:
        raise StoreError(
            not_now(
                f"{name_of(connection.engine.url)} was made by a newer program (its revision is {revision}). "
                "Update this program, or let DATABASE_URL name another database."
            )
        )
    return revision


_GIVE_A_URL = "Give one such as postgresql://user:password@host/database or sqlite:////folder/drawings.sqlite3."
_TRACES = "Deleted, but traces may remain in the database's files. Delete again in a moment to remove them."
