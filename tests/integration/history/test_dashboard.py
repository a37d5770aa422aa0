"""What the dashboard reads on a real Postgres: the same as plain SQL over everything, for whoever sees how much."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from makima.adapters.postgres.dashboard import EVENTS, PostgresDashboard
from makima.adapters.postgres.history import PostgresHistory
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.models.dashboard import Look, Seen
from makima.models.enums import SupervisorState
from makima.models.history import ContractRow, HistoryBatch
from makima.models.supervision import Session, StoredQuestion
from tests.support.history_values import contract, event
from tests.support.own_postgres import open_stores
from tests.support.supervision_values import beat

pytestmark = pytest.mark.asyncio

NOW = datetime.now(UTC)
HALF_HOUR = timedelta(minutes=30)


@pytest.fixture
def dashboard(history: PostgresHistory) -> PostgresDashboard:
    """The reader over the test's database."""
    return PostgresDashboard(history.database)


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[PostgresSupervision]:
    """What supervisors store, in the same database."""
    async with open_stores(database_url) as supervision:
        await supervision.heartbeats.keep_partitions(NOW)
        yield supervision


def look(*namespaces: str, most: int = 100) -> Look:
    return Look(namespaces or None, NOW, HALF_HOUR, most)


def silent(minutes: float, own: int | None = None, **changes: Any) -> ContractRow:
    """A contract of which nothing was heard for so long."""
    at = NOW - timedelta(minutes=minutes)
    stale_at = at + timedelta(seconds=own) if own is not None else None
    return contract(last_activity_at=at, idle_since=at, stale_after_seconds=own, stale_at=stale_at, **changes)


def names(seen: Seen) -> list[str]:
    return [item.name for item in seen.silent]


async def test_silent_contracts_come_longest_first_by_the_threshold_that_is_theirs(
    history: PostgresHistory, dashboard: PostgresDashboard
) -> None:
    rows = (
        silent(31, name="just"),
        silent(29, name="not-yet"),
        silent(500, name="long"),
        silent(29, own=60, name="quick"),
        silent(500, own=360_000, name="patient"),
        silent(700, name="elsewhere", namespace="team-b"),
        silent(900, name="gone"),
        contract(name="paused", status="paused", last_activity_at=NOW - timedelta(days=3)),
    )
    await history.record(HistoryBatch(rows))
    await history.mark_deleted([rows[6].uid], NOW)
    assert names(await dashboard.look(look())) == ["elsewhere", "long", "just", "quick"]
    assert names(await dashboard.look(look("team-a"))) == ["long", "just", "quick"]
    assert names(await dashboard.look(look("team-b", "nowhere"))) == ["elsewhere"]
    assert names(await dashboard.look(look("team-a", "team-b", most=2))) == ["elsewhere", "long"]
    assert names(await dashboard.look(look(most=1))) == ["elsewhere"]


async def test_a_contract_whose_supervisor_is_heard_is_not_silent(
    history: PostgresHistory, dashboard: PostgresDashboard, stores: PostgresSupervision
) -> None:
    heard, mute, patient = silent(50, name="heard"), silent(45, name="mute"), silent(40, own=600, name="own")
    await history.record(HistoryBatch((heard, mute, patient)))
    lives = [await _life(stores, row) for row in (heard, mute, patient)]
    beats = [
        beat(lives[0], received_at=NOW - timedelta(minutes=1)),
        beat(lives[1], received_at=NOW - timedelta(minutes=40)),
        beat(lives[2], received_at=NOW - timedelta(minutes=11)),
    ]
    await stores.heartbeats.refresh(beats)
    seen = await dashboard.look(look())
    assert [(item.name, item.last_activity_at) for item in seen.silent] == [
        ("mute", beats[1].received_at),
        ("own", beats[2].received_at),
    ]


