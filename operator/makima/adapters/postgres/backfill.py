"""Work on old rows that is too long for a migration: in the background, in bounded batches, resumable."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.sql import load

SQL = load("backfill")

BACKFILLS: Mapping[str, bytes] = MappingProxyType(
    {
        "contracts_last_activity": SQL["contracts_last_activity"],
        "contracts_dashboard": SQL["contracts_dashboard"],
        "contract_counts": SQL["contract_counts"],
    }
)
"""By name: the statement that works on the next `limit` rows after a key; answers (rows, last_key)."""

BATCH_ROWS = 1000
PAUSE_SECONDS = 0.02


async def run_backfills(
    database: Database, *, batch_rows: int = BATCH_ROWS, pause_seconds: float = PAUSE_SECONDS
) -> dict[str, int]:
    """Run every unfinished backfill to its end; rows worked on, by name.

    Each batch commits with its progress: after a crash, the next run goes on where the last one stopped.
    Another runner's backfill is left to it.

    Raises:
        HistoryUnavailable: Postgres is away; run again.
    """
    done: dict[str, int] = {}
    for row in await database.rows(SQL["unfinished"]):
        if row["name"] in BACKFILLS:  # a newer makima may have more
            done[row["name"]] = await _run(database, row["name"], batch_rows, pause_seconds)
    return done


async def _run(database: Database, name: str, batch_rows: int, pause_seconds: float) -> int:
    total = 0
    while (rows := await _run_batch(database, name, batch_rows)) is not None:
        total += rows
        await asyncio.sleep(pause_seconds)  # leaves room for the live traffic
    return total


async def _run_batch(database: Database, name: str, batch_rows: int) -> int | None:
    """One batch; None when there is nothing left to do, for this runner."""
    async with database.connection() as connection, connection.transaction():
        taken = await (await connection.execute(SQL["take"], {"name": name})).fetchone()
        if taken is None:
            return None
        return await _work(connection, name, taken["last_key"], batch_rows)


async def _work(connection: Connection, name: str, after: object, batch_rows: int) -> int | None:
    cursor = await connection.execute(BACKFILLS[name], {"after": after, "limit": batch_rows})
    result = await cursor.fetchone()
    if result is None or not result["rows"]:
        await connection.execute(SQL["finish"], {"name": name})
        return None
    progress = {"name": name, "last_key": result["last_key"], "rows": result["rows"]}
    await connection.execute(SQL["advance"], progress)
    return int(result["rows"])
