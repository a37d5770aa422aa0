"""Who carries which contract: every life is begun once, and an older one changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from makima.adapters.postgres.supervision import PostgresSupervision
from makima.errors import NotFound, Superseded
from makima.models.enums import RestorationOutcome, SupervisorState
from makima.models.supervision import Session
from tests.support.supervision_values import NOW, beat, somebody


async def test_a_contract_that_nobody_carried_has_no_session(stores: PostgresSupervision) -> None:
    assert await stores.registry.session(uuid4()) is None
    assert await stores.registry.sessions([uuid4()]) == {}


async def test_the_first_life_is_there_as_it_was_begun(stores: PostgresSupervision) -> None:
    given = somebody()
    begun = await stores.registry.allocate(given, after=0)
    assert replace(begun, updated_at=None) == replace(given, incarnation=1)
    assert await stores.registry.session(given.contract_id) == begun
    assert await stores.registry.sessions([given.contract_id, uuid4()]) == {given.contract_id: begun}


@pytest.mark.parametrize(
    ("current", "after", "then"),
    [(0, 0, 1), (1, 0, 1), (1, 1, 2), (7, 6, 7), (7, 7, 8), (3, 5, 6)],
    ids=["none yet", "begun already", "next", "another was faster", "next of many", "restored from an older backup"],
)
async def test_the_next_life(stores: PostgresSupervision, current: int, after: int, then: int) -> None:
    given = somebody()
    if current:
        await stores.registry.allocate(given, after=current - 1)
    assert (await stores.registry.allocate(given, after=after)).incarnation == then


async def test_32_callers_at_once_begin_one_life(stores: PostgresSupervision, life: Session) -> None:
    begun = await asyncio.gather(*(stores.registry.allocate(life, after=1) for _ in range(32)))
    assert {session.incarnation for session in begun} == {2}
    assert len({session.updated_at for session in begun}) == 1  # written once


async def test_32_callers_at_once_begin_the_first_life_once(stores: PostgresSupervision) -> None:
    given = somebody()
    begun = await asyncio.gather(*(stores.registry.allocate(given, after=0) for _ in range(32)))
    assert {session.incarnation for session in begun} == {1}
    assert len({session.updated_at for session in begun}) == 1


async def test_a_new_life_knows_nothing_of_the_registration_before(stores: PostgresSupervision, life: Session) -> None:
    await stores.registry.set_pod(life.contract_id, 1, uuid4())
    await stores.registry.register(life.contract_id, 1, uuid4(), "laptop", NOW)
    await stores.heartbeats.refresh([beat(life, 9)])
    before = await stores.registry.session(life.contract_id)
    assert before is not None
    assert (before.sequence, before.state, before.host) == (9, SupervisorState.WORKING, "laptop")
    fresh = await stores.registry.allocate(life, after=1)
    found = (fresh.registration_id, fresh.registered_at, fresh.pod_uid, fresh.host, fresh.sequence, fresh.state)
    assert found == (None, None, None, None, 0, SupervisorState.INITIALIZING)
    assert (fresh.phase, fresh.last_heartbeat_at) == ("plan", NOW)


async def test_registering_again_with_the_same_id_changes_nothing(stores: PostgresSupervision, life: Session) -> None:
    registration = uuid4()
    first = await stores.registry.register(life.contract_id, 1, registration, "a", NOW)
    assert (first.registration_id, first.registered_at, first.host) == (registration, NOW, "a")
    again = await stores.registry.register(life.contract_id, 1, registration, "b", NOW + timedelta(seconds=1))
    assert again == first


async def test_two_processes_of_one_life_one_is_refused(stores: PostgresSupervision, life: Session) -> None:
    calls = [stores.registry.register(life.contract_id, 1, uuid4(), "h", NOW) for _ in range(8)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, Session) for result in results) == 1
    assert [result.current for result in results if isinstance(result, Superseded)] == [1] * 7


async def test_an_older_life_changes_nothing(stores: PostgresSupervision, life: Session) -> None:
    newer = await stores.registry.allocate(life, after=1)
    registry, contract_id = stores.registry, life.contract_id
    for call in (
        registry.set_pod(contract_id, 1, uuid4()),
        registry.register(contract_id, 1, uuid4(), "h", NOW),
        registry.record_restoration(contract_id, 1, RestorationOutcome.FRESH, "", NOW),
    ):
        with pytest.raises(Superseded) as caught:
            await call
        assert caught.value.current == 2
    assert await registry.session(contract_id) == newer


async def test_nobodys_contract_is_not_found(stores: PostgresSupervision) -> None:
    registry = stores.registry
    for call in (
        registry.set_pod(uuid4(), 1, None),
        registry.register(uuid4(), 1, uuid4(), "h", NOW),
        registry.record_restoration(uuid4(), 1, RestorationOutcome.FRESH, "", NOW),
    ):
        with pytest.raises(NotFound, match="register first"):
            await call


async def test_pod_and_restoration_are_kept(stores: PostgresSupervision, life: Session) -> None:
    pod = uuid4()
    assert (await stores.registry.set_pod(life.contract_id, 1, pod)).pod_uid == pod
    await stores.registry.record_restoration(life.contract_id, 1, RestorationOutcome.CHECKPOINT, "bad \ud800", NOW)
    found = await stores.registry.session(life.contract_id)
    assert found is not None
    assert (found.restoration, found.restored_at) == (RestorationOutcome.CHECKPOINT, NOW)
    assert (found.restoration_text, found.pod_uid) == ("bad \N{REPLACEMENT CHARACTER}", pod)
    assert (await stores.registry.set_pod(life.contract_id, 1, None)).pod_uid is None


async def read_on(stores: PostgresSupervision, moment: datetime | None, seen: set[tuple[UUID, int]]) -> datetime | None:
    """One poll, as the operator makes it."""
    for session in await stores.registry.changed_since(moment):
        seen.add((session.contract_id, session.incarnation))
        moment = session.updated_at
    return moment


async def test_a_row_that_is_committed_late_is_not_missed(
    stores: PostgresSupervision, life: Session, other: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    seen: set[tuple[UUID, int]] = set()
    late = somebody()
    await other.execute(
        "INSERT INTO supervisors (contract_id, task_id, namespace, name, incarnation, updated_at)"
        " VALUES (%s, %s, 'n', 'late', 1, clock_timestamp())",
        [late.contract_id, late.task_id],
    )
    early = await stores.registry.allocate(somebody(), after=0)
    moment = await read_on(stores, None, seen)
    assert seen == {(life.contract_id, 1), (early.contract_id, 1)}
    await other.commit()
    await read_on(stores, moment, seen)
    assert (late.contract_id, 1) in seen


async def test_polls_beside_many_writers_see_every_row(stores: PostgresSupervision) -> None:
    seen: set[tuple[UUID, int]] = set()
    contracts = [somebody() for _ in range(60)]
    work = asyncio.gather(*(stores.registry.allocate(session, after=0) for session in contracts))
    moment = None
    while not work.done():
        moment = await read_on(stores, moment, seen)
    await work
    await read_on(stores, moment, seen)
    assert seen == {(session.contract_id, 1) for session in contracts}


async def test_rows_come_oldest_write_first_and_older_ones_not_at_all(stores: PostgresSupervision) -> None:
    written = [await stores.registry.allocate(somebody(), after=0) for _ in range(5)]
    found = await stores.registry.changed_since(None)
    assert [session.contract_id for session in found] == [session.contract_id for session in written]
    rest = await stores.registry.changed_since(written[3].updated_at)
    assert {session.contract_id for session in rest} == {session.contract_id for session in written[3:]}
