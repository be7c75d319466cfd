"""Create the table of drawings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; written out, since `schema` will change and this migration must not."""
    op.create_table(
        "drawings",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("writer", sa.String(60), nullable=False),
        sa.Column("label", sa.SmallInteger, nullable=False),
        sa.Column("png", sa.LargeBinary, nullable=False),
        sa.Column("strokes", sa.Text, nullable=False),
        sa.Column("frame", sa.LargeBinary, nullable=False),
        sa.Column("digit", sa.SmallInteger, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.CheckConstraint("label BETWEEN -1 AND 9", name="drawings_label"),
        sa.CheckConstraint("digit BETWEEN 0 AND 9", name="drawings_digit"),
        sa.CheckConstraint("length(frame) = 784", name="drawings_frame"),
    )
    op.create_index("drawings_time", "drawings", ["time", "id"])
    op.create_index("drawings_writer", "drawings", ["writer", "time"])


def downgrade() -> None:
    """Drop the table, with all drawings in it."""
    op.drop_table("drawings")
