"""Commands reach whoever waits for them, at least once, and the index follows Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import pytest

from makima.models.enums import CommandKind
from makima.models.supervision import Session, StoredCommand
from makima.services.refusals import Refused
from makima.services.supervisor_calls import command_delivery
from makima.services.supervisor_calls.command_delivery import PER_ANSWER, CommandDelivery
from tests.support.fake_supervision import FakeSupervision
from tests.support.fakes import START, FakeClock

CONTRACT = uuid4()


def command(contract_id: UUID = CONTRACT) -> StoredCommand:
    return StoredCommand(uuid4(), contract_id, CommandKind.PAUSE, START)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.fixture
def store() -> FakeSupervision:
    made = FakeSupervision()
    made.add(Session(CONTRACT, uuid4(), "ns", "work", 1))
    return made


@pytest.fixture
async def delivery(store: FakeSupervision, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CommandDelivery]:
    monkeypatch.setattr(command_delivery, "AWAY_SECONDS", 0.02)
    made = CommandDelivery(store, FakeClock(), most_polls=2)
    made.start()
    yield made
    await made.stop()


async def test_an_announced_command_goes_with_heartbeats_until_it_is_acknowledged(
    delivery: CommandDelivery, store: FakeSupervision
) -> None:
    assert delivery.waiting_for(CONTRACT) == ()
    one = command()
    await store.put([one])
    await until(lambda: delivery.waiting_for(CONTRACT))
    assert [item.id for item in delivery.waiting_for(CONTRACT)] == [one.id]
    await delivery.acknowledge(CONTRACT, 1, [one.id])
    assert delivery.waiting_for(CONTRACT) == ()
    assert store.commands == {}


async def test_a_command_that_nobody_announced_is_found_by_comparing(
    store: FakeSupervision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_delivery, "COMPARE_SECONDS", 0.02)
    delivery = CommandDelivery(store, FakeClock())
    delivery.start()
    try:
        one = command()
        store.commands[one.id] = one
        await until(lambda: delivery.waiting_for(CONTRACT))
        store.commands.clear()  # another replica took the acknowledgement
        await until(lambda: not delivery.waiting_for(CONTRACT))
    finally:
        await delivery.stop()


async def test_a_long_poll_is_answered_by_the_command_and_not_before(
    delivery: CommandDelivery, store: FakeSupervision
) -> None:
    poll = asyncio.create_task(delivery.poll(CONTRACT, 30))
    await asyncio.sleep(0.05)
    assert not poll.done()
    one = command()
    await store.put([one, command(uuid4())])
    async with asyncio.timeout(5):
        assert [item.id for item in await poll] == [one.id]


async def test_a_long_poll_ends_empty_with_its_time(delivery: CommandDelivery) -> None:
    async with asyncio.timeout(5):
        assert await delivery.poll(CONTRACT, 0.02) == ()
    assert delivery._listeners == {}


async def test_what_is_there_already_is_given_at_once(delivery: CommandDelivery, store: FakeSupervision) -> None:
    await store.put([command()])
    async with asyncio.timeout(5):
        assert len(await delivery.poll(CONTRACT, 30)) == 1


async def test_only_so_many_polls_wait(delivery: CommandDelivery) -> None:
    polls = [asyncio.create_task(delivery.poll(uuid4(), 30)) for _ in range(2)]
    await asyncio.sleep(0.05)
    with pytest.raises(Refused):
        await delivery.poll(CONTRACT, 30)
    for poll in polls:
        poll.cancel()
    await asyncio.gather(*polls, return_exceptions=True)
    assert delivery._polls == 0


async def test_one_answer_has_a_bounded_number_and_the_rest_follows(
    delivery: CommandDelivery, store: FakeSupervision
) -> None:
    await store.put([command() for _ in range(PER_ANSWER + 5)])
    await until(lambda: len(delivery.waiting_for(CONTRACT)) == PER_ANSWER)
    await delivery.acknowledge(CONTRACT, 1, [item.id for item in delivery.waiting_for(CONTRACT)])
    await until(lambda: len(delivery.waiting_for(CONTRACT)) == 5)


async def test_after_an_outage_the_announced_command_is_fetched(
    delivery: CommandDelivery, store: FakeSupervision
) -> None:
    await until(store.announcements.empty)
    store.away = True
    one = command()
    store.commands[one.id] = one
    store.announcements.put_nowait(CONTRACT)
    await asyncio.sleep(0.1)
    assert delivery.waiting_for(CONTRACT) == ()
    store.away = False
    await until(lambda: delivery.waiting_for(CONTRACT))