async def test_the_row_of_a_contract_follows_heartbeats_but_not_each(
    history: PostgresHistory, stores: PostgresSupervision
) -> None:
    row, paused = silent(50), contract(status="paused", last_activity_at=NOW - timedelta(minutes=50))
    await history.record(HistoryBatch((row, paused)))
    lives = [await _life(stores, row), await _life(stores, paused)]

    async def hear(sequence: int, at: datetime) -> tuple[datetime | None, datetime | None]:
        await stores.heartbeats.refresh([beat(life, sequence, received_at=at) for life in lives])
        found = [await history.contract(item.uid) for item in (row, paused)]
        assert found[0] is not None
        assert found[1] is not None
        assert found[1].last_activity_at == paused.last_activity_at  # nothing follows from it
        assert found[0].last_activity_at == found[0].idle_since
        return found[0].idle_since, found[0].stale_at

    first = NOW - timedelta(minutes=10)
    assert await hear(1, first) == (first, None)
    assert await hear(2, first + timedelta(seconds=110)) == (first, None)
    assert await hear(3, first + timedelta(seconds=130)) == (first + timedelta(seconds=130), None)
    await history.record(HistoryBatch((silent(50, uid=row.uid, version=2),)))  # the resource is behind
    found = await history.contract(row.uid)
    assert found is not None
    assert (found.version, found.idle_since) == (2, first + timedelta(seconds=130))


async def test_a_heartbeat_does_not_wait_for_whoever_writes_the_contract(
    history: PostgresHistory, stores: PostgresSupervision, database_url: str
) -> None:
    row = silent(50)
    await history.record(HistoryBatch((row,)))
    life = await _life(stores, row)
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("SELECT FROM contracts WHERE uid = %s FOR UPDATE", [row.uid])
        await stores.heartbeats.refresh([beat(life, received_at=NOW)])  # or the lock's time-out would refuse it
    session = await stores.registry.session(row.uid)
    assert session is not None
    assert session.sequence == 1


async def test_who_waits_comes_with_the_oldest_open_question(
    history: PostgresHistory, dashboard: PostgresDashboard, stores: PostgresSupervision
) -> None:
    asked = contract(name="asked", status="waiting_for_input", waiting_for="answer: Which?", status_changed_at=NOW)
    guard = contract(
        name="guard",
        namespace="team-b",
        status="waiting_for_input",
        waiting_for="confirmation: plan → execute",
        status_changed_at=NOW - HALF_HOUR,
    )
    await history.record(HistoryBatch((asked, guard, contract(name="busy"))))
    life = await _life(stores, asked)
    questions = [
        StoredQuestion(uuid4(), asked.uid, life.incarnation, "plan", text, (), NOW + timedelta(seconds=second))
        for second, text in enumerate(("answered", "first open", "second open"))
    ]
    for question in questions:
        await stores.work.ask(question)
    async with history.database.connection() as connection:
        await connection.execute("UPDATE questions SET answered_at = now() WHERE text = 'answered'")
    seen = (await dashboard.look(look())).waiting
    assert [(item.name, item.question) for item in seen] == [("guard", None), ("asked", "first open")]
    assert seen[1].question_id == questions[1].id
    assert [item.name for item in (await dashboard.look(look("team-a"))).waiting] == ["asked"]
    assert [item.name for item in (await dashboard.look(look("team-b", "team-a", most=1))).waiting] == ["guard"]


async def test_the_newest_events_are_those_of_the_namespaces_that_are_seen(
    history: PostgresHistory, dashboard: PostgresDashboard
) -> None:
    uid = uuid4()
    places = ["team-a"] * 3 + ["team-b"] * (EVENTS + 5)
    batch = [event(uid, version, namespace=place) for version, place in enumerate(places, 1)]
    await history.record(HistoryBatch(events=tuple(batch)))
    everywhere = [item.seq for item in (await dashboard.look(look())).events]
    assert everywhere == list(range(len(places), len(places) - EVENTS, -1))
    assert [item.seq for item in (await dashboard.look(look("team-a"))).events] == [3, 2, 1]
    assert [item.seq for item in (await dashboard.look(look("team-a", "team-b"))).events] == everywhere


async def test_counts_are_those_of_what_is_seen(history: PostgresHistory, dashboard: PostgresDashboard) -> None:
    chance = random.Random(7)
    rows = [
        contract(
            UUID(int=number + 1),
            namespace=f"team-{chance.randrange(4)}",
            status=chance.choice(("active", "paused", "completed")),
            phase=chance.choice(("plan", "execute")),
            running_tasks=chance.randrange(3),
        )
        for number in range(300)
    ]
    await history.record(HistoryBatch(tuple(rows)))
    for namespaces in ((), ("team-1",), ("team-0", "team-3", "nowhere")):
        seen = await dashboard.look(look(*namespaces))
        mine = [row for row in rows if not namespaces or row.namespace in namespaces]
        keys = {(row.status, row.phase) for row in mine}
        assert {(t.status, t.phase): (t.contracts, t.running_tasks) for t in seen.tallies} == {
            key: (
                sum((row.status, row.phase) == key for row in mine),
                sum(row.running_tasks for row in mine if (row.status, row.phase) == key),
            )
            for key in keys
        }
        async with history.database.connection() as connection:  # as before the backfill is done
            await connection.execute("UPDATE backfills SET finished_at = NULL")
            await connection.execute("UPDATE contract_counts SET contracts = 99")
        assert sorted((await dashboard.look(look(*namespaces))).tallies, key=str) == sorted(seen.tallies, key=str)
        async with history.database.connection() as connection:
            await connection.execute("UPDATE backfills SET finished_at = now()")
            await connection.execute("SELECT recount_contracts()")


