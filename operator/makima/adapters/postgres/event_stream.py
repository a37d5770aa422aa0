"""`makima.contract_stores.EventStream`: the history as it grows, for those who watch it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from makima.adapters.postgres.database import Database
from makima.adapters.postgres.decoding import stored_event
from makima.adapters.postgres.history import READ
from makima.adapters.postgres.notifications import EVENTS, Notifications
from makima.adapters.postgres.sql import load
from makima.adapters.postgres.supervision_rows import STATES
from makima.models.history import StoredEvent
from makima.models.supervision import LiveBeat

SQL = load("stream")

WINDOW = 20_000
"""Numbers that one question looks at."""

OVERLAP = timedelta(seconds=1)
"""Rows are asked for from a little before the last look: they are committed after the time that they carry."""


class PostgresEventStream:
    """Events in the order of their commits; see the protocol for what each method means.

    The database is its owner's to open and close; here only the connection that listens is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._notifications = Notifications(database, (EVENTS,))

    async def open(self) -> None:
        """Start listening; returns at once, also when Postgres is away."""
        await self._notifications.open()

    async def close(self) -> None:
        """Stop listening; `committed` ends."""
        await self._notifications.close()

    async def last(self) -> int:
        """The highest number that was committed."""
        found: int = (await self._database.rows(SQL["last"]))[0]["last"]
        return found

    async def events_after(self, seq: int, limit: int) -> Sequence[StoredEvent]:
        """The next events of all contracts; nothing with a lower number ever appears later."""
        rows = await self._database.rows(READ["events_after"], {"after": seq, "limit": limit})
        return [stored_event(row) for row in rows]

    async def replay(
        self, after: int, until: int, contract_ids: Collection[UUID], namespaces: Collection[str] | None, limit: int
    ) -> tuple[Sequence[StoredEvent], int]:
        """Events of these contracts (none = all) in these namespaces (None = all), and how far was looked."""
        where: dict[str, Any] = {"after": after, "limit": limit}
        where["namespaces"] = None if namespaces is None else list(namespaces)
        if contract_ids:
            rows = await self._database.rows(
                SQL["replay_contracts"], {**where, "until": until, "contract_ids": list(contract_ids)}
            )
        else:
            until = min(until, after + WINDOW)
            rows = await self._database.rows(SQL["replay"], {**where, "until": until})
        return [stored_event(row) for row in rows], rows[-1]["seq"] if len(rows) == limit else until

    def committed(self) -> AsyncIterator[UUID]:
        """Something was committed, whatever the value; may miss some after a reconnect."""
        return self._notifications.subscribe(EVENTS)

    async def carried(self, contract_ids: Collection[UUID]) -> Mapping[UUID, tuple[str, str, str | None]]:
        """Namespace, name and state of contracts that have a supervisor."""
        rows = await self._database.rows(SQL["carried"], {"contract_ids": list(contract_ids)})
        return {row["contract_id"]: (row["namespace"], row["name"], row["status"]) for row in rows}

    async def heard_since(self, moment: datetime | None) -> tuple[Sequence[LiveBeat], datetime]:
        """The newest heartbeats of supervisors whose rows were written since (None: none), and the moment to ask with
        next; some come again."""
        now: datetime = (await self._database.rows(SQL["now"]))[0]["now"]
        if moment is None:
            return [], now
        rows = await self._database.rows(SQL["heard_since"], {"since": moment - OVERLAP})
        return [LiveBeat(**{**row, "state": STATES[row["state"]]}) for row in rows], now
