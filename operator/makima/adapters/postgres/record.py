"""Storing: projection, tasks and events in one transaction, events with numbers in commit order.

A task that ends here, and not by a report of its supervisor, is an event too; whoever stores its end first makes it.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.encoding import EncodedBatch, Entry, Refusal, encode
from makima.adapters.postgres.failures import describe, is_about_the_data
from makima.adapters.postgres.notifications import ANY_CONTRACT, EVENTS, announce
from makima.adapters.postgres.sql import load
from makima.adapters.postgres.supervision_events import task_event
from makima.models.history import HistoryBatch, HistoryEvent

SQL = load("record")


async def store(database: Database, batch: EncodedBatch) -> list[Refusal]:
    """Store the batch in one transaction; if something in it can never be stored, all the rest.

    Raises:
        HistoryUnavailable: some of it may be stored; storing it again is safe.
    """
    if not len(batch):
        return []
    try:
        async with database.connection() as connection, connection.transaction():
            await _store_all(connection, batch)
        return []
    except psycopg.Error as error:
        if not is_about_the_data(error):
            raise
        if len(batch) == 1:
            return [Refusal(batch.labels()[0], describe(error))]
    first, second = batch.halves()
    return [*await store(database, first), *await store(database, second)]


async def _store_all(connection: Connection, batch: EncodedBatch) -> None:
    async with connection.pipeline():
        if batch.rows:
            await connection.execute(SQL["upsert_contracts"], {"rows": _array(batch.rows)})
        ended = await _store_tasks(connection, batch.tasks) if batch.tasks else ()
        if batch.events or ended:
            await append_events(connection, [*batch.events, *ended])


async def _store_tasks(connection: Connection, tasks: Sequence[Entry]) -> Sequence[Entry]:
    """Store them; events of those that have their end from here."""
    cursor = await connection.execute(SQL["upsert_tasks"], {"rows": _array(tasks)})
    changed = [row for row in await cursor.fetchall() if row["namespace"] is not None]
    return encoded_events([event for row in changed if (event := task_event(row)) is not None])


def encoded_events(events: Sequence[HistoryEvent]) -> Sequence[Entry]:
    """The events as `append_events` takes them."""
    return encode(HistoryBatch(events=tuple(events)))[0].events


async def append_events(connection: Connection, events: Sequence[Entry]) -> None:
    """Append those events that are not there yet; to be the last thing in a transaction.

    The counter's row is locked first. So whoever comes later sees what this transaction stored, takes higher
    numbers, and commits later: numbers rise in commit order, and an event that was there uses none up. Listeners are
    woken once for each transaction.
    """
    locked = await connection.execute(SQL["lock_counter"])
    stored = await connection.execute(SQL["stored_event_ids"], {"ids": [event.id for event in events]})
    last = (await locked.fetchall())[0]["last"]
    known = {row["id"] for row in await stored.fetchall()}
    if fresh := [event for event in events if event.id not in known]:
        await connection.execute(SQL["insert_events"], {"last": last, "rows": _array(fresh)})
        await connection.execute(SQL["raise_counter"], {"count": len(fresh)})
        await announce(connection, EVENTS, [ANY_CONTRACT])


def _array(entries: Sequence[Entry]) -> str:
    return f"[{','.join(entry.json for entry in entries)}]"
