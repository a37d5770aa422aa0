"""Counts of contracts: right at every moment, whoever writes, dies or repairs meanwhile."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from makima.adapters.postgres import migrate
from makima.adapters.postgres.backfill import run_backfills
from makima.adapters.postgres.counts import ContractCounts
from makima.adapters.postgres.database import Database
from makima.adapters.postgres.history import PostgresHistory
from makima.cli.migrate import app
from makima.models.history import ContractRow, HistoryBatch
from tests.support.history_values import START, contract

pytestmark = pytest.mark.asyncio

SAID = b"""
SELECT namespace, status, phase, sum(contracts)::int AS contracts, sum(running_tasks)::int AS running,
    sum(pending_tasks)::int AS pending, sum(worktrees)::int AS worktrees
FROM (
    SELECT namespace, status, phase, contracts, running_tasks, pending_tasks, worktrees FROM contract_counts
    UNION ALL
    SELECT namespace, status, phase, contracts, running_tasks, pending_tasks, worktrees FROM contract_count_changes
) AS both_tables
WHERE namespace <> ''
GROUP BY namespace, status, phase HAVING sum(contracts) <> 0 ORDER BY namespace, status, phase
"""
STATES = ("created", "active", "waiting_for_input", "paused", "completed")
PHASES = ("plan", "execute")

RECORDER = """
import asyncio, random, sys
from uuid import UUID
from makima.adapters.postgres.history import PostgresHistory
from makima.errors import HistoryUnavailable
from makima.models.history import HistoryBatch
from tests.integration.history.test_counts import changed
from tests.support.history_values import START, event

async def main(url, seed):
    history, chance = PostgresHistory(url), random.Random(seed)
    await history.open()
    for version in range(1, 5000):  # ends by itself, also where the test was killed
        uids = [UUID(int=chance.randrange(1, 200)) for _ in range(60)]
        rows = tuple(changed(uid, version, chance) for uid in uids)
        try:
            await history.record(HistoryBatch(rows, tuple(event(row.uid, version) for row in rows)))
            if chance.random() < 0.3:
                await history.mark_deleted(uids[:5], START)
        except HistoryUnavailable:
            continue  # a busy machine; the recorder of the operator comes again, too
        print("recorded", flush=True)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def changed(uid: UUID, version: int, chance: random.Random) -> ContractRow:
    """Some other row of this contract."""
    return contract(
        uid,
        version,
        namespace=f"team-{uid.int % 3}",
        status=chance.choice(STATES),
        phase=chance.choice(PHASES),
        running_tasks=chance.randrange(3),
        pending_tasks=chance.randrange(2),
        worktrees=chance.randrange(4),
    )


@pytest.fixture
def counts(history: PostgresHistory) -> ContractCounts:
    """Counts over the test's database."""
    return ContractCounts(history.database)


async def said(history: PostgresHistory) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await history.database.rows(SAID)]


async def test_a_contract_counts_where_it_is_and_no_longer_where_it_was(history: PostgresHistory) -> None:
    first = contract(running_tasks=2, pending_tasks=1, worktrees=3)
    other = contract(namespace="team-b", status="created")
    await history.record(HistoryBatch((first, other)))
    moved = replace(first, version=2, resource_version="20", status="completed", phase="execute", running_tasks=0)
    await history.record(HistoryBatch((moved,)))
    assert await said(history) == [
        ("team-a", "completed", "execute", 1, 0, 1, 3),
        ("team-b", "created", "plan", 1, 0, 0, 0),
    ]
    await history.mark_deleted([first.uid], START)
    assert await said(history) == [("team-b", "created", "plan", 1, 0, 0, 0)]
    await history.record(HistoryBatch((replace(moved, version=3),)))  # it was not gone
    assert (await said(history))[0][:4] == ("team-a", "completed", "execute", 1)


async def test_what_somebody_does_by_hand_counts_too(history: PostgresHistory, counts: ContractCounts) -> None:
    await history.record(HistoryBatch(tuple(contract() for _ in range(5))))
    async with history.database.connection() as connection:
        await connection.execute("UPDATE contracts SET status = 'failed'")
        await connection.execute("DELETE FROM contracts WHERE uid = (SELECT uid FROM contracts LIMIT 1)")
    assert (await said(history))[0][:4] == ("team-a", "failed", "plan", 4)
    assert await counts.wrong() == []


async def test_folding_changes_no_sum_and_leaves_nothing_to_fold(
    history: PostgresHistory, counts: ContractCounts
) -> None:
    chance = random.Random(1)
    for version in range(1, 20):
        await history.record(HistoryBatch(tuple(changed(UUID(int=n + 1), version, chance) for n in range(30))))
    before = await said(history)
    await counts.fold()
    assert await said(history) == before
    assert (await history.database.rows(b"SELECT count(*) AS left FROM contract_count_changes"))[0]["left"] == 0
    assert await counts.fold() == 0
    assert await counts.wrong() == []


