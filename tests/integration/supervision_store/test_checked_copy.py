"""A group is checked and stored in one exchange with Postgres: whole or not at all, whatever comes between."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from makima.adapters.postgres.supervision import PostgresSupervision
from makima.errors import HistoryUnavailable
from makima.models.supervision import BeatOutcome, BeatResult, Session
from tests.support.supervision_values import beat, somebody

Other = psycopg.AsyncConnection[tuple[object, ...]]

STORED = BeatResult(BeatOutcome.STORED, 1)
WAITS = b"""SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%COPY%'"""


async def held_up(stores: PostgresSupervision, other: Other, life: Session) -> asyncio.Task[object]:
    """A group that has been checked, and whose COPY waits for the other transaction."""
    await other.execute("LOCK TABLE supervisor_heartbeats IN ACCESS EXCLUSIVE MODE")
    work = asyncio.create_task(stores.heartbeats.store([beat(life, 1)]))
    await waiting(stores)
    return work


async def waiting(stores: PostgresSupervision) -> int:
    """Whose backend it is."""
    async with asyncio.timeout(20):
        while not (rows := await stores.database.rows(WAITS)):
            await asyncio.sleep(0.01)
    return int(rows[0]["pid"])


async def sequences(stores: PostgresSupervision, life: Session) -> list[int]:
    return [item.sequence for item in await stores.heartbeats.recent(life.contract_id, 5000)]


async def test_a_group_larger_than_one_write_takes(stores: PostgresSupervision, life: Session) -> None:
    group = [beat(life, number, current_activity="🦊" * 1024) for number in range(1, 1001)]
    assert await stores.heartbeats.store(group) == [STORED] * 1000
    assert await stores.heartbeats.recent(life.contract_id, 1) == [group[-1]]
    assert await sequences(stores, life) == list(range(1000, 0, -1))


async def test_nothing_is_to_be_seen_before_the_commit_that_is_acknowledged(
    stores: PostgresSupervision, life: Session, other: Other
) -> None:
    work = await held_up(stores, other, life)
    assert not work.done()
    await other.rollback()
    assert await work == [STORED]
    assert await sequences(stores, life) == [1]


async def test_a_call_that_is_given_up_stores_nothing_and_leaves_a_connection_that_works(
    stores: PostgresSupervision, life: Session, other: Other
) -> None:
    work = await held_up(stores, other, life)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await other.rollback()
    assert await sequences(stores, life) == []
    for number in range(2, 10):
        assert await stores.heartbeats.store([beat(life, number)]) == [STORED]
    assert await sequences(stores, life) == list(range(9, 1, -1))


async def test_a_connection_that_ends_in_the_middle_stores_nothing(
    stores: PostgresSupervision, life: Session, other: Other
) -> None:
    work = await held_up(stores, other, life)
    pid = await waiting(stores)
    await stores.database.rows(b"SELECT pg_terminate_backend(%(pid)s)", {"pid": pid})
    with pytest.raises(HistoryUnavailable):
        await work
    await other.rollback()
    assert await sequences(stores, life) == []
    assert await stores.heartbeats.store([beat(life, 2)]) == [STORED]


async def test_what_was_refused_is_left_out_of_the_very_transaction_that_checks(
    stores: PostgresSupervision, life: Session
) -> None:
    unknown = somebody(incarnation=1)
    newer = await stores.registry.allocate(life, after=1)
    group = [beat(life, 1), beat(unknown, 1), beat(newer, 1), beat(life, 2)]
    superseded = BeatResult(BeatOutcome.SUPERSEDED, 2)
    assert await stores.heartbeats.store(group) == [
        superseded,
        BeatResult(BeatOutcome.UNKNOWN),
        BeatResult(BeatOutcome.STORED, 2),
        superseded,
    ]
    assert [(item.incarnation, item.sequence) for item in await stores.heartbeats.recent(life.contract_id, 9)] == [
        (2, 1)
    ]
