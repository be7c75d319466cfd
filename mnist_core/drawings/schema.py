"""The table of drawings as the newest migration leaves it; see `migrations`."""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

VERSION_TABLE = "drawings_revision"
"""Table that names the last migration; not Alembic's default, since other programs may share the database."""
LONGEST_NAME = 60
"""Letters of a writer's name."""
LONGEST_VERSION = 200
"""Letters of a version's name."""
FRAME_BYTES = 28 * 28


class Moment(TypeDecorator[datetime]):
    """A time in UTC that is read with its zone, even from SQLite, which stores none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what is stored for a time."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return a stored time with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()
drawings = Table(
    "drawings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("time", Moment(), nullable=False),
    Column("writer", String(LONGEST_NAME), nullable=False),
    Column("label", SmallInteger, nullable=False),
    Column("png", LargeBinary, nullable=False),
    Column("strokes", Text, nullable=False),
    Column("frame", LargeBinary, nullable=False),
    Column("digit", SmallInteger, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("version", String(LONGEST_VERSION), nullable=False),
    CheckConstraint("label BETWEEN -1 AND 9", name="drawings_label"),
    CheckConstraint("digit BETWEEN 0 AND 9", name="drawings_digit"),
    CheckConstraint(f"length(frame) = {FRAME_BYTES}", name="drawings_frame"),
    Index("drawings_time", "time", "id"),  # all drawings, the newest first
    Index("drawings_writer", "writer", "time"),  # a writer's drawings, and how many each writer has
)
