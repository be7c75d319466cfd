"""Opening the database: which one, how careful it is, and its schema brought up to date, whoever opens it first.

SQLite keeps a write-ahead log, so that readers and a writer do not wait for each other, and flushes it to the disk at
every commit (`synchronous=FULL`): what was acknowledged survives not only a killed process but a power cut as well; a
person confirms a drawing now and then, so nobody notices the milliseconds.
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
PATIENCE = 30
"""Seconds to wait for another process that writes, or for a server."""
UPGRADE_LOCK = 7_841_010
"""Number of the lock under which PostgreSQL's schema is changed; any would do that other programs do not use."""


def database_url(url: str | None = None) -> URL:
    """Where drawings are kept: `url`, else `DATABASE_URL`, else SQLite's file in the folder of the versions.

    Raises:
        StoreError: it names no database that can be used.
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
        raise StoreError(not_now(f"Drawings cannot be kept in {parsed.drivername!r}. {_GIVE_A_URL}"))
    if parsed.drivername == "sqlite" and (parsed.database or ":memory:") == ":memory:":
        raise StoreError(not_now(f"Drawings in memory would be lost when the program ends. {_GIVE_A_URL}"))
    return parsed


def open_database(url: str | None = None) -> Engine:
    """The database, with today's schema; many processes may do so at once.

    Raises:
        StoreError: it cannot be opened, or was made by a newer program.
    """
    place = database_url(url)
    with clear_errors(place):
        engine = engine_of(place)
        try:
            if engine.dialect.name == "sqlite":
                _keep_a_log(engine)
            _upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


def engine_of(place: URL) -> Engine:
    """The database as it is."""
    return _sqlite(place) if place.drivername == "sqlite" else _postgresql(place)


@contextmanager
def clear_errors(place: URL) -> Iterator[None]:
    """Within it, what a database complains of becomes a `StoreError` that says what to do."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(not_now(f"{name_of(place)}: {what_to_do(error)}")) from error


def name_of(place: URL) -> str:
    """Which database that is, without the password, wherever the address has it."""
    return place.difference_update_query(["password", "sslpassword"]).render_as_string(hide_password=True)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees the database as it is now."""
    with clear_errors(engine.url), engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that changes all that it does or nothing; what it has changed is on the disk when it ends."""
    with clear_errors(engine.url), engine.execution_options(begin="IMMEDIATE").begin() as connection:
        yield connection


def forget_what_was_deleted(engine: Engine) -> None:
    """Write the database's files anew, without what was deleted; backups and a server's own log are not ours.

    Takes about a second for 100 MB, during which others wait.

    Raises:
        StoreError: others kept it busy, or the disk is full; what was deleted may still be in the files.
    """
    try:
        if engine.dialect.name == "sqlite":
            _rewrite_file(engine)
        else:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql(f"VACUUM (FULL) {drawings.name}")
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"{_TRACES} {name_of(engine.url)}: {what_to_do(error)}") from error


def _rewrite_file(engine: Engine) -> None:
    """Deleted bytes are zeroed at once, but copies lie in the log, and where rows were moved to other pages."""
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
    engine = create_engine(place, connect_args={"timeout": PATIENCE})
    opened: list[tuple[int, int] | None] = []

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say; Python's own would leave out some
        for setting in ("foreign_keys=ON", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # SQLite goes on writing into a file that was deleted or moved away, where nobody finds what was kept
        now = _identity(path)
        if not opened:
            opened.append(now)
        if now != opened[0]:
            raise StoreError(not_now(f"{name_of(place)}: {TAKEN_AWAY}"))
        if kind := connection.get_execution_options().get("begin", "DEFERRED"):
            connection.exec_driver_sql(f"BEGIN {kind}")

    return engine


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Which file stands at a path, whatever it holds; None where there is none."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def _postgresql(place: URL) -> Engine:
    patience: dict[str, Any] = {
        "connect_timeout": PATIENCE // 3,
        "tcp_user_timeout": PATIENCE * 1000,  # a network that fell silent is an error, not a wait without end
        "prepare_threshold": None,  # poolers that platforms put before the server lose prepared statements
    }
    arguments = {key: value for key, value in patience.items() if key not in place.query}
    engine = create_engine(place, connect_args=arguments, pool_pre_ping=True)  # servers restart

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.execute(f"SET lock_timeout = '{PATIENCE}s'")
        connection.commit()

    return engine


def _keep_a_log(engine: Engine) -> None:
    """Switch to the write-ahead log; it is the file's property, so only the first process has to.

    SQLite does not wait here as it does elsewhere when processes do so at once.
    """
    deadline = time.monotonic() + PATIENCE
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
    """Bring the schema up to date, in one transaction and under a lock: others wait, then find it done."""
    from alembic import command  # here, as most of the program does without
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
    """Which step the database has seen last, or none.

    Raises:
        StoreError: one that this program does not know.
    """
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    revision = context.get_current_revision()
    if revision is not None and revision not in {step.revision for step in steps.walk_revisions()}:
        raise StoreError(
            not_now(
                f"{name_of(connection.engine.url)} was made by a newer program than this one (its form is {revision}). "
                "Update this program, or let DATABASE_URL name another database."
            )
        )
    return revision


_GIVE_A_URL = "Give one such as postgresql://user:password@host/database or sqlite:////folder/drawings.sqlite3."
_TRACES = "Deleted, but traces may be left in the database's files; delete again in a moment to have them gone."