async def test_numbers_and_lists_of_a_look_are_of_one_moment_while_contracts_change(
    history: PostgresHistory, dashboard: PostgresDashboard
) -> None:
    row, over = contract(), asyncio.Event()
    await history.record(HistoryBatch((row,)))

    async def change() -> None:
        version = row.version
        while not over.is_set():
            version += 1
            status = ("active", "waiting_for_input")[version % 2]
            await history.record(HistoryBatch((replace(row, version=version, status=status),)))

    changes = asyncio.create_task(change())
    try:
        found = [await dashboard.look(look()) for _ in range(300)]
    finally:
        over.set()
        await changes
    waiting = [len(seen.waiting) for seen in found]
    assert set(waiting) == {0, 1}, "it changed meanwhile"
    assert waiting == [
        sum(tally.contracts for tally in seen.tallies if tally.status == "waiting_for_input") for seen in found
    ]


async def test_a_look_that_fails_leaves_its_connection_as_it_was(
    history: PostgresHistory, dashboard: PostgresDashboard
) -> None:
    await history.record(HistoryBatch((contract(name="there", status="waiting_for_input"),)))
    with pytest.raises(psycopg.Error, match="must not be negative"):
        await dashboard.look(look(most=-1))
    for _ in range(2):
        assert [item.name for item in (await dashboard.look(look())).waiting] == ["there"]
    assert await history.database.rows(b"SHOW plan_cache_mode") == [{"plan_cache_mode": "auto"}]
    assert await history.database.rows(b"SHOW transaction_read_only") == [{"transaction_read_only": "off"}]


async def test_supervisors_that_were_heard_and_did_not_end_are_live(
    dashboard: PostgresDashboard, stores: PostgresSupervision
) -> None:
    rows = [contract(name=name) for name in ("heard", "silent", "done", "registered", "unregistered")]
    lives = [await _life(stores, row, register=row.name != "unregistered", at=NOW - HALF_HOUR) for row in rows]
    await stores.heartbeats.refresh(
        [
            beat(lives[0], received_at=NOW),
            beat(lives[1], received_at=NOW - timedelta(minutes=3)),
            beat(lives[2], received_at=NOW, state=SupervisorState.COMPLETED),
            beat(lives[4], received_at=NOW),
        ]
    )
    found = await dashboard.crews(NOW - timedelta(minutes=2))
    assert [(crew.namespace, crew.host, crew.supervisors) for crew in found] == [("team-a", "host-of-heard", 1)]
    found = await dashboard.crews(NOW - timedelta(minutes=40))
    assert {crew.host for crew in found} == {"host-of-heard", "host-of-silent", "host-of-registered"}


async def test_how_old_the_projection_may_be_is_said(history: PostgresHistory, dashboard: PostgresDashboard) -> None:
    seen = await dashboard.look(look())
    assert (seen.caught_up_at, seen.lag) == (None, None)
    await history.mark_caught_up()
    seen = await dashboard.look(look())
    assert seen.lag is not None
    assert timedelta() <= seen.lag < timedelta(minutes=2)
    async with history.database.connection() as connection:
        await connection.execute("INSERT INTO projection_marks VALUES ('slow', now() - interval '1 hour')")
        await connection.execute("INSERT INTO projection_marks VALUES ('long gone', now() - interval '8 days')")
    slowest = (await dashboard.look(look())).lag
    assert slowest is not None
    assert timedelta(hours=1) <= slowest < timedelta(hours=2)


async def _life(stores: PostgresSupervision, row: ContractRow, *, register: bool = True, at: datetime = NOW) -> Session:
    session = await stores.registry.allocate(Session(row.uid, uuid4(), row.namespace, row.name, 0), after=0)
    if register:
        session = await stores.registry.register(row.uid, 1, uuid4(), f"host-of-{row.name}", at)
    return session
