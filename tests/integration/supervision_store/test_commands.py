"""Commands wait until they are acknowledged; whoever listens hears of new ones and of changed supervisors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from makima.adapters.postgres import notifications
from makima.adapters.postgres.history import PostgresHistory
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.models.enums import CommandKind, RestorationOutcome
from makima.models.supervision import Session
from tests.support.history_values import event
from tests.support.supervision_values import NOW, beat, command, question, somebody


async def test_commands_come_oldest_first_until_they_are_acknowledged(
    stores: PostgresSupervision, life: Session
) -> None:
    contract_id = life.contract_id
    wanted = [
        command(contract_id, kind=kind, created_at=NOW + timedelta(seconds=place), payload={"n": [place, None, "é"]})
        for place, kind in enumerate(CommandKind)
    ]
    foreign = command(uuid4())
    await stores.commands.put([*reversed(wanted), foreign])
    await stores.commands.put(wanted[:3])
    assert await stores.commands.unacknowledged([contract_id]) == wanted
    await stores.commands.acknowledge(contract_id, 1, [wanted[1].id, foreign.id, uuid4()], NOW)
    await stores.commands.acknowledge(contract_id, 1, [wanted[1].id], NOW)
    assert await stores.commands.unacknowledged([contract_id]) == [wanted[0], *wanted[2:]]
    assert foreign in await stores.commands.unacknowledged(None)
    assert await stores.commands.unacknowledged([]) == []
    await stores.commands.put([wanted[1]])  # what was carried out does not come back
    assert wanted[1] not in await stores.commands.unacknowledged(None)


async def test_events_are_stored_with_the_commands_that_they_cause(
    stores: PostgresSupervision, history: PostgresHistory, life: Session
) -> None:
    moved = event(life.contract_id, 2)
    await stores.commands.put([command(life.contract_id)], [moved])
    await stores.commands.put([], [moved])
    assert [stored.event for stored in await history.events(life.contract_id)] == [moved]
    assert len(await stores.commands.unacknowledged([life.contract_id])) == 1


async def listening(stores: PostgresSupervision) -> None:
    async with asyncio.timeout(20):
        await notifications_of(stores).listening.wait()


def notifications_of(stores: PostgresSupervision) -> notifications.Notifications:
    return stores.notifications


async def take(heard: AsyncIterator[UUID], count: int) -> set[UUID]:
    async with asyncio.timeout(20):
        return {await anext(heard) for _ in range(count)}


async def test_new_commands_and_answers_are_announced(stores: PostgresSupervision, life: Session) -> None:
    await listening(stores)
    heard, also = stores.commands.announced(), stores.commands.announced()
    others = [uuid4() for _ in range(1000)]  # more than one notification can hold
    await stores.commands.put([command(contract_id) for contract_id in others])
    assert await take(heard, 1000) == set(others) == await take(also, 1000)
    asked = await stores.work.ask(question(life, answer="x", answered_at=NOW))
    await stores.work.answer([question(life, id=uuid4(), answer="x", answered_at=NOW)])
    assert asked.answer == "x"
    assert await take(heard, 1) == {life.contract_id}


async def test_changes_of_supervisors_are_announced_with_the_commit(stores: PostgresSupervision) -> None:
    await listening(stores)
    heard, registry = stores.registry.changes(), stores.registry
    life = await registry.allocate(somebody(), after=0)
    contract_id = life.contract_id
    assert await take(heard, 1) == {contract_id}
    await registry.set_pod(contract_id, 1, None)  # changes nothing
    begun = await registry.allocate(somebody(), after=0)
    assert await take(heard, 1) == {begun.contract_id}
    await registry.allocate(begun, after=0)  # begun already
    await registry.register(contract_id, 1, uuid4(), "h", NOW)
    assert await take(heard, 1) == {contract_id}
    await registry.record_restoration(begun.contract_id, 1, RestorationOutcome.RESUMED, "", NOW)
    assert await take(heard, 1) == {begun.contract_id}
    await stores.heartbeats.refresh([beat(life, 1), beat(begun, 1)], announce=[contract_id])
    assert await take(heard, 1) == {contract_id}
    await stores.heartbeats.refresh([], announce=[begun.contract_id])
    assert await take(heard, 1) == {begun.contract_id}
    found = await registry.session(contract_id)
    assert found is not None
    assert found.sequence == 1


async def test_a_lost_connection_listens_again(
    stores: PostgresSupervision, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await listening(stores)
    heard = stores.registry.changes()
    with caplog.at_level(logging.WARNING):
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
        async with asyncio.timeout(20):
            while not caplog.records:
                await asyncio.sleep(0.01)
    await listening(stores)
    someone = uuid4()
    await stores.heartbeats.refresh([], announce=[someone])
    assert await take(heard, 1) == {someone}
    assert "not listening to Postgres" in caplog.text


async def test_what_others_say_on_the_channel_is_passed_over(stores: PostgresSupervision, database_url: str) -> None:
    await listening(stores)
    heard = stores.registry.changes()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as admin:
        await admin.execute("NOTIFY makima_supervisors, 'hello'")
        await admin.execute("NOTIFY makima_supervisors")
    someone = uuid4()
    await stores.heartbeats.refresh([], announce=[someone])
    assert await take(heard, 1) == {someone}


async def test_a_subscription_ends_when_the_stores_are_closed(stores: PostgresSupervision) -> None:
    heard = stores.commands.announced()
    waiting = asyncio.ensure_future(anext(heard))
    await asyncio.sleep(0)
    await stores.close()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_a_slow_reader_hears_of_a_contract_once_and_of_so_many_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "UNREAD", 3)
    subscription, ids = notifications.Subscription(), [uuid4() for _ in range(5)]
    subscription.add([ids[0], ids[0], ids[1]])
    assert await anext(subscription) == ids[0]
    subscription.add(ids[1:])
    subscription.end()
    assert [item async for item in subscription] == ids[2:]
