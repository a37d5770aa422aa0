"""Writing as one life of a supervisor: its row is locked and compared in the transaction that stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.failures import refusing_bad_values
from makima.adapters.postgres.sql import load
from makima.errors import NotFound, Superseded

SQL = load("supervisors")


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[Connection]:
    """One transaction.

    Raises:
        HistoryUnavailable: nothing is known about the write.
        ValuesRefused: nothing was stored.
    """
    with refusing_bad_values():
        async with database.connection() as connection, connection.transaction():
            yield connection


@asynccontextmanager
async def fenced(
    database: Database, contract_id: UUID, incarnation: int, *, task_id: UUID | None = None, alone: bool = False
) -> AsyncIterator[Connection]:
    """One transaction of this life: none of it can be committed after a newer life was.

    The row stays locked until the end. A new life's UPDATE waits for that; and a writer that comes while a new life is
    being committed waits, then sees the new incarnation. FOR SHARE is enough for this: it holds off every UPDATE of
    the row, and writers that only check do not hold off each other.

    Args:
        task_id: UID of the Supervisor, where the call names it.
        alone: for writers that also count on from what is stored: one at a time for each contract.

    Raises:
        Superseded: another life is the current one.
        NotFound: nobody ever carried this contract, or another Supervisor does.
        HistoryUnavailable, ValuesRefused: see `writing`.
    """
    async with writing(database) as connection:
        query = SQL["fence_alone"] if alone else SQL["fence"]
        row = await (await connection.execute(query, {"contract_id": contract_id})).fetchone()
        if row is None or (task_id is not None and row["task_id"] != task_id):
            raise unknown_supervisor(contract_id)
        if row["incarnation"] != incarnation:
            raise Superseded(row["incarnation"])
        yield connection


def unknown_supervisor(contract_id: UUID) -> NotFound:
    """The error for a contract that nobody carries, or not this Supervisor."""
    return NotFound(f"contract {contract_id} has no such supervisor", "register first, and use the ids of the answer")