async def test_a_recorder_never_waits_for_the_counts_of_another(history: PostgresHistory, database_url: str) -> None:
    uid = uuid4()
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute(
            "INSERT INTO contracts (uid, namespace, name, type, phase) VALUES (%s, 'n', 'c', 't', 'p')", [uid]
        )
        async with asyncio.timeout(60):
            await history.record(HistoryBatch((contract(namespace="n", status="created", phase="p"),)))
        assert [row[:4] for row in await said(history)] == [("n", "created", "p", 1)]  # the other is not committed
        await other.commit()
    assert [row[:4] for row in await said(history)] == [("n", "created", "p", 2)]


@asynccontextmanager
async def recorders(database_url: str, life: int) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """Three processes that record without end, killed at the end of the block, whatever they are doing then."""
    runners: list[asyncio.subprocess.Process] = []
    try:
        for number in range(3):
            command = (sys.executable, "-c", RECORDER, database_url, str(life * 10 + number))
            runners.append(await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE))
        yield runners
    finally:
        for runner in runners:
            runner.send_signal(signal.SIGKILL)
            await runner.wait()


async def test_recorders_that_are_killed_leave_the_counts_right(
    history: PostgresHistory, counts: ContractCounts, database_url: str
) -> None:
    """Three at once on the same contracts, killed in the middle of it, with folds and recounts between."""
    for life in range(2):
        async with recorders(database_url, life) as runners:
            async with asyncio.timeout(240):
                for runner in runners:
                    assert runner.stdout is not None
                    assert await runner.stdout.readline() == b"recorded\n"
            assert await counts.wrong() == []  # also in the middle of it
            await counts.recount()
            await asyncio.sleep(0.3)
            await counts.fold()
    async with asyncio.timeout(60):
        while await _transactions(history):
            await asyncio.sleep(0.05)
    assert await counts.wrong() == []
    assert sum(row[3] for row in await said(history)) == len(await history.live_uids()) > 100


async def _transactions(history: PostgresHistory) -> int:
    rows = await history.database.rows(
        b"SELECT count(*) AS open FROM pg_stat_activity WHERE datname = current_database()"
        b" AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'"
    )
    return int(rows[0]["open"])


async def test_wrong_counts_are_found_and_repaired(
    history: PostgresHistory, counts: ContractCounts, database_url: str
) -> None:
    await history.record(HistoryBatch(tuple(contract() for _ in range(3))))
    async with history.database.connection() as connection:
        await connection.execute("UPDATE contract_counts SET contracts = contracts + 4")
        await connection.execute("INSERT INTO contract_counts VALUES ('nowhere', 'active', 'plan', 1, 0, 0, 0)")
    found = [(w.namespace, w.said, w.counted) for w in await counts.wrong()]
    assert found == [("", 7, 3), ("nowhere", 1, 0), ("team-a", 7, 3)]
    told = await asyncio.to_thread(CliRunner().invoke, app, ["counts", "--database-url", database_url])
    assert (told.exit_code, "team-a active plan: the count says 7, there are 3" in told.output) == (5, True)
    mended = await asyncio.to_thread(CliRunner().invoke, app, ["counts", "--repair", "--database-url", database_url])
    assert (mended.exit_code, "counted anew" in mended.output) == (0, True)
    assert await counts.wrong() == []
    again = await asyncio.to_thread(CliRunner().invoke, app, ["counts", "--database-url", database_url])
    assert (again.exit_code, again.output) == (0, "every count is right\n")


async def test_contracts_from_before_the_counts_are_counted_by_the_backfill(empty_database_url: str) -> None:
    migrate.upgrade(empty_database_url, "0007")
    with psycopg.connect(empty_database_url) as connection, connection.cursor() as cursor:
        row = "INSERT INTO contracts (uid, namespace, name, type, phase, status) VALUES (%s, 'n', 'c', 't', 'p', %s)"
        cursor.executemany(row, [(UUID(int=n + 1), ("active", "completed")[n % 2]) for n in range(40)])
        task = "INSERT INTO tasks VALUES (gen_random_uuid(), %s, 'p', 't', %s)"
        cursor.executemany(task, [(UUID(int=1), "running"), (UUID(int=1), "pending"), (UUID(int=2), "running")])
    migrate.upgrade(empty_database_url)
    database = Database(empty_database_url)
    await database.open()
    try:
        counts = ContractCounts(database)
        assert len(await counts.wrong()) == 4  # two states, of this namespace and of all together
        async with database.connection() as connection_:
            await connection_.execute("UPDATE contracts SET status = 'failed' WHERE uid = %s", [UUID(int=3)])
        await run_backfills(database, batch_rows=7, pause_seconds=0)
        assert await counts.wrong() == []
        found = {row["status"]: tuple(row.values())[3:] for row in await database.rows(SAID)}
        assert found == {"active": (19, 1, 1, 0), "completed": (20, 0, 0, 0), "failed": (1, 0, 0, 0)}
        idle = await database.rows(b"SELECT count(*) AS idle FROM contracts WHERE idle_since = last_activity_at")
        assert idle[0]["idle"] == 19  # what is finished can't become stale
    finally:
        await database.close()


async def test_an_empty_database_has_nothing_to_backfill(database_url: str) -> None:
    done = {found.name: found.finished for found in migrate.status(database_url).backfills}
    assert done == {"contracts_last_activity": False, "contracts_dashboard": True, "contract_counts": True}
