"""A group that does not wait for the one before it: what is decided by the order of a life stays in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from makima.errors import HistoryUnavailable
from makima.models.supervision import Beat, BeatResult, Session
from makima.services.ingest.taken import Result, Taken
from makima.services.refusals import Refused
from tests.support.fake_supervision import FakeSupervision
from tests.unit.services.ingest.test_group_commit import Bench, _as_far_as_it_goes

BESIDE = 3
"""Heartbeats that are worth a group of their own here."""


class OneByOne(FakeSupervision):
    """Postgres, in which each group stays until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: list[asyncio.Future[None]] = []

    async def store(self, beats: Sequence[Beat]) -> Sequence[BeatResult]:
        self.under_way.append(asyncio.get_running_loop().create_future())
        await self.under_way[-1]
        return await super().store(beats)


class Held(Bench):
    """An ingest over it, and batches that are worth a group."""

    def __init__(self) -> None:
        self.held = OneByOne()
        super().__init__(self.held, beside=BESIDE)

    def batch(self) -> list[Session]:
        return [self.supervisor() for _ in range(BESIDE)]

    async def put(self, sessions: list[Session], sequence: int = 1) -> asyncio.Task[list[Taken]]:
        """Sent, and as far as it goes without Postgres."""
        beats = [self.beat(session, sequence) for session in sessions]
        call = asyncio.create_task(self.ingest.put(beats))
        await _as_far_as_it_goes()
        return call

    async def go_on(self, place: int, error: Exception | None = None) -> None:
        """This group is committed, or fails."""
        if error is None:
            self.held.under_way[place].set_result(None)
        else:
            self.held.under_way[place].set_exception(error)
        await _as_far_as_it_goes()


@pytest.fixture
async def held() -> AsyncIterator[Held]:
    made = Held()
    made.ingest.start()
    yield made
    for group in made.held.under_way:
        if not group.done():
            group.cancel()
    await made.ingest.stop(0.01)


async def results(call: asyncio.Task[list[Taken]]) -> set[Result]:
    return {one.result for one in await call}


async def test_two_groups_are_under_way_and_the_third_waits(held: Held) -> None:
    calls = [await held.put(held.batch()) for _ in range(4)]
    assert len(held.held.under_way) == 2
    await held.go_on(1)
    assert [call.done() for call in calls] == [False, True, False, False]
    assert len(held.held.under_way) == 3
    for place in (0, 2):
        await held.go_on(place)
    assert [await results(call) for call in calls] == [{Result.STORED}] * 4
    assert held.held.groups == [BESIDE, BESIDE, 2 * BESIDE]


async def test_few_heartbeats_wait_for_the_group_under_way_and_become_one(held: Held) -> None:
    first = await held.put(held.batch())
    few = [await held.put([held.supervisor()]) for _ in range(BESIDE - 1)]
    assert len(held.held.under_way) == 1
    await held.go_on(0)
    assert first.done()
    await held.go_on(1)
    assert [await results(call) for call in few] == [{Result.STORED}] * len(few)
    assert held.held.groups == [BESIDE, len(few)]


@pytest.mark.parametrize(
    ("again", "result"), [(1, Result.DUPLICATE), (2, Result.STORED)], ids=["the same again", "the next"]
)
async def test_a_contract_is_never_in_two_groups_at_a_time(held: Held, again: int, result: Result) -> None:
    sessions = held.batch()
    first = await held.put(sessions)
    second = await held.put([*held.batch(), sessions[0]], again)
    assert len(held.held.under_way) == 1
    await held.go_on(0)
    assert first.done()
    await held.go_on(1)
    assert (await second)[-1].result is result
    mine = [beat.sequence for beat in held.held.beats if beat.contract_id == sessions[0].contract_id]
    assert mine == list(range(1, again + 1))


async def test_a_new_life_waits_for_the_old_one_that_is_under_way_which_is_over_after_it(held: Held) -> None:
    sessions = held.batch()
    old = await held.put(sessions)
    begun = Session(sessions[0].contract_id, sessions[0].task_id, "ns", "work", 2)
    held.store.add(begun)
    new = await held.put([*held.batch(), begun])
    assert len(held.held.under_way) == 1
    await held.go_on(0)
    assert (await old)[0] == Taken(Result.SUPERSEDED, current=2)
    assert [one.result for one in (await old)[1:]] == [Result.STORED] * (BESIDE - 1)
    await held.go_on(1)
    assert (await new)[-1].result is Result.STORED
    late = await held.put(sessions, 2)
    await held.go_on(2)
    assert (await late)[0] == Taken(Result.SUPERSEDED, current=2)


async def test_a_group_that_fails_costs_the_other_nothing_and_only_its_own_are_asked_for_again(held: Held) -> None:
    lost, kept = held.batch(), held.batch()
    first, second = await held.put(lost), await held.put(kept)
    await held.go_on(0, HistoryUnavailable("away"))
    await held.go_on(1)
    with pytest.raises(Refused):
        await first
    assert await results(second) == {Result.STORED}
    asked: list[set[object]] = []
    known = held.held.last_sequences

    async def last_sequences(lives, since):  # type: ignore[no-untyped-def]
        asked.append(set(lives))
        return await known(lives, since)

    held.held.last_sequences = last_sequences  # type: ignore[method-assign]
    again = await held.put([*lost, *kept], 2)
    await held.go_on(2)
    assert await results(again) == {Result.STORED}
    assert asked == [{session.contract_id for session in lost}]


async def test_what_postgres_will_never_take_costs_only_itself_beside_another_group(held: Held) -> None:
    bad = held.supervisor()
    held.held.poison = bad.contract_id
    first = await held.put(held.batch())
    good, poisoned = await held.put([held.supervisor()]), await held.put([bad])
    rest = await held.put([held.supervisor()])
    assert len(held.held.under_way) == 2
    await held.go_on(1)  # all three, and refused
    for place in (2, 3, 4, 0):
        await held.go_on(place)
    for call in (first, good, rest):
        assert await results(call) == {Result.STORED}
    with pytest.raises(Refused):
        await poisoned


async def test_work_in_turn_comes_after_everything_before_it_also_in_a_group_worth_its_own(held: Held) -> None:
    seen: list[int] = []

    async def look() -> None:
        seen.append(len(held.held.beats))

    await held.put(held.batch())
    turn = asyncio.ensure_future(held.ingest.in_turn(look))
    await held.put(held.batch())
    assert len(held.held.under_way) == 1
    await held.go_on(0)
    assert seen == []
    await held.go_on(1)
    await turn
    assert seen == [2 * BESIDE]


async def test_stopping_waits_for_both_and_then_refuses_what_never_came(held: Held) -> None:
    shared = held.batch()
    calls = [await held.put(shared), await held.put(held.batch()), await held.put(shared, 2), await held.put(shared, 3)]
    stop = asyncio.create_task(held.ingest.stop(0.05))
    await held.go_on(1)
    await stop
    assert await results(calls[1]) == {Result.STORED}
    for call in (calls[0], *calls[2:]):
        async with asyncio.timeout(5):
            with pytest.raises(Refused):
                await call
