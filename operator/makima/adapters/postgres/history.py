"""`makima.ports.History`, met by Postgres; also what readers of the history need."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import psycopg

from makima.adapters.postgres import supervision_rows
from makima.adapters.postgres.counts import ContractCounts
from makima.adapters.postgres.database import Connection, Database, Limits
from makima.adapters.postgres.decoding import contract_row, stored_event, task_row
from makima.adapters.postgres.encoding import encode
from makima.adapters.postgres.record import SQL as RECORD
from makima.adapters.postgres.record import append_events, store
from makima.adapters.postgres.schema_check import check_revision
from makima.adapters.postgres.sql import load
from makima.errors import HistoryEntriesRefused, HistoryUnavailable
from makima.models.history import (
    CONTRACT_DELETED,
    ContractRow,
    HistoryBatch,
    HistoryEvent,
    Place,
    StoredEvent,
    TaskRow,
    Unversioned,
    deletion_event_id,
)
from makima.models.supervision import StoredQuestion, StoredTask

READ = load("read")

LOG = logging.getLogger(__name__)


class PostgresHistory:
    """The history of all contracts, also of those that are gone.

    `recorder` names whoever records here, one name for all replicas of it: see `mark_caught_up`.

    Every method raises `HistoryUnavailable` while Postgres is away, too slow, or not migrated. Nothing waits
    longer than `Limits.operation`, plus up to 10 s to give up on a server that is frozen.
    """

    def __init__(
        self, url: str, limits: Limits | None = None, application_name: str = "makima", recorder: str = "makima"
    ) -> None:
        self.database = Database(url, limits, application_name)
        self._recorder = recorder
        self._counts = ContractCounts(self.database)

    async def open(self) -> None:
        """Start connecting; returns at once, also when Postgres is away."""
        await self.database.open()

    async def close(self) -> None:
        """Close every connection."""
        await self.database.close()

    async def ping(self) -> None:
        """Whether Postgres answers."""
        await self.database.rows(READ["ping"])

    async def check_schema(self) -> None:
        """Whether this code can work with the schema; a newer one is fine, since migrations only add."""
        found = await self.database.rows(READ["schema_revision"])
        check_revision(found[0]["version_num"] if found else None)

    async def record(self, batch: HistoryBatch) -> None:
        """Store projection rows, tasks and events in one transaction; storing them again changes nothing.

        Raises:
            HistoryUnavailable: nothing is known about the batch; record it again.
            HistoryEntriesRefused: these entries can never be stored; all others are.
        """
        encoded, refused = encode(batch)
        refused += await store(self.database, encoded)
        await self._fold()
        if refused:
            raise HistoryEntriesRefused(tuple((item.entry, item.reason) for item in refused))

    async def _fold(self) -> None:
        """What is recorded is recorded, whether or not this can be done now."""
        try:
            await self._counts.fold_if_due()
        except (HistoryUnavailable, psycopg.Error) as error:
            LOG.info("counts of contracts are folded in later: %s", error)

    async def mark_deleted(self, uids: Sequence[UUID | str], at: datetime) -> None:
        """Mark contracts as gone at `at`, with a `ContractDeleted` event each; repeating changes nothing."""
        async with self.database.connection() as connection, connection.transaction():
            await _mark_deleted(connection, [UUID(str(uid)) for uid in uids], at)

    async def contract(self, uid: UUID) -> ContractRow | None:
        """The contract as last recorded, also if it is gone."""
        rows = await self.database.rows(READ["contract"], {"uid": uid})
        return contract_row(rows[0]) if rows else None

    async def find_contracts(self, namespace: str, name: str) -> list[ContractRow]:
        """Every contract that ever had this name, newest first."""
        rows = await self.database.rows(READ["find_contracts"], {"namespace": namespace, "name": name})
        return [contract_row(row) for row in rows]

    async def tasks(self, contract_id: UUID) -> list[TaskRow]:
        """The tasks of a contract, oldest first."""
        rows = await self.database.rows(READ["tasks"], {"contract_id": contract_id})
        return [task_row(row) for row in rows]

    async def tasks_after(self, contract_id: UUID, place: Place | None, limit: int) -> list[StoredTask]:
        """The next tasks of a contract, oldest first."""
        parameters = {"contract_id": contract_id, "limit": limit, **_beyond(place)}
        return [supervision_rows.task_row(row) for row in await self.database.rows(READ["tasks_after"], parameters)]

    async def questions_after(
        self, contract_id: UUID, place: Place | None, limit: int, *, only_open: bool
    ) -> list[StoredQuestion]:
        """The next questions of a contract, oldest first."""
        parameters = {"contract_id": contract_id, "limit": limit, "only_open": only_open, **_beyond(place)}
        rows = await self.database.rows(READ["questions_after"], parameters)
        return [supervision_rows.question_row(row) for row in rows]

    async def events(self, contract_id: UUID, after: int = 0, limit: int = 100) -> list[StoredEvent]:
        """The next events of one contract after sequence number `after`, oldest first."""
        parameters = {"contract_id": contract_id, "after": after, "limit": limit}
        return [stored_event(row) for row in await self.database.rows(READ["events_of_contract"], parameters)]

    async def newest_events(self, contract_id: UUID, before: int, limit: int) -> list[StoredEvent]:
        """The last events of one contract before sequence number `before`, oldest first."""
        parameters = {"contract_id": contract_id, "before": before, "limit": limit}
        rows = await self.database.rows(READ["newest_events_of_contract"], parameters)
        return [stored_event(row) for row in reversed(rows)]

    async def events_after(self, seq: int, limit: int) -> list[StoredEvent]:
        """The next events of all contracts after `seq`; nothing with a lower number ever appears later."""
        parameters = {"after": seq, "limit": limit}
        return [stored_event(row) for row in await self.database.rows(READ["events_after"], parameters)]

    async def versions(self, contract_id: UUID) -> list[int]:
        """Versions that have an event, in order."""
        rows = await self.database.rows(READ["versions"], {"contract_id": contract_id})
        return [row["version"] for row in rows]

    async def missing_versions(self, contract_id: UUID) -> list[int]:
        """Versions without an event, from 1 to the highest that the projection or an event knows."""
        rows = await self.database.rows(READ["missing_versions"], {"contract_id": contract_id})
        return [row["candidate"] for row in rows]

    async def recorded_versions(self) -> dict[str, int]:
        """Highest recorded version by contract UID, of contracts not marked deleted."""
        return {row["uid"]: row["version"] for row in await self.database.rows(READ["recorded_versions"])}

    async def unversioned(self) -> dict[str, Unversioned]:
        """What rows say that can change without a version, by contract UID, where they say anything."""
        rows = await self.database.rows(READ["unversioned"])
        return {row.pop("uid"): Unversioned(**row) for row in rows}

    async def mark_caught_up(self) -> None:
        """Everything that this recorder was given is recorded, as of now by the clock of Postgres."""
        async with self.database.connection() as connection:
            await connection.execute(RECORD["mark_caught_up"], {"recorder": self._recorder})

    async def live_uids(self) -> list[tuple[str, str, str]]:
        """(uid, namespace, name) of every contract not marked deleted."""
        rows = await self.database.rows(READ["live_uids"])
        return [(row["uid"], row["namespace"], row["name"]) for row in rows]

    async def namespaces(self) -> frozenset[str]:
        """Every namespace that has, or had, a contract."""
        return frozenset(row["namespace"] for row in await self.database.rows(READ["namespaces"]))


def _beyond(place: Place | None) -> dict[str, object]:
    """Parameters for what comes after a place, in ascending order."""
    return {"at": place.at, "id": place.id} if place is not None else {"at": "-infinity", "id": UUID(int=0)}


async def _mark_deleted(connection: Connection, uids: list[UUID], at: datetime) -> None:
    cursor = await connection.execute(RECORD["mark_deleted"], {"uids": uids, "at": at})
    gone = await cursor.fetchall()
    events = tuple(
        HistoryEvent(
            id=deletion_event_id(row["uid"]),
            contract_id=row["uid"],
            namespace=row["namespace"],
            contract_name=row["name"],
            version=None,
            type=CONTRACT_DELETED,
            at=at,
        )
        for row in sorted(gone, key=lambda row: row["uid"])
    )
    encoded, _ = encode(HistoryBatch(events=events))
    if encoded.events:
        await append_events(connection, encoded.events)
