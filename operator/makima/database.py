"""Wiring of the database commands: what `makima migrate` may do to Postgres.

Everything is imported when it is called: the command line must start fast, and alembic is slow to import.
"""

from __future__ import annotations

from collections.abc import Sequence

from makima.models.history_schema import SchemaStatus, WrongCount


def schema_status(url: str) -> SchemaStatus:
    """Where the schema of this database stands."""
    from makima.adapters.postgres import migrate

    return migrate.status(url)


def upgrade(url: str, to: str, wait_seconds: float) -> SchemaStatus:
    """Run the missing migrations up to `to`."""
    from makima.adapters.postgres import migrate

    return migrate.upgrade(url, to, wait_seconds=wait_seconds)


def downgrade(url: str, to: str, wait_seconds: float) -> SchemaStatus:
    """Take back the migrations after `to`, with the data in what they made."""
    from makima.adapters.postgres import migrate

    return migrate.downgrade(url, to, wait_seconds=wait_seconds)


async def run_backfills(url: str, batch_rows: int) -> dict[str, int]:
    """Run the unfinished backfills to their end; rows worked on, by name."""
    from makima.adapters.postgres.backfill import run_backfills as run
    from makima.adapters.postgres.database import Database, Limits

    database = Database(url, Limits(connections=1), application_name="makima-backfill")
    await database.open()
    try:
        return await run(database, batch_rows=batch_rows)
    finally:
        await database.close()


async def check_counts(url: str, *, repair: bool) -> Sequence[WrongCount]:
    """Counts of contracts that are not what their rows say; with `repair` they are right afterwards."""
    from makima.adapters.postgres.counts import ContractCounts
    from makima.adapters.postgres.database import Database, Limits

    database = Database(url, Limits(connections=1, statement=120, operation=150), application_name="makima-counts")
    await database.open()
    try:
        counts = ContractCounts(database)
        wrong = await counts.wrong()
        if wrong and repair:
            await counts.recount()
        return wrong
    finally:
        await database.close()
