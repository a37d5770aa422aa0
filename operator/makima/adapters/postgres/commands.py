"""`makima.stores.CommandStore`: what supervisors are told, until they say that it is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.encoding import EncodedBatch, encode, to_json
from makima.adapters.postgres.fencing import fenced, writing
from makima.adapters.postgres.notifications import COMMANDS, Notifications, announce
from makima.adapters.postgres.record import append_events
from makima.adapters.postgres.sql import load
from makima.adapters.postgres.supervision_rows import command_row
from makima.errors import HistoryEntriesRefused
from makima.models.history import HistoryBatch, HistoryEvent
from makima.models.supervision import StoredCommand

SQL = load("commands")


class PostgresCommands:
    """`commands`; see the protocol for what each method means."""

    def __init__(self, database: Database, notifications: Notifications) -> None:
        self._database = database
        self._notifications = notifications

    async def put(self, commands: Sequence[StoredCommand], events: Sequence[HistoryEvent] = ()) -> None:
        """Store those whose id is not there yet, announce them, and store the events, in one transaction.

        Raises:
            HistoryEntriesRefused: these events can't be written down; all else is stored.
            ValuesRefused: nothing is stored.
        """
        encoded, refused = encode(HistoryBatch(events=tuple(events)))
        if commands or len(encoded):
            await self._put(commands, encoded)
        if refused:
            raise HistoryEntriesRefused(tuple((item.entry, item.reason) for item in refused))

    async def _put(self, commands: Sequence[StoredCommand], encoded: EncodedBatch) -> None:
        async with writing(self._database) as connection:
            await insert_commands(connection, commands)
            if encoded.events:
                await append_events(connection, encoded.events)

    async def unacknowledged(self, contract_ids: Sequence[UUID] | None) -> Sequence[StoredCommand]:
        """Open commands of these contracts (None: all), oldest first."""
        if contract_ids is None:
            rows = await self._database.rows(SQL["open"])
        else:
            rows = await self._database.rows(SQL["open_of"], {"contract_ids": list(contract_ids)})
        return [command_row(row) for row in rows]

    async def acknowledge(self, contract_id: UUID, incarnation: int, ids: Sequence[UUID], at: datetime) -> None:
        """They were carried out; unknown ids, and those of another contract, are ignored.

        Raises:
            Superseded: a newer life has begun, which has to carry them out again.
            NotFound: nobody ever carried this contract.
        """
        async with fenced(self._database, contract_id, incarnation) as connection:
            await connection.execute(SQL["acknowledge"], {"contract_id": contract_id, "ids": list(ids), "at": at})

    def announced(self) -> AsyncIterator[UUID]:
        """Contracts that have a new command, as it happens; may miss some after a reconnect."""
        return self._notifications.subscribe(COMMANDS)


async def insert_commands(connection: Connection, commands: Sequence[StoredCommand]) -> None:
    """Store those that are not there yet, and announce them with the commit."""
    if not commands:
        return
    cursor = await connection.execute(SQL["put"], {"rows": f"[{','.join(map(_json, commands))}]"})
    await announce(connection, COMMANDS, [row["contract_id"] for row in await cursor.fetchall()])


def _json(command: StoredCommand) -> str:
    return to_json(
        {
            "id": command.id,
            "contract_id": command.contract_id,
            "kind": command.kind.snake,
            "payload": dict(command.payload),
            "created_at": command.created_at,
        }
    )
