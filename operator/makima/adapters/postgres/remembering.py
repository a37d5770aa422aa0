"""Everything that a restoration decides on, as it was at one moment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.failures import is_a_lost_connection
from makima.adapters.postgres.sql import load
from makima.adapters.postgres.supervision_rows import checkpoint_row, message_row, question_row, state_row, task_row
from makima.errors import HistoryUnavailable
from makima.models.supervision import Remembered

MEMORY = load("memory")
WORK = load("work")

ONE_SNAPSHOT = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


async def read_remembered(database: Database, contract_id: UUID, messages: int, size: int) -> Remembered:
    """Read in one snapshot; asked once more if the connection turns out to be dead.

    Args:
        messages: at most so many, from the end of the conversation.
        size: bytes of these together; the last one comes in any case.
    """
    try:
        return await _read(database, contract_id, messages, size)
    except HistoryUnavailable as error:
        if not is_a_lost_connection(error.__cause__):
            raise
        return await _read(database, contract_id, messages, size)


async def _read(database: Database, contract_id: UUID, messages: int, size: int) -> Remembered:
    async with database.connection() as connection, connection.transaction():
        await connection.execute(ONE_SNAPSHOT)
        state = await _rows(connection, MEMORY["state"], contract_id)
        newest = await _rows(connection, MEMORY["newest_messages"], contract_id, limit=messages, size=size)
        last = await _rows(connection, MEMORY["last_message"], contract_id)
        return Remembered(
            state=state_row(state[0]) if state else None,
            checkpoints=tuple(map(checkpoint_row, await _rows(connection, MEMORY["checkpoints"], contract_id))),
            messages=tuple(map(message_row, newest)),
            last_message=last[0]["last"],
            tasks=tuple(map(task_row, await _rows(connection, WORK["tasks"], contract_id))),
            questions=tuple(map(question_row, await _rows(connection, WORK["open_questions"], contract_id))),
            answered=frozenset(row["id"] for row in await _rows(connection, WORK["answered_questions"], contract_id)),
        )


async def _rows(connection: Connection, query: bytes, contract_id: UUID, **more: Any) -> list[dict[str, Any]]:
    cursor = await connection.execute(query, {"contract_id": contract_id, **more})
    return await cursor.fetchall()
