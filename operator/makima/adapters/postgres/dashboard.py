"""`makima.services.reads.dashboard.DashboardStore`: one connection and one round trip for a look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow

from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.decoding import stored_event
from makima.adapters.postgres.sql import load
from makima.models.dashboard import Crew, Look, Seen, Silent, Tally, Waiting

SQL = load("dashboard")

EVENTS = 20
"""Newest events that are shown."""

BEGIN = (
    b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    b"SET LOCAL plan_cache_mode = force_generic_plan",
)
"""Numbers and lists are of one moment. And statements keep the plan that they have: the planner thinks that it does
better with the values before it, finds the same plan, and takes up to half of the time for it (docs/benchmarks.md)."""


class PostgresDashboard:
    """Reads what the dashboard shows; see the protocol for what each method means."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, look: Look) -> Seen:
        """Counts, who is silent, who waits, and what happened last."""
        async with self._database.connection() as connection:
            rows = await _answers(connection, look)
            tallies = rows[0] if rows[4][0]["counted"] else await _counted(connection, look)
        _, silent, waiting, events, freshness = rows
        return Seen(
            tallies=tuple(Tally(**row) for row in tallies),
            silent=tuple(Silent(**row) for row in silent),
            waiting=tuple(Waiting(**row) for row in waiting),
            events=tuple(stored_event(row) for row in events),
            caught_up_at=freshness[0]["caught_up_at"],
            lag=freshness[0]["lag"],
        )

    async def crews(self, since: datetime) -> Sequence[Crew]:
        """Supervisors that were heard of since then and did not say that they ended."""
        return [Crew(**row) for row in await self._database.rows(SQL["crews"], {"since": since})]


async def _answers(connection: Connection, look: Look) -> list[list[DictRow]]:
    """One round trip. Where it fails in the middle, the pool ends the transaction."""
    async with connection.pipeline():
        for statement in BEGIN:
            await connection.execute(statement, prepare=True)
        asked = [await connection.execute(query, _values(look), prepare=True) for query in _queries(look)]
        await connection.execute(b"COMMIT", prepare=True)
        return [await cursor.fetchall() for cursor in asked]


def _queries(look: Look) -> list[bytes]:
    if look.namespaces is None:
        lists = [SQL["silent"], SQL["waiting"], SQL["newest_events"]]
    else:
        lists = [SQL["silent_in"], SQL["waiting_in"], SQL["newest_events_in"]]
    return [SQL["tallies"], *lists, SQL["freshness"]]


def _values(look: Look) -> dict[str, Any]:
    return {
        "namespaces": list(look.namespaces) if look.namespaces is not None else None,
        "now": look.now,
        "before": look.now - look.stale_threshold,
        "most": look.most,
        "events": EVENTS,
    }


async def _counted(connection: Connection, look: Look) -> list[DictRow]:
    cursor = await connection.execute(SQL["tallies_counted"], _values(look))
    return await cursor.fetchall()
