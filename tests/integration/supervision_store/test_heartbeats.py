"""Heartbeats: a group in one transaction, old lives refused, the current state brought up to them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makima.adapters.postgres.heartbeat_copy import copy_data
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.models.enums import SupervisorState
from makima.models.supervision import Beat, BeatOutcome, BeatResult, Session
from tests.support.supervision_values import NOW, beat, somebody

STORED = BeatResult(BeatOutcome.STORED, 1)


async def test_a_heartbeat_comes_back_as_it_was_stored(stores: PostgresSupervision, life: Session) -> None:
    plain = beat(life, 1)
    full = beat(
        life,
        2**53,
        state=SupervisorState.WAITING_FOR_TASKS,
        phase="execute",
        current_activity='tab\t"quote" \\N \\. newline\n € 🦊',
        progress=100,
        pending_task_ids=(uuid4(), uuid4()),
        received_at=NOW + timedelta(microseconds=1),
        sent_at=NOW - timedelta(days=400),
    )
    assert await stores.heartbeats.store([plain, full]) == [STORED, STORED]
    assert await stores.heartbeats.recent(life.contract_id, 10) == [full, plain]
    assert await stores.heartbeats.recent(life.contract_id, 1) == [full]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    current_activity=st.text(max_size=60),
    progress=st.integers(0, 100),
    pending_task_ids=st.lists(st.uuids(), max_size=4).map(tuple),
    state=st.sampled_from(list(SupervisorState)),
    sent_at=st.none() | st.datetimes(timezones=st.just(UTC), min_value=datetime(3, 1, 1)),  # noqa: DTZ001
)
def test_any_heartbeat_is_one_that_copy_reads(
    any_loop: asyncio.Runner, opened: tuple[PostgresSupervision, Session], **changes: object
) -> None:
    stores, life = opened
    given_beat = beat(life, received_at=NOW, **changes)

    async def round_trip() -> Beat:
        assert await stores.heartbeats.store([given_beat]) == [STORED]
        async with stores.database.connection() as connection:
            found = (await stores.heartbeats.recent(life.contract_id, 2))[0]
            await connection.execute(b"TRUNCATE supervisor_heartbeats")
            return found

    found = any_loop.run(round_trip())
    assert found._replace(current_activity="", sent_at=None) == given_beat._replace(current_activity="", sent_at=None)
    assert found.current_activity == given_beat.current_activity.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if given_beat.sent_at is None or given_beat.sent_at.year < 9998:
        assert found.sent_at == given_beat.sent_at


@pytest.fixture
def any_loop() -> asyncio.Runner:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def opened(any_loop: asyncio.Runner, database_url: str) -> tuple[PostgresSupervision, Session]:
    from makima.adapters.postgres.database import Database

    database = Database(database_url)
    stores = PostgresSupervision(database)

    async def begin() -> Session:
        await database.open()
        return await stores.registry.allocate(somebody(), after=0)

    yield stores, any_loop.run(begin())
    any_loop.run(database.close())


async def test_what_cannot_be_stored_in_one_costs_only_itself(stores: PostgresSupervision, life: Session) -> None:
    odd = beat(life, 1, current_activity="nul \0 half \ud83e", sent_at=datetime.min.replace(tzinfo=UTC))
    beyond = beat(life, 2, sent_at=datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))))
    assert await stores.heartbeats.store([odd, beyond]) == [STORED, STORED]
    found = await stores.heartbeats.recent(life.contract_id, 2)
    assert [item.sent_at for item in found] == [None, None]
    assert found[1].current_activity == "nul \N{REPLACEMENT CHARACTER} half \N{REPLACEMENT CHARACTER}"


async def test_a_group_keeps_its_order_and_refuses_by_entry(stores: PostgresSupervision, life: Session) -> None:
    newer = await stores.registry.allocate(somebody(), after=0)
    newer = await stores.registry.allocate(newer, after=1)
    group = [
        beat(life, 1),
        beat(somebody(incarnation=1), 1),
        beat(replace(newer, incarnation=1), 1),
        beat(replace(life, task_id=uuid4()), 2),
        beat(newer, 1),
        beat(replace(newer, incarnation=3), 1),
        beat(life, 2),
    ]
    unknown, superseded = BeatResult(BeatOutcome.UNKNOWN), BeatResult(BeatOutcome.SUPERSEDED, 2)
    current = BeatResult(BeatOutcome.STORED, 2)
    assert await stores.heartbeats.store(group) == [STORED, unknown, superseded, unknown, current, superseded, STORED]
    assert [item.sequence for item in await stores.heartbeats.recent(life.contract_id, 9)] == [2, 1]
    assert await stores.heartbeats.recent(newer.contract_id, 9) == [beat(newer, 1)]


@pytest.mark.parametrize("known", [True, False])
async def test_a_group_of_which_all_or_nothing_is_stored(
    stores: PostgresSupervision, life: Session, known: bool
) -> None:
    session = life if known else somebody(incarnation=1)
    results = await stores.heartbeats.store([beat(session, number) for number in range(1, 1001)])
    assert {result.outcome for result in results} == {BeatOutcome.STORED if known else BeatOutcome.UNKNOWN}
    assert len(await stores.heartbeats.recent(session.contract_id, 2000)) == (1000 if known else 0)
    assert await stores.heartbeats.store([]) == []


async def test_newest_and_last_sequence_are_those_of_the_life_asked_for(
    stores: PostgresSupervision, life: Session
) -> None:
    silent = await stores.registry.allocate(somebody(), after=0)
    hours = [beat(life, number, received_at=NOW + timedelta(hours=number - 2)) for number in (1, 2, 3)]
    await stores.heartbeats.store(hours)
    second = await stores.registry.allocate(life, after=1)
    lives = {life.contract_id: 1, silent.contract_id: 1, uuid4(): 1}
    assert await stores.heartbeats.newest(lives) == {life.contract_id: NOW + timedelta(hours=1)}
    assert await stores.heartbeats.newest({second.contract_id: 2}) == {}
    assert await stores.heartbeats.newest({}) == {}
    assert await stores.heartbeats.last_sequences(lives, NOW) == {life.contract_id: 3}
    assert await stores.heartbeats.last_sequences(lives, NOW + timedelta(hours=1)) == {}
    assert await stores.heartbeats.last_sequences({life.contract_id: 2}, NOW - timedelta(hours=9)) == {}


async def test_the_last_sequence_is_right_among_many_of_one_moment_and_clocks_that_differ(
    stores: PostgresSupervision, life: Session
) -> None:
    ahead = NOW + timedelta(seconds=2)
    group = [beat(life, number) for number in range(1, 51)]
    await stores.heartbeats.store([*group, beat(life, 51, received_at=ahead), beat(life, 52)])
    assert await stores.heartbeats.last_sequences({life.contract_id: 1}, NOW - timedelta(minutes=1)) == {
        life.contract_id: 52
    }


async def test_more_lives_than_one_query_takes(stores: PostgresSupervision, life: Session) -> None:
    await stores.heartbeats.store([beat(life, 5)])
    lives = {uuid4(): 1 for _ in range(2100)} | {life.contract_id: 1}
    assert await stores.heartbeats.newest(lives) == {life.contract_id: NOW}
    assert await stores.heartbeats.last_sequences(lives, NOW - timedelta(hours=1)) == {life.contract_id: 5}


async def test_refreshing_shows_the_newest_heartbeat(stores: PostgresSupervision, life: Session) -> None:
    pending = (uuid4(), uuid4())
    second = await stores.registry.allocate(somebody(), after=0)
    await stores.heartbeats.refresh([beat(life, 3, pending_task_ids=pending, progress=40), beat(second, 1)])
    found = await stores.registry.session(life.contract_id)
    assert found is not None
    assert (found.sequence, found.progress, found.pending_task_ids, found.phase) == (3, 40, pending, "plan")
    assert (found.state, found.last_heartbeat_at) == (SupervisorState.WORKING, NOW)
    assert found.current_activity == "reading the ledger"


@pytest.mark.parametrize(
    "stale",
    [{"sequence": 3, "progress": 99}, {"sequence": 2, "progress": 99}, {"sequence": 9, "incarnation": 0}],
    ids=["same", "older", "of another life"],
)
async def test_an_older_heartbeat_refreshes_nothing(
    stores: PostgresSupervision, life: Session, stale: dict[str, int]
) -> None:
    await stores.heartbeats.refresh([beat(life, 3)])
    before = await stores.registry.session(life.contract_id)
    await stores.heartbeats.refresh([beat(life)._replace(**stale)])
    assert await stores.registry.session(life.contract_id) == before


async def test_rows_are_refreshed_in_one_order_so_that_nobody_waits_in_a_circle(
    stores: PostgresSupervision, other: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    ids = [UUID(int=number) for number in (3, 2, 1)]  # so that the table has them in the other order
    lives = [await stores.registry.allocate(somebody(contract_id=contract_id), after=0) for contract_id in ids]
    await other.execute("SET lock_timeout = '5s'")
    await other.execute("SELECT FROM supervisors WHERE contract_id = %s FOR UPDATE", [ids[2]])
    work = asyncio.ensure_future(stores.heartbeats.refresh([beat(session, 1) for session in lives]))
    async with asyncio.timeout(20):
        while not await stores.database.rows(
            b"SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)
    await other.execute("SELECT FROM supervisors WHERE contract_id = %s FOR UPDATE", [ids[0]])  # it holds none yet
    await other.commit()
    await work
    sessions = await stores.registry.sessions(ids)
    assert {session.sequence for session in sessions.values()} == {1}


def test_an_empty_group_is_a_whole_copy() -> None:
    assert copy_data([]) == b"PGCOPY\n\xff\r\n\0" + b"\0" * 8 + b"\xff\xff"
