"""Sequence numbers rise in commit order: a reader after the highest number it has seen misses nothing."""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID, uuid4

import psycopg
import pytest

from makima.adapters.postgres.database import Limits
from makima.adapters.postgres.history import PostgresHistory
from makima.adapters.postgres.record import SQL
from makima.errors import HistoryUnavailable
from makima.models.history import HistoryBatch
from tests.support.history_values import contract, event, versions_of

pytestmark = pytest.mark.asyncio

RECORDER = """
import asyncio, sys
from uuid import UUID
from makima.adapters.postgres.history import PostgresHistory
from tests.support.history_values import versions_of

async def main(url, rounds, uids):
    store = PostgresHistory(url)
    await store.open()
    for last in range(1, int(rounds) + 1):
        for uid in uids:
            await store.record(versions_of(UUID(uid), max(1, last - 3), last))
    await store.close()

asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
"""


async def read_all(history: PostgresHistory, recorders: asyncio.Future[None]) -> list[tuple[int, UUID]]:
    """Poll as a live monitor does, always after the highest number seen, until the recorders have ended."""
    seen: list[tuple[int, UUID]] = []
    while True:
        ended = recorders.done()
        page = await history.events_after(seen[-1][0] if seen else 0, 7)
        seen += [(stored.seq, stored.event.id) for stored in page]
        if ended and not page:
            return seen


async def test_overlapping_recorders_in_several_processes_store_each_event_once(
    history: PostgresHistory, database_url: str
) -> None:
    uids, rounds = [str(uuid4()) for _ in range(4)], 25
    orders = [uids, uids[::-1], uids[2:] + uids[:2]]

    async def run_one(order: list[str]) -> None:
        command = [sys.executable, "-c", RECORDER, database_url, str(rounds), *order]
        process = await asyncio.create_subprocess_exec(*command)
        assert await process.wait() == 0

    recorders = asyncio.gather(*(run_one(order) for order in orders))
    seen = await read_all(history, asyncio.ensure_future(_drop_result(recorders)))
    stored = await history.events_after(0, 1000)
    assert seen == [(found.seq, found.event.id) for found in stored]
    assert [seq for seq, _ in seen] == list(range(1, len(uids) * rounds + 1))
    assert len({event_id for _, event_id in seen}) == len(seen)
    assert [await history.missing_versions(UUID(uid)) for uid in uids] == [[]] * 4


async def _drop_result(recorders: asyncio.Future[list[None]]) -> None:
    await recorders


async def test_a_reader_misses_nothing_while_a_transaction_stays_open(
    history: PostgresHistory, database_url: str
) -> None:
    first, second = uuid4(), uuid4()
    async with await psycopg.AsyncConnection.connect(database_url) as slow:
        await slow.execute(SQL["lock_counter"])
        later = asyncio.ensure_future(history.record(versions_of(second, 1, 1)))
        await until_somebody_waits_for_a_lock(database_url)
        assert await history.events_after(0, 10) == []
        assert not later.done()
        await slow.execute(
            "INSERT INTO events (seq, id, contract_id, namespace, contract_name, type, at)"
            " SELECT last + 1, gen_random_uuid(), %s, 'n', 'c', 'T', now() FROM event_counter",
            [first],
        )
        await slow.execute(SQL["raise_counter"], {"count": 1})
        await slow.commit()
        await later
    stored = await history.events_after(0, 10)
    assert [(found.seq, found.event.contract_id) for found in stored] == [(1, first), (2, second)]


async def until_somebody_waits_for_a_lock(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as watcher:
        async with asyncio.timeout(10):
            while True:
                cursor = await watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if await cursor.fetchone() != (0,):
                    return
                await asyncio.sleep(0.01)


async def test_a_rolled_back_batch_leaves_no_hole(history: PostgresHistory, database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as failing:
        await failing.execute(SQL["lock_counter"])
        await failing.execute(SQL["raise_counter"], {"count": 5})
        await failing.rollback()
    uid = uuid4()
    await history.record(versions_of(uid, 1, 2))
    assert [stored.seq for stored in await history.events_after(0, 10)] == [1, 2]


async def test_a_transaction_that_never_ends_holds_recorders_up_only_so_long(database_url: str) -> None:
    history = PostgresHistory(database_url, Limits(lock=0.3))
    await history.open()
    async with await psycopg.AsyncConnection.connect(database_url) as stuck:
        await stuck.execute(SQL["lock_counter"])
        with pytest.raises(HistoryUnavailable, match="lock timeout(?s:.*)pg_stat_activity"):
            await history.record(versions_of(uuid4(), 1, 1))
    await history.close()


async def test_recorders_of_many_contracts_in_opposite_orders_do_not_deadlock(history: PostgresHistory) -> None:
    uids = [uuid4() for _ in range(200)]

    async def record(order: list[UUID], version: int) -> None:
        rows = tuple(contract(uid, version) for uid in order)
        await history.record(HistoryBatch(rows, tuple(event(uid, version) for uid in order)))

    await asyncio.gather(*(record(uids[:: (-1) ** n], n) for n in range(1, 9)))
    assert set((await history.recorded_versions()).values()) == {8}
    assert len(await history.events_after(0, 10_000)) == 1600
