"""An older life commits nothing after a newer one has begun, however their transactions interleave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import psycopg
import pytest

from makima.adapters.postgres.fencing import fenced
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.errors import OutOfSequence, Superseded
from makima.models.enums import RestorationOutcome, TaskState
from makima.models.supervision import Session
from tests.support.supervision_values import (
    NOW,
    append,
    beat,
    checkpoint,
    command,
    message,
    question,
    save,
    task,
)

Other = psycopg.AsyncConnection[tuple[object, ...]]
Write = Callable[[PostgresSupervision, Session], Awaitable[object]]

TASK = UUID(int=1)
COMMAND = UUID(int=2)

WRITES: dict[str, Write] = {
    "register": lambda s, life: s.registry.register(life.contract_id, life.incarnation, uuid4(), "h", NOW),
    "set_pod": lambda s, life: s.registry.set_pod(life.contract_id, life.incarnation, uuid4()),
    "record_restoration": lambda s, life: s.registry.record_restoration(
        life.contract_id, life.incarnation, RestorationOutcome.FRESH, "x", NOW
    ),
    "save_state": lambda s, life: s.memory.save_state(life.contract_id, save(life, 1), NOW),
    "append": lambda s, life: s.memory.append_messages(life.contract_id, append(life.incarnation, 1, message()), NOW),
    "checkpoint": lambda s, life: s.memory.save_checkpoint(life.contract_id, checkpoint(life.incarnation, 1), NOW),
    "spawn": lambda s, life: s.work.spawn_task(task(life)),
    "end": lambda s, life: s.work.end_task(task(life, id=TASK, state=TaskState.COMPLETED, completed_at=NOW)),
    "ask": lambda s, life: s.work.ask(question(life)),
    "acknowledge": lambda s, life: s.commands.acknowledge(life.contract_id, life.incarnation, [COMMAND], NOW),
}

EVERYTHING = b"""
SELECT (SELECT count(*) FROM supervisor_states) AS states, (SELECT count(*) FROM supervisor_messages) AS messages,
    (SELECT count(*) FROM supervisor_checkpoints) AS checkpoints, (SELECT count(*) FROM questions) AS questions,
    (SELECT array_agg(state) FROM tasks) AS tasks,
    (SELECT count(*) FROM commands WHERE acknowledged_at IS NULL) AS commands,
    (SELECT (incarnation, registration_id, pod_uid, restoration)::text FROM supervisors) AS supervisor
"""


@pytest.fixture
async def busy(stores: PostgresSupervision, life: Session) -> Session:
    """A life with a task that runs and a command that waits."""
    await stores.work.spawn_task(task(life, id=TASK))
    await stores.commands.put([command(life.contract_id, id=COMMAND)])
    return life


async def waiting_for_a_lock(stores: PostgresSupervision) -> None:
    """Until somebody waits for a row."""
    async with asyncio.timeout(20):
        while not await stores.database.rows(
            b"SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_write_of_an_older_life_stores_nothing(
    stores: PostgresSupervision, busy: Session, write: Write
) -> None:
    await stores.registry.allocate(busy, after=1)
    before = await stores.database.rows(EVERYTHING)
    with pytest.raises(Superseded) as caught:
        await write(stores, busy)
    assert caught.value.current == 2
    assert await stores.database.rows(EVERYTHING) == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_write_beside_a_new_life_that_is_not_committed_waits_and_stores_nothing(
    stores: PostgresSupervision, busy: Session, other: Other, write: Write
) -> None:
    before = (await stores.database.rows(EVERYTHING))[0]
    await other.execute("UPDATE supervisors SET incarnation = 2 WHERE contract_id = %s", [busy.contract_id])
    work = asyncio.ensure_future(write(stores, busy))
    await waiting_for_a_lock(stores)
    await other.commit()
    with pytest.raises(Superseded):
        await work
    after = (await stores.database.rows(EVERYTHING))[0]
    assert {**after, "supervisor": None} == {**before, "supervisor": None}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_write_beside_a_new_life_that_never_came_is_stored(
    stores: PostgresSupervision, busy: Session, other: Other, write: Write
) -> None:
    before = await stores.database.rows(EVERYTHING)
    await other.execute("UPDATE supervisors SET incarnation = 2 WHERE contract_id = %s", [busy.contract_id])
    work = asyncio.ensure_future(write(stores, busy))
    await waiting_for_a_lock(stores)
    await other.rollback()
    await work
    assert await stores.database.rows(EVERYTHING) != before


@pytest.mark.parametrize("alone", [False, True])
async def test_a_new_life_begins_after_the_writes_that_passed_the_fence(
    stores: PostgresSupervision, life: Session, alone: bool
) -> None:
    async with fenced(stores.database, life.contract_id, 1, alone=alone):
        work = asyncio.ensure_future(stores.registry.allocate(life, after=1))
        await waiting_for_a_lock(stores)
        assert not work.done()
    assert (await work).incarnation == 2


async def test_writers_that_only_check_do_not_hold_off_each_other(stores: PostgresSupervision, life: Session) -> None:
    async with fenced(stores.database, life.contract_id, 1), asyncio.timeout(3):
        await stores.work.spawn_task(task(life))
        await stores.work.ask(question(life))


async def test_nothing_of_an_older_life_is_committed_after_a_newer_one(
    stores: PostgresSupervision, life: Session
) -> None:
    """Every life appends as fast as it can while lives follow each other: places rise with lives."""
    contract_id, stop = life.contract_id, asyncio.Event()

    async def append_for_ever(incarnation: int) -> int:
        last = 0
        while not stop.is_set():
            call = append(incarnation, last + 1, message())
            try:
                last = (await stores.memory.append_messages(contract_id, call, NOW)).last
            except OutOfSequence as error:
                last = error.last
            except Superseded:
                break
        return incarnation

    writers = [asyncio.ensure_future(append_for_ever(1))]
    for after in range(1, 12):
        await asyncio.sleep(0.02)
        await stores.registry.allocate(life, after=after)
        writers.append(asyncio.ensure_future(append_for_ever(after + 1)))
    await asyncio.sleep(0.02)
    stop.set()
    await asyncio.gather(*writers)
    lives = [item.incarnation for item in await stores.memory.messages(contract_id, 0, 100_000)]
    assert lives == sorted(lives)
    assert len(set(lives)) > 5


async def test_a_heartbeat_of_an_older_life_counts_for_nothing(stores: PostgresSupervision, life: Session) -> None:
    await stores.heartbeats.store([beat(life)])
    await stores.registry.allocate(life, after=1)
    await stores.heartbeats.refresh([beat(life, 99)])
    found = await stores.registry.session(life.contract_id)
    assert found is not None
    assert (found.sequence, await stores.heartbeats.newest({life.contract_id: 2})) == (0, {})
