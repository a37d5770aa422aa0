"""Backfills: bounded batches, resumed after a kill, beside live writers, and one runner each."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
import pytest_asyncio

from makima.adapters.postgres import migrate
from makima.adapters.postgres.backfill import SQL, run_backfills
from makima.adapters.postgres.database import Database
from makima.adapters.postgres.history import PostgresHistory
from makima.models.history import HistoryBatch
from tests.support.history_values import START, contract

pytestmark = pytest.mark.asyncio

NAME, DASHBOARD, COUNTS = "contracts_last_activity", "contracts_dashboard", "contract_counts"
ROWS = 2000
OLD_ROW = b"INSERT INTO contracts (uid, namespace, name, type, phase, updated_at) VALUES (%s, 'n', %s, 't', 'p', %s)"

RUNNER = """
import asyncio, sys
from makima.adapters.postgres.backfill import run_backfills
from makima.adapters.postgres.database import Database

async def main(url):
    database = Database(url)
    await database.open()
    await run_backfills(database, batch_rows=20, pause_seconds=0.02)
    await database.close()

asyncio.run(main(sys.argv[1]))
"""


@pytest_asyncio.fixture
async def database(empty_database_url: str) -> AsyncIterator[Database]:
    """A database whose contracts are older than the columns to be filled."""
    migrate.upgrade(empty_database_url, "0001")
    with psycopg.connect(empty_database_url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            OLD_ROW, [(uuid4(), f"c{number}", START + timedelta(seconds=number)) for number in range(ROWS)]
        )
    migrate.upgrade(empty_database_url)
    opened = Database(empty_database_url)
    await opened.open()
    yield opened
    await opened.close()


async def filled(database: Database) -> tuple[int, int]:
    """How many rows have their last activity, and how many have a wrong one."""
    rows = await database.rows(
        b"SELECT count(last_activity_at) AS filled,"
        b" count(*) FILTER (WHERE last_activity_at <> updated_at OR status_changed_at <> updated_at) AS wrong"
        b" FROM contracts"
    )
    return rows[0]["filled"], rows[0]["wrong"]


async def test_every_old_row_gets_the_time_it_was_updated(database: Database) -> None:
    assert await filled(database) == (0, 0)
    done = await run_backfills(database, batch_rows=300, pause_seconds=0)
    assert done == {NAME: ROWS, DASHBOARD: ROWS, COUNTS: 0}
    assert await filled(database) == (ROWS, 0)
    assert await run_backfills(database) == {}


async def test_killed_midway_it_goes_on_where_it_stopped(database: Database, empty_database_url: str) -> None:
    runner = await asyncio.create_subprocess_exec(sys.executable, "-c", RUNNER, empty_database_url)
    async with asyncio.timeout(30):
        while (await filled(database))[0] < 100:
            await asyncio.sleep(0.01)
    runner.send_signal(signal.SIGKILL)
    await runner.wait()
    done, _ = await filled(database)
    assert 100 <= done < ROWS
    progress = next(found for found in migrate.status(empty_database_url).backfills if found.name == NAME)
    assert not progress.finished
    assert 0 < progress.rows_seen <= ROWS
    counts = await run_backfills(database, pause_seconds=0)
    assert counts[NAME] == ROWS - progress.rows_seen
    assert await filled(database) == (ROWS, 0)
    assert all(found.finished for found in migrate.status(empty_database_url).backfills)


async def test_what_a_live_writer_stored_meanwhile_stays(database: Database) -> None:
    history = PostgresHistory("postgresql:///unused")
    history.database = database
    uid = UUID((await database.rows(b"SELECT max(uid::text) AS uid FROM contracts"))[0]["uid"])
    live = contract(uid, 2, last_activity_at=START + timedelta(days=9))
    backfill = asyncio.ensure_future(run_backfills(database, batch_rows=100, pause_seconds=0.01))
    await history.record(HistoryBatch((live,)))
    await backfill
    found = await history.contract(uid)
    assert found is not None
    assert found.last_activity_at == live.last_activity_at
    assert (await filled(database))[0] == ROWS


async def test_two_runners_do_the_work_once(database: Database) -> None:
    runs = [run_backfills(database, batch_rows=50, pause_seconds=0) for _ in range(3)]
    counts = [run.get(NAME, 0) for run in await asyncio.gather(*runs)]
    assert sum(counts) == ROWS
    assert await filled(database) == (ROWS, 0)


async def test_a_backfill_of_a_newer_makima_is_left_alone(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("INSERT INTO backfills (name) VALUES ('of_the_future')")
    assert (await run_backfills(database, pause_seconds=0))[NAME] == ROWS
    assert [row["name"] for row in await database.rows(SQL["unfinished"])] == ["of_the_future"]
