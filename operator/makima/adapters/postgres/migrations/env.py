"""Run by alembic for every move, on the connection with which `migrate.py` holds the lock."""

from alembic import context

from makima.adapters.postgres.revisions import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transaction_per_migration=True,
)
context.run_migrations()
