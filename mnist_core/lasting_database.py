"""A database that is kept open for as long as the program runs, also where its file is deleted or moved meanwhile.

SQLite would go on writing into the file that it has opened, which nobody finds any more. So whoever reads or writes
here looks first whether that file still stands at its path, and else opens the path anew; and a change counts only if
the file stood there until it was done.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from mnist_core import database_file
from mnist_core.database import clear_errors, database_url, open_database, reading, writing
from mnist_core.database_errors import not_now
from mnist_core.errors import StoreError

MOVED = "the file was deleted or moved away at this moment. Nothing was kept or changed; try again, in a new file."


class LastingDatabase:
    """Any number of threads may use it."""

    def __init__(self, url: str | None = None) -> None:
        """Open it: `url`, else where `database_url` says; later changes of the environment do not matter.

        Raises:
            StoreError: it cannot be opened.
        """
        self.place = database_url(url)
        self._change = Lock()
        self._opened = _Opened(self.place)

    @property
    def engine(self) -> Engine:
        """The database at its place.

        Raises:
            StoreError: its file is gone, and it cannot be opened anew.
        """
        return self._now().engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees the database as it is now."""
        with reading(self.engine) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that changes all that it does or nothing; what it has changed is on the disk when it ends.

        Raises:
            StoreError: the database fails, or its file was taken away meanwhile; the same can be tried again.
        """
        opened = self._now()
        with writing(opened.engine) as connection:
            yield connection
        if not opened.in_place():
            raise StoreError(not_now(MOVED))

    def close(self) -> None:
        """Let go of it."""
        self._opened.close()

    def _now(self) -> "_Opened":
        """What is open, after opening it anew where that has to be."""
        if not self._opened.in_place():
            with self._change:
                if not self._opened.in_place():  # else another thread was first
                    gone = self._opened
                    with clear_errors(self.place):
                        gone.leave()
                    self._opened = _Opened(self.place)
                    gone.close()
        return self._opened


class _Opened:
    """A database that was opened, and the file that it is in, if it is in one."""

    def __init__(self, place: URL) -> None:
        """Open it.

        Raises:
            StoreError: it cannot be opened, or its file was taken away at this moment.
        """
        file = place.database if place.drivername == "sqlite" and not place.query else None
        self._path = Path(file) if file else None
        self._held: Connection | None = None
        with clear_errors(place):
            if self._path:
                database_file.make(self._path)
                self._file = database_file.identity(self._path)  # before it is opened, and looked at again after
            self.engine = open_database(place)
            if self._path:
                self._hold(self._path)
        if not self.in_place():
            self.close()
            raise StoreError(not_now(MOVED))

    def _hold(self, path: Path) -> None:
        """Keep one connection: as long as it is there, no other file gets this one's number, and the log stays."""
        self._held = self.engine.connect().execution_options(begin=None)
        self._held.exec_driver_sql("PRAGMA schema_version").scalar()  # only now it opens the log
        self._log = database_file.log_of(path)

    def in_place(self) -> bool:
        """Whether its file is still the one at its path."""
        return self._path is None or database_file.identity(self._path) == self._file

    def leave(self) -> None:
        """Finish a file that was moved away, and see that the next one does not come upon its log.

        Raises:
            OSError: the log cannot be removed.
        """
        if self._path and self._held is not None:
            self._finish(self._held)
            database_file.remove_log(self._path, self._log)

    def close(self) -> None:
        """Let go of it; it can be used nevertheless, until its file is moved."""
        if self._held is not None:
            if not self.in_place():
                self._finish(self._held)
            self._held.close()
            self._held = None
        self.engine.dispose()

    def _finish(self, held: Connection) -> None:
        """Bring what was acknowledged from the log into the file; SQLite leaves that out for a file that was moved."""
        with suppress(SQLAlchemyError):  # others may still read, and what nobody finds need not be whole
            held.exec_driver_sql("PRAGMA wal_checkpoint(FULL)").all()
