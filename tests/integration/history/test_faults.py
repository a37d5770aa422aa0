"""Postgres killed, frozen, away or not migrated: nothing waits for ever, and trying again stores exactly once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
import pytest_asyncio

from makima.adapters.postgres import migrate
from makima.adapters.postgres.database import Limits
from makima.adapters.postgres.history import PostgresHistory
from makima.errors import HistoryUnavailable
from makima.models.history import HistoryBatch
from makima.sandbox.postgres import LocalPostgres
from tests.support.history_values import contract, event, versions_of
from tests.support.own_postgres import own_server

pytestmark = pytest.mark.asyncio

IMPATIENT = Limits(statement=1.5, lock=1, operation=2, connect=1)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[LocalPostgres]:
    with own_server("test", tmp_path) as server:
        migrate.upgrade(server.url)
        yield server


@pytest_asyncio.fixture
async def impatient(postgres: LocalPostgres) -> AsyncIterator[PostgresHistory]:
    history = PostgresHistory(postgres.url, IMPATIENT)
    await history.open()
    yield history
    await history.close()


async def record_until_stored(history: PostgresHistory, batch: HistoryBatch, seconds: float = 60) -> int:
    """Record as the recorder does: again and again; how many tries failed."""
    deadline, failures = time.monotonic() + seconds, 0
    while True:
        try:
            await history.record(batch)
            return failures
        except HistoryUnavailable:
            assert time.monotonic() < deadline
            failures += 1
            await asyncio.sleep(0.05)


async def test_killed_in_the_middle_of_recording_each_event_is_stored_once(
    postgres: LocalPostgres, impatient: PostgresHistory
) -> None:
    uids = [uuid4() for _ in range(300)]
    chance = random.Random(20261123)
    failures = 0
    for version in range(1, 7):
        rows = tuple(contract(uid, version) for uid in uids)
        batch = HistoryBatch(rows, tuple(event(uid, version) for uid in uids))
        work = asyncio.ensure_future(record_until_stored(impatient, batch))
        await asyncio.sleep(chance.uniform(0.0, 0.1))  # a random moment of the batch
        await asyncio.to_thread(postgres.server.kill)
        await asyncio.to_thread(postgres.start)
        failures += await work
    stored = await impatient.events_after(0, 10_000)
    assert [found.seq for found in stored] == list(range(1, 300 * 6 + 1))
    assert len({found.event.id for found in stored}) == 300 * 6
    assert set((await impatient.recorded_versions()).values()) == {6}
    assert failures > 0


async def test_connections_cut_at_random_moments_lose_and_repeat_nothing(
    history: PostgresHistory, database_url: str
) -> None:
    uid, chance = uuid4(), random.Random(7)

    async def cut() -> None:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
            while True:
                await asyncio.sleep(chance.uniform(0.03, 0.2))
                await admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'makima'"
                )

    cutter = asyncio.ensure_future(cut())
    for version in range(1, 41):
        await record_until_stored(history, versions_of(uid, max(1, version - 5), version))
    cutter.cancel()
    await asyncio.gather(cutter, return_exceptions=True)
    page = await again(history, uid)
    assert page == list(range(1, 41))


async def again(history: PostgresHistory, uid: UUID) -> list[int | None]:
    """The versions in the order of their numbers; the pool may still hand out a connection that was cut."""
    for _ in range(10):
        try:
            return [stored.event.version for stored in await history.events(uid)]
        except HistoryUnavailable:
            await asyncio.sleep(0.05)
    raise AssertionError("the history does not come back")


async def test_a_history_opened_while_postgres_is_away_works_once_it_is_there(postgres: LocalPostgres) -> None:
    postgres.server.kill()
    history = PostgresHistory(postgres.url, IMPATIENT)
    await history.open()
    with pytest.raises(HistoryUnavailable):
        await history.ping()
    await asyncio.to_thread(postgres.start)
    await record_until_stored(history, versions_of(uuid4(), 1, 1), seconds=15)
    await history.close()


async def test_a_frozen_server_is_given_up_on(postgres: LocalPostgres, impatient: PostgresHistory) -> None:
    await impatient.ping()
    postgres.server.freeze()
    started = time.monotonic()
    with pytest.raises(HistoryUnavailable, match="did not answer within 2 s"):
        await impatient.record(versions_of(uuid4(), 1, 1))
    assert time.monotonic() - started < IMPATIENT.operation + 12
    postgres.server.thaw()
    await record_until_stored(impatient, versions_of(uuid4(), 1, 1), seconds=15)


async def test_more_callers_than_connections_wait_only_so_long(database_url: str) -> None:
    history = PostgresHistory(database_url, Limits(connections=1, connect=0.3))
    await history.open()
    async with history.database.connection():
        with pytest.raises(HistoryUnavailable, match="couldn't get a connection"):
            await history.ping()
    await history.close()


async def test_a_slow_statement_is_ended(database_url: str) -> None:
    history = PostgresHistory(database_url, Limits(statement=0.2))
    await history.open()
    with pytest.raises(HistoryUnavailable, match="statement timeout"):
        await history.database.rows(b"SELECT pg_sleep(5)")
    await history.ping()
    await history.close()


async def test_an_unmigrated_database_says_what_to_run(empty_database_url: str) -> None:
    history = PostgresHistory(empty_database_url)
    await history.open()
    for attempt in (history.record(versions_of(uuid4(), 1, 1)), history.check_schema(), history.live_uids()):
        with pytest.raises(HistoryUnavailable, match="makima migrate up"):
            await attempt
    await history.close()


async def test_an_older_schema_says_what_to_run(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url, "0002")
    history = PostgresHistory(empty_database_url)
    await history.open()
    with pytest.raises(HistoryUnavailable, match="at migration 0002(?s:.*)makima migrate up"):
        await history.check_schema()
    await history.close()


async def test_a_counter_behind_its_events_is_explained_and_nothing_is_refused(
    history: PostgresHistory, database_url: str
) -> None:
    await history.record(versions_of(uuid4(), 1, 3))
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        await admin.execute("UPDATE event_counter SET last = 0")
    with pytest.raises(HistoryUnavailable, match="restoring tables from different backups"):
        await history.record(versions_of(uuid4(), 1, 1))


async def test_a_wrong_url_is_explained_at_once() -> None:
    with pytest.raises(HistoryUnavailable, match="MAKIMA_DATABASE_URL"):
        await PostgresHistory("mysql://x").open()
    with pytest.raises(HistoryUnavailable, match="not open"):
        await PostgresHistory("postgresql:///x").ping()
