"""`makima.stores.HeartbeatStore`: every heartbeat of the last 24 hours, one COPY for each group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq.abc import PGresult

from makima.adapters.postgres import arrays, notifications
from makima.adapters.postgres.checked_copy import checked_copy
from makima.adapters.postgres.database import Connection, Database
from makima.adapters.postgres.encoding import clean
from makima.adapters.postgres.failures import refusing_bad_values
from makima.adapters.postgres.fencing import writing
from makima.adapters.postgres.heartbeat_copy import COPY, copy_data
from makima.adapters.postgres.heartbeat_partitions import drop_old, lacks_a_partition, make_ahead, make_hours
from makima.adapters.postgres.record import append_events, encoded_events
from makima.adapters.postgres.sql import load
from makima.adapters.postgres.supervision_events import state_event
from makima.adapters.postgres.supervision_rows import beat_row
from makima.models.history import HistoryEvent
from makima.models.supervision import Beat, BeatOutcome, BeatResult

SQL = load("heartbeats")
SUPERVISOR_SQL = load("supervisors")

LIVES = 1000
"""Most lives in one query, so that none comes near the statement's time-out."""


class PostgresHeartbeats:
    """`supervisor_heartbeats`, and the current state in `supervisors`; see the protocol for what each method means."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def store(self, beats: Sequence[Beat]) -> Sequence[BeatResult]:
        """Check and store a group in one transaction: one COPY. Results are in the order of `beats`.

        A group whose hour nobody made yet makes it, and is stored.

        Raises:
            HistoryUnavailable: nothing is known about the group; `last_sequences` tells what was stored.
        """
        if not beats:
            return []
        with refusing_bad_values():
            try:
                return await self._store(beats)
            except psycopg.Error as error:
                if not lacks_a_partition(error):
                    raise
                await make_hours(self._database, {beat.received_at for beat in beats})
                return await self._store(beats)

    async def _store(self, beats: Sequence[Beat]) -> list[BeatResult]:
        refused: dict[int, BeatResult] = {}
        everything = copy_data(beats)  # before the COPY begins, so that nothing can go wrong in the middle of it

        def current(answer: PGresult) -> bytes:
            refused.update(_refused(answer))
            if not refused:
                return everything
            return copy_data([beat for place, beat in enumerate(beats) if place not in refused])

        async with self._database.connection() as connection:
            await checked_copy(connection, _who_is_refused(beats), COPY, current)
        return _results(beats, refused)

    async def refresh(
        self, beats: Sequence[Beat], *, announce: Sequence[UUID] = (), steps: Sequence[Beat] = ()
    ) -> None:
        """Bring the rows of `supervisors` up to these heartbeats (at most one each; older ones change nothing).

        Contracts that would seem to be idle are touched (`touch_contracts`); those in `announce` are told to
        `SupervisorRegistry.changes` with the commit. Each change of state is an event; `steps` are heartbeats that
        began a state which `beats` may have left behind already.
        """
        if not beats and not announce:
            return
        async with writing(self._database) as connection:
            if beats:
                columns = _columns(beats)
                await connection.execute(SUPERVISOR_SQL["lock_refreshed"], columns)
                every = _states(_each_once(beats, steps)) if steps else columns
                changed = await _changed_states(connection, every)
                await connection.execute(SUPERVISOR_SQL["refresh"], columns)
                await connection.execute(SUPERVISOR_SQL["touch_contracts"], columns)
            await notifications.announce(connection, notifications.SUPERVISORS, announce)
            if beats and changed:  # last: the counter of events is held until the commit
                await append_events(connection, encoded_events(changed))

    async def newest(self, lives: Mapping[UUID, int]) -> Mapping[UUID, datetime]:
        """Time of the newest heartbeat of these lives (contract id → incarnation), where there is one."""
        found: dict[UUID, datetime] = {}
        for part in _parts(lives):
            rows = await self._database.rows(SQL["newest"], part)
            found.update((row["contract_id"], row["timestamp"]) for row in rows)
        return found

    async def last_sequences(self, lives: Mapping[UUID, int], since: datetime) -> Mapping[UUID, int]:
        """Highest sequence among the newest heartbeats of these lives (contract id → incarnation) after `since`."""
        found: dict[UUID, int] = {}
        for part in _parts(lives):
            rows = await self._database.rows(SQL["last_sequences"], {**part, "since": since})
            found.update((row["contract_id"], row["sequence"]) for row in rows)
        return found

    async def recent(self, contract_id: UUID, limit: int) -> Sequence[Beat]:
        """The newest heartbeats, newest first."""
        rows = await self._database.rows(SQL["recent"], {"contract_id": contract_id, "limit": limit})
        return [beat_row(row) for row in rows]

    async def keep_partitions(self, now: datetime) -> None:
        """Make the hours ahead; drop those older than 24 hours. Safe to be called by many at once."""
        with refusing_bad_values():
            await make_ahead(self._database, now)
            await drop_old(self._database, now)


def _who_is_refused(beats: Sequence[Beat]) -> bytes:
    """The question; ids and numbers as `arrays` writes them need no quoting."""
    lives = {
        b"contracts": arrays.ids([beat.contract_id for beat in beats]),
        b"tasks": arrays.ids([beat.task_id for beat in beats]),
        b"incarnations": arrays.numbers([beat.incarnation for beat in beats]),
    }
    return SQL["refused"] % {name: f"'{array}'".encode() for name, array in lives.items()}


def _refused(answer: PGresult) -> dict[int, BeatResult]:
    """By place in the group."""
    return dict(_refusal(answer, row) for row in range(answer.ntuples))


def _refusal(answer: PGresult, row: int) -> tuple[int, BeatResult]:
    place, incarnation, known = (answer.get_value(row, column) or b"" for column in range(3))
    if known != b"t":
        return int(place) - 1, BeatResult(BeatOutcome.UNKNOWN)
    return int(place) - 1, BeatResult(BeatOutcome.SUPERSEDED, int(incarnation))


def _results(beats: Sequence[Beat], refused: Mapping[int, BeatResult]) -> list[BeatResult]:
    stored: dict[int, BeatResult] = {}
    for beat in beats:
        if beat.incarnation not in stored:
            stored[beat.incarnation] = BeatResult(BeatOutcome.STORED, beat.incarnation)
    return [refused.get(place) or stored[beat.incarnation] for place, beat in enumerate(beats)]


def _each_once(beats: Sequence[Beat], steps: Sequence[Beat]) -> list[Beat]:
    return list({(beat.contract_id.int, beat.incarnation, beat.sequence): beat for beat in (*steps, *beats)}.values())


async def _changed_states(connection: Connection, states: Mapping[str, str]) -> list[HistoryEvent]:
    cursor = await connection.execute(SUPERVISOR_SQL["changed_states"], states)
    return [state_event(row) for row in await cursor.fetchall()]


def _states(beats: Sequence[Beat]) -> dict[str, str]:
    return {
        "contract_ids": arrays.ids([beat.contract_id for beat in beats]),
        "incarnations": arrays.numbers([beat.incarnation for beat in beats]),
        "sequences": arrays.numbers([beat.sequence for beat in beats]),
        "states": arrays.texts([beat.state.snake for beat in beats]),
        "received": arrays.moments([beat.received_at for beat in beats]),
    }


def _columns(beats: Sequence[Beat]) -> dict[str, str]:
    return {
        **_states(beats),
        "phases": arrays.texts([beat.phase for beat in beats]),
        "activities": arrays.texts([clean(beat.current_activity) for beat in beats]),
        "progresses": arrays.numbers([beat.progress for beat in beats]),
        "pending": arrays.texts([f"{{{','.join(map(str, beat.pending_task_ids))}}}" for beat in beats]),
    }


def _parts(lives: Mapping[UUID, int]) -> Iterator[dict[str, list[Any]]]:
    rest = iter(lives.items())
    while part := list(islice(rest, LIVES)):
        yield {"contracts": [contract_id for contract_id, _ in part], "incarnations": [life for _, life in part]}
