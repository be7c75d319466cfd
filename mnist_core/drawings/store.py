"""The drawings that people confirmed or corrected, kept in a database; `database` says in which, and how carefully."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from types import TracebackType
from typing import Any, Self
from weakref import finalize

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, func, select
from sqlalchemy.dialects import postgresql, sqlite

from mnist_core.drawings.database import forget_what_was_deleted, name_of, open_database, reading, writing
from mnist_core.drawings.drawing import LABELS, StoredDrawing
from mnist_core.drawings.schema import drawings
from mnist_core.errors import RefusedDrawingError, StoreError
from mnist_core.images.datasets import LabelledImages

__all__ = ["DrawingStore", "StoredDrawing"]

AT_ONCE = 200
"""So many rows are read, written or deleted by one statement."""


class DrawingStore:
    """Keeps drawings. Threads and processes may share one database, each process with a store of its own.

    Every method raises `StoreError` where the database fails; nothing has then changed, and the same call can be made
    again, where the message does not say otherwise.
    """

    def __init__(self, url: str | None = None) -> None:
        """Open the database: `url`, else `DATABASE_URL`, else SQLite's `drawings.sqlite3` among the versions.

        Raises:
            StoreError: it cannot be opened; the message says what to do.
        """
        self._engine = open_database(url)
        finalize(self, self._engine.dispose)  # whoever keeps a store for as long as the program runs need not close it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def place(self) -> str:
        """Where the drawings are kept, without the password."""
        return name_of(self._engine.url)

    def add(self, drawing: StoredDrawing) -> bool:
        """Keep a drawing; when this returns, it is on the disk. Whether it was new: saving it again changes nothing.

        Raises:
            RefusedDrawingError: it cannot be kept as it is, or its id belongs to a drawing with other ink, label or
                writer (for another label there is `relabel`).
            StoreError: the database fails. Save it again, with the same id.
        """
        drawing.check()
        with writing(self._engine) as connection:
            if connection.execute(_insert(connection), [_row(drawing)]).first() is not None:
                return True
            kept = connection.execute(
                select(drawings.c.writer, drawings.c.label, drawings.c.frame).where(drawings.c.id == drawing.id)
            ).one()
        if (kept.writer, kept.label, kept.frame) != (drawing.writer, drawing.label, drawing.frame):
            raise RefusedDrawingError(
                "Another drawing is kept under the same id (or this one, with another label or writer). Relabel that "
                "one, or give this one a new id."
            )
        return False

    def add_all(self, many: Iterable[StoredDrawing]) -> int:
        """Keep all drawings or, where one fails, none. How many were new: those whose id is there already stay.

        Raises:
            RefusedDrawingError: one cannot be kept as it is.
            StoreError: the database fails.
        """
        rest, added = iter(many), 0
        with writing(self._engine) as connection:
            while some := list(islice(rest, AT_ONCE)):
                for drawing in some:
                    drawing.check()
                added += len(connection.execute(_insert(connection), [_row(drawing) for drawing in some]).all())
        return added

    def find(
        self,
        writers: Sequence[str] | None = None,
        *,
        labels: Sequence[int] | None = None,
        newest_first: bool = True,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[StoredDrawing]:
        """Drawings by these writers and with these labels (`None`: any), by time; `limit` of them after `offset`."""
        query = _in_order(select(drawings), newest_first).where(*_chosen(writers, labels)).limit(limit).offset(offset)
        with reading(self._engine) as connection:
            return [StoredDrawing(**row) for row in connection.execute(query).mappings()]

    def get(self, id: str) -> StoredDrawing | None:
        """The drawing with this id, if there is one."""
        with reading(self._engine) as connection:
            row = connection.execute(select(drawings).where(drawings.c.id == id)).mappings().first()
        return StoredDrawing(**row) if row else None

    def ids(self, beginning: str, *, limit: int) -> list[str]:
        """The ids that begin so, `limit` of them at most."""
        query = select(drawings.c.id).where(drawings.c.id.startswith(beginning, autoescape=True)).limit(limit)
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def each(self, writers: Sequence[str] | None = None) -> Iterator[StoredDrawing]:
        """Drawings by these writers, the oldest first, few in memory at a time; all as they were at the beginning."""
        query = _in_order(select(drawings), newest_first=False).where(*_chosen(writers))
        with reading(self._engine) as connection:
            for row in connection.execution_options(yield_per=AT_ONCE).execute(query).mappings():
                yield StoredDrawing(**row)

    def count(self, writers: Sequence[str] | None = None, *, labels: Sequence[int] | None = None) -> int:
        """How many drawings there are by these writers and with these labels (`None`: any)."""
        with reading(self._engine) as connection:
            query = select(func.count()).select_from(drawings).where(*_chosen(writers, labels))
            return int(connection.execute(query).scalar_one())

    def writers(self) -> Mapping[str, int]:
        """How many drawings each writer has, by name; those without a name are under the empty one."""
        query = select(drawings.c.writer, func.count()).group_by(drawings.c.writer)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return dict(sorted((row[0], row[1]) for row in rows))

    def images(self, writers: Sequence[str] | None = None, *, others: bool = False) -> LabelledImages:
        """Frames and labels of digits by these writers, the oldest first; with `others` also of what is no digit."""
        query = _in_order(select(drawings.c.frame, drawings.c.label), newest_first=False).where(*_chosen(writers))
        if not others:
            query = query.where(drawings.c.label >= 0)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        frames = np.frombuffer(b"".join(row.frame for row in rows), np.uint8).reshape(-1, 28, 28)
        labels = np.array([row.label for row in rows], np.int64)
        return LabelledImages("corrected drawings", frames.copy(), labels)

    def relabel(self, id: str, label: int) -> None:
        """Say that a drawing is something else.

        Raises:
            RefusedDrawingError: there is no such label.
            StoreError: there is no such drawing, or the database fails.
        """
        if isinstance(label, bool) or label not in LABELS:
            raise RefusedDrawingError(f"There is no label {label!r:.20}. Choose 0 to 9, or -1 for what is no digit.")
        with writing(self._engine) as connection:
            found = connection.execute(drawings.update().where(drawings.c.id == id).values(label=int(label))).rowcount
        if not found:
            raise StoreError("That drawing is not there any more. Somebody may have deleted it; load the list anew.")

    def delete(self, ids: Iterable[str]) -> int:
        """Delete drawings for good, and say how many there were.

        Raises:
            StoreError: the database fails; or they are deleted, but traces may be left in its files.
        """
        rest = iter(ids)
        chunks = iter(lambda: list(islice(rest, AT_ONCE)), [])
        return self._delete(drawings.c.id.in_(chunk) for chunk in chunks)

    def delete_writer(self, name: str) -> int:
        """Delete all that a writer drew, for good: nothing of it can be read from the database's files afterwards.

        Raises:
            StoreError: as for `delete`.
        """
        return self._delete([drawings.c.writer == name])

    def delete_all(self) -> int:
        """Delete every drawing, for good.

        Raises:
            StoreError: as for `delete`.
        """
        return self._delete([drawings.c.id.is_not(None)])

    def _delete(self, chosen: Iterable[ColumnElement[bool]]) -> int:
        with writing(self._engine) as connection:
            deleted = sum(connection.execute(drawings.delete().where(some)).rowcount for some in chosen)
        # also where none was left, since then the last attempt may have failed right here
        forget_what_was_deleted(self._engine)
        return deleted


_FIELDS = tuple(field.name for field in fields(StoredDrawing))


def _insert(connection: Connection) -> Any:
    """Insert rows, and return the ids of those that were not there."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return make(drawings).on_conflict_do_nothing(index_elements=["id"]).returning(drawings.c.id)


def _row(drawing: StoredDrawing) -> dict[str, Any]:
    return {name: getattr(drawing, name) for name in _FIELDS}


def _chosen(writers: Sequence[str] | None, labels: Sequence[int] | None = None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if writers is not None:
        conditions.append(drawings.c.writer.in_(writers))
    if labels is not None:
        conditions.append(drawings.c.label.in_(labels))
    return conditions


def _in_order(query: Select[Any], newest_first: bool) -> Select[Any]:
    columns = (drawings.c.time, drawings.c.id)
    return query.order_by(*(column.desc() if newest_first else column.asc() for column in columns))
