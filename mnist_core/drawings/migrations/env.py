"""Run migrations for Alembic, over the connection and in the transaction that `database` gives it.

To write the next migration by hand: `alembic revision --autogenerate -m "…" --rev-id 0002` compares the schema with the
database that `DATABASE_URL` names.
"""

from alembic import context
from sqlalchemy import Connection

from mnist_core.drawings.database import database_url, engine_of, writing
from mnist_core.drawings.schema import VERSION_TABLE, drawings, metadata


def run(connection: Connection) -> None:
    """Run the migrations that were asked for."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        transactional_ddl=True,  # off by default for SQLite, but `database` begins transactions itself
        include_name=lambda name, kind, _: kind != "table" or name == drawings.name,
    )
    context.run_migrations()


if given := context.config.attributes.get("connection"):
    run(given)
else:
    engine = engine_of(database_url())
    try:
        with writing(engine) as opened:
            run(opened)
    finally:
        engine.dispose()
