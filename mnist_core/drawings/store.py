"""`DrawingStore`, which keeps the drawings that people confirmed or corrected in a database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from itertools import islice
from types import TracebackType
from typing import Any, Self
from weakref import finalize

import numpy as np
from sqlalchemy import ColumnElement, Connection, Result, Select, func, select
from sqlalchemy.dialects import postgresql, sqlite

from mnist_core.drawings.database import forget_what_was_deleted, name_of, open_database, reading, writing
from mnist_core.drawings.database_errors import DAMAGED, not_now
from mnist_core.drawings.drawing import LABELS, StoredDrawing
from mnist_core.drawings.schema import drawings
from mnist_core.errors import RefusedDrawingError, StoreError
from mnist_core.images.datasets import LabelledImages

__all__ = ["DrawingStore", "StoredDrawing"]

BATCH_ROWS = 200
"""Rows that one statement reads, writes or deletes."""


class DrawingStore:
    """Keeps drawings. Threads and processes may share one database, each process with a store of its own.

    Every method raises `StoreError` where the database fails. Nothing has then changed, unless the message says
    otherwise, and the same call can be made again.
    """

    def __init__(self, url: str | None = None) -> None:
        """Open the database: `url`, else `DATABASE_URL`, else SQLite's `drawings.sqlite3` beside the versions.

        Raises:
            StoreError: it cannot be opened; the message says what to do.
        """
        self._engine = open_database(url)
        finalize(self, self._engine.dispose)  # a store that lives as long as the program need not be closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    @property
    def place(self) -> str:
        """The address of the database, without the password."""
        return name_of(self._engine.url)

    def add(self, drawing: StoredDrawing) -> bool:
        """Save a drawing, and return whether it was new; saving it again changes nothing.

        When this returns, the drawing is on the disk.

        Raises:
            RefusedDrawingError: the drawing is not valid, or its id belongs to a drawing with other ink, label or
                writer (to change the label there is `relabel`).
            StoreError: the database fails. Save the drawing again, with the same id.
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
                "Another drawing is saved under the same id (or this one, with another label or writer). Relabel that "
                "one, or give this one a new id."
            )
        return False

    def add_all(self, many: Iterable[StoredDrawing]) -> int:
        """Save all drawings or, where one fails, none, and return how many were new.

        Drawings whose ids are in the store already are skipped.

        Raises:
            RefusedDrawingError: one is not valid.
            StoreError: the database fails.
        """
        rest, added = iter(many), 0
        with writing(self._engine) as connection:
            while some := list(islice(rest, BATCH_ROWS)):
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
        """Return drawings by these writers and with these labels (`None`: any) by time; `limit` after `offset`."""
        query = _in_order(select(drawings), newest_first).where(*_chosen(writers, labels)).limit(limit).offset(offset)
        with reading(self._engine) as connection:
            return list(_drawings(connection.execute(query)))

    def get(self, id: str) -> StoredDrawing | None:
        """Return the drawing with this id, or None."""
        with reading(self._engine) as connection:
            return next(_drawings(connection.execute(select(drawings).where(drawings.c.id == id))), None)

    def ids(self, beginning: str, *, limit: int) -> list[str]:
        """Return ids with this beginning, `limit` of them at most."""
        query = select(drawings.c.id).where(drawings.c.id.startswith(beginning, autoescape=True)).limit(limit)
        with reading(self._engine) as connection:
            return list(connection.execute(query).scalars())

    def each(self, writers: Sequence[str] | None = None) -> Iterator[StoredDrawing]:
        """Yield drawings by these writers (`None`: any), the oldest first, as they were when the first was read.

        Only a few are in memory at a time.
        """
        query = _in_order(select(drawings), newest_first=False).where(*_chosen(writers))
        with reading(self._engine) as connection:
            yield from _drawings(connection.execution_options(yield_per=BATCH_ROWS).execute(query))

    def count(self, writers: Sequence[str] | None = None, *, labels: Sequence[int] | None = None) -> int:
        """Count the drawings by these writers and with these labels (`None`: any)."""
        with reading(self._engine) as connection:
            query = select(func.count()).select_from(drawings).where(*_chosen(writers, labels))
            return int(connection.execute(query).scalar_one())

    def writers(self) -> Mapping[str, int]:
        """Count each writer's drawings, sorted by name; those without a writer are under the empty name."""
        query = select(drawings.c.writer, func.count()).group_by(drawings.c.writer)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return dict(sorted((row[0], row[1]) for row in rows))

    def images(self, writers: Sequence[str] | None = None, *, non_digits: bool = False) -> LabelledImages:
        """Return frames and labels of digits by these writers, the oldest first; with `non_digits` those too."""
        query = _in_order(select(drawings.c.frame, drawings.c.label), newest_first=False).where(*_chosen(writers))
        if not non_digits:
            query = query.where(drawings.c.label >= 0)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        with _damage_reported():
            frames = np.frombuffer(bytearray().join(row.frame for row in rows), np.uint8).reshape(-1, 28, 28)
            labels = np.array([row.label for row in rows], np.int64)
            if len(frames) != len(rows) or not np.isin(labels, LABELS).all():
                raise ValueError("a frame or a label is out of range")
        return LabelledImages("corrected drawings", frames, labels)

    def relabel(self, id: str, label: int) -> None:
        """Change the label of a drawing.

        Raises:
            RefusedDrawingError: there is no such label.
            StoreError: there is no such drawing, or the database fails.
        """
        if isinstance(label, bool) or label not in LABELS:
            raise RefusedDrawingError(f"There is no label {label!r:.20}. Choose 0 to 9, or -1 for what is no digit.")
        with writing(self._engine) as connection:
            found = connection.execute(drawings.update().where(drawings.c.id == id).values(label=int(label))).rowcount
        if not found:
            raise StoreError("That drawing is not there any more. Somebody may have deleted it; load the list again.")

    def delete(self, ids: Iterable[str]) -> int:
        """Delete drawings for good, and return how many there were.

        Raises:
            StoreError: the database fails; or they are deleted, but traces may remain in its files.
        """
        rest = iter(ids)
        chunks = iter(lambda: list(islice(rest, BATCH_ROWS)), [])
        return self._delete(drawings.c.id.in_(chunk) for chunk in chunks)

    def delete_writer(self, name: str) -> int:
        """Delete all drawings of a writer for good; raises what `delete` raises."""
        return self._delete([drawings.c.writer == name])

    def delete_all(self) -> int:
        """Delete every drawing for good; raises what `delete` raises."""
        return self._delete([drawings.c.id.is_not(None)])

    def _delete(self, chosen: Iterable[ColumnElement[bool]]) -> int:
        with writing(self._engine) as connection:
            deleted = sum(connection.execute(drawings.delete().where(some)).rowcount for some in chosen)
        # also where nothing was deleted now: an earlier attempt may have deleted the rows and then failed here
        forget_what_was_deleted(self._engine)
        return deleted


_FIELDS = tuple(field.name for field in fields(StoredDrawing))


def _insert(connection: Connection) -> Any:
    """Return a statement that inserts rows, and returns the ids of those that were not there."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return make(drawings).on_conflict_do_nothing(index_elements=["id"]).returning(drawings.c.id)


def _drawings(result: Result[Any]) -> Iterator[StoredDrawing]:
    """Yield the drawings of a query's rows.

    Raises:
        StoreError: a row is no drawing, as in a damaged database.
    """
    with _damage_reported():
        for row in result.mappings():
            drawing = StoredDrawing(**row)
            drawing.check_values()
            yield drawing


@contextmanager
def _damage_reported() -> Iterator[None]:
    """Turn errors that wrong values in the database lead to into a `StoreError`."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise StoreError(not_now(f"{DAMAGED} ({error})")) from error


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
