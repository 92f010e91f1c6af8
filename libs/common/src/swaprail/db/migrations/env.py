"""Alembic's entry: runs on the connection that swaprail.db.migrate holds the lock with."""

from alembic import context

from swaprail.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_schemas=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
