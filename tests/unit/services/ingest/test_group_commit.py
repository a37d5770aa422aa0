"""Heartbeats are acknowledged once they are committed, exactly once, and never eat up memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from makima.models.enums import SupervisorState
from makima.models.supervision import Beat, Session
from makima.models.wire.problem import Code
from makima.services.ingest.group_commit import Ingest, Limits
from makima.services.ingest.taken import Result, Taken
from makima.services.refusals import Refused
from tests.support.fake_supervision import FakeSupervision
from tests.support.fakes import FakeClock


@dataclass
class Counted:
    """Metrics of an ingest."""

    results: dict[str, int] = field(default_factory=dict)
    groups: list[int] = field(default_factory=list)

    def heartbeats(self, result: str, number: int) -> None:
        self.results[result] = self.results.get(result, 0) + number

    def group(self, size: int, seconds: float) -> None:
        assert seconds >= 0
        self.groups.append(size)


class Bench:
    """An ingest over a fake Postgres."""

    def __init__(self, store: FakeSupervision | None = None, **limits: float) -> None:
        self.store, self.clock, self.metrics = store or FakeSupervision(), FakeClock(), Counted()
        self.ingest = Ingest(self.store, self.metrics, self.clock, Limits(**limits))  # type: ignore[arg-type]

    def supervisor(self, incarnation: int = 1) -> Session:
        return self.store.add(Session(uuid4(), uuid4(), "ns", "work", incarnation, registration_id=uuid4()))

    def beat(self, session: Session, sequence: int = 1, incarnation: int | None = None, activity: str = "") -> Beat:
        return Beat(
            session.contract_id,
            session.task_id,
            incarnation or session.incarnation,
            sequence,
            SupervisorState.WORKING,
            "plan",
            activity,
            0,
            (),
            self.clock.now(),
        )

    async def one(self, session: Session, sequence: int = 1, incarnation: int | None = None) -> Taken:
        return (await self.ingest.put([self.beat(session, sequence, incarnation)]))[0]


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def start(store: FakeSupervision | None = None, **limits: float) -> Bench:
        bench = Bench(store, **limits)
        bench.ingest.start()
        made.append(bench)
        return bench

    yield start
    for bench in made:
        bench.store.gate.set()
        await bench.ingest.stop()


Make = Callable[..., Bench]


async def _as_far_as_it_goes() -> None:
    """Everybody goes on until only Postgres is waited for. Turns of the loop: a slow machine does not shorten them."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_waits_is_one_group_and_each_caller_is_answered_after_the_commit(make: Make) -> None:
    bench = make()
    sessions = [bench.supervisor() for _ in range(50)]
    bench.store.gate.clear()
    calls = [asyncio.create_task(bench.one(session)) for session in sessions]
    await _as_far_as_it_goes()
    assert not any(call.done() for call in calls)
    assert bench.store.beats == []
    bench.store.gate.set()
    assert {taken.result for taken in await asyncio.gather(*calls)} == {Result.STORED}
    assert sum(bench.store.groups) == 50
    assert len(bench.store.groups) <= 2


async def test_a_group_has_at_most_a_thousand_heartbeats_and_a_batch_is_never_split(make: Make) -> None:
    bench = make(group=10)
    session = bench.supervisor()
    bench.store.gate.clear()
    first = asyncio.create_task(bench.ingest.put([bench.beat(session, n) for n in range(1, 26)]))
    rest = [asyncio.create_task(bench.one(bench.supervisor())) for _ in range(25)]
    await _as_far_as_it_goes()
    bench.store.gate.set()
    assert len(await first) == 25
    await asyncio.gather(*rest)
    assert bench.store.groups[0] == 25
    assert max(bench.store.groups[1:]) <= 10


ORDERS = [
    ("the first", [], 1, Result.STORED),
    ("the next", [1], 2, Result.STORED),
    ("after a gap", [1], 7, Result.STORED),
    ("the same again", [1, 2], 2, Result.DUPLICATE),
    ("an older one", [1, 2], 1, Result.LATE),
]


@pytest.mark.parametrize(("before", "sequence", "result"), [row[1:] for row in ORDERS], ids=[row[0] for row in ORDERS])
@pytest.mark.parametrize("together", [False, True], ids=["one by one", "in one batch"])
async def test_the_sequence_of_a_life_decides(
    make: Make, before: list[int], sequence: int, result: Result, together: bool
) -> None:
    bench = make()
    session = bench.supervisor()
    if together:
        taken = (await bench.ingest.put([bench.beat(session, n) for n in (*before, sequence)]))[-1]
    else:
        for number in before:
            await bench.one(session, number)
        taken = await bench.one(session, sequence)
    assert taken.result is result
    assert len(bench.store.beats) == len(before) + (result is Result.STORED)


async def test_an_older_life_is_refused_and_names_the_current_one(make: Make) -> None:
    bench = make()
    session = bench.supervisor(incarnation=3)
    await bench.one(session, 5)
    assert await bench.one(session, 6, incarnation=2) == Taken(Result.SUPERSEDED, current=3)
    assert [beat.incarnation for beat in bench.store.beats] == [3]
    assert (await bench.one(session, 6)).result is Result.STORED


async def test_a_new_life_begins_its_sequence_anew(make: Make) -> None:
    bench = make()
    session = bench.supervisor()
    await bench.one(session, 40)
    bench.store.add(Session(session.contract_id, session.task_id, "ns", "work", 2))
    assert (await bench.one(session, 1, incarnation=2)).result is Result.STORED


async def test_what_repeats_a_refused_heartbeat_of_its_own_batch_is_refused_like_it(make: Make) -> None:
    bench = make()
    session = bench.supervisor(incarnation=3)
    old = bench.beat(session, 1, incarnation=2)
    taken = await bench.ingest.put([old, old, bench.beat(session, 1)])
    assert [one.result for one in taken] == [Result.SUPERSEDED, Result.SUPERSEDED, Result.STORED]


async def test_a_forged_future_incarnation_does_not_hide_the_real_life(make: Make) -> None:
    bench = make()
    session = bench.supervisor(incarnation=3)
    forged = bench.beat(session, 1, incarnation=2**53)
    taken = await bench.ingest.put([forged, bench.beat(session, 1)])
    assert [one.result for one in taken] == [Result.SUPERSEDED, Result.STORED]
    assert (await bench.one(session, 1)).result is Result.DUPLICATE


async def test_after_a_lost_answer_the_same_heartbeat_is_recognised_though_it_was_never_acknowledged(
    make: Make,
) -> None:
    bench = make()
    session = bench.supervisor()
    bench.store.lose_the_answer = True
    with pytest.raises(Refused) as refused:
        await bench.one(session, 1)
    assert refused.value.problem.code is Code.UNAVAILABLE
    bench.store.lose_the_answer = False
    assert (await bench.one(session, 1)).result is Result.DUPLICATE
    assert len(bench.store.beats) == 1


async def test_another_replica_recognises_what_the_first_one_stored(make: Make) -> None:
    one = make()
    other = make(one.store)
    session = one.supervisor()
    await one.one(session, 4)
    assert (await other.one(session, 4)).result is Result.DUPLICATE
    assert (await other.one(session, 3)).result is Result.LATE


async def test_postgres_away_is_a_503_with_a_time_to_come_back(make: Make) -> None:
    bench = make()
    bench.store.away = True
    with pytest.raises(Refused) as refused:
        await bench.one(bench.supervisor())
    assert refused.value.problem.code is Code.UNAVAILABLE
    assert refused.value.retry_after


@pytest.mark.parametrize(
    ("limits", "activity"), [({"heartbeats": 100}, ""), ({"size": 60_000}, "x" * 100)], ids=["count", "bytes"]
)
async def test_a_full_buffer_refuses_at_once_and_does_not_grow(
    make: Make, limits: dict[str, float], activity: str
) -> None:
    bench = make(**limits)
    session = bench.supervisor()
    bench.store.gate.clear()
    held = asyncio.create_task(bench.one(session))
    await _as_far_as_it_goes()  # the writer holds it, and waits for Postgres
    calls = [asyncio.create_task(bench.ingest.put([bench.beat(session, n, activity=activity)])) for n in range(2, 1002)]
    await _as_far_as_it_goes()
    refused = [call for call in calls if call.done()]
    assert 850 < len(refused) < 1000
    assert bench.ingest.turned_away == len(refused)
    assert len(bench.ingest._queue) == 1000 - len(refused)
    bench.store.gate.set()
    answers = await asyncio.gather(held, *calls, return_exceptions=True)
    stored = [answer for answer in answers if not isinstance(answer, Refused)]
    assert len(stored) == len(bench.store.beats) == 1001 - len(refused)


async def test_nobody_waits_for_ever_while_postgres_hangs(make: Make) -> None:
    bench = make(seconds=0.2)
    session = bench.supervisor()
    bench.store.gate.clear()
    held = asyncio.create_task(bench.one(session))
    await _as_far_as_it_goes()
    async with asyncio.timeout(5):
        with pytest.raises(Refused):
            await bench.one(session, 2)
    bench.store.gate.set()
    assert (await held).result is Result.STORED
    assert [beat.sequence for beat in bench.store.beats] == [1]


async def test_what_postgres_will_never_take_costs_only_itself(make: Make) -> None:
    bench = make()
    good, bad = bench.supervisor(), bench.supervisor()
    bench.store.poison = bad.contract_id
    bench.store.gate.clear()
    calls = [asyncio.create_task(bench.one(session)) for session in (good, bad, bench.supervisor())]
    await _as_far_as_it_goes()
    bench.store.gate.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(answer, Refused) for answer in answers] == [False, True, False]
    assert len(bench.store.beats) == 2


async def test_stopping_stores_what_waits_and_takes_nothing_more(make: Make) -> None:
    bench = make()
    session = bench.supervisor()
    bench.store.gate.clear()
    call = asyncio.create_task(bench.one(session))
    await _as_far_as_it_goes()
    stop = asyncio.create_task(bench.ingest.stop())
    await _as_far_as_it_goes()
    with pytest.raises(Refused):
        await bench.one(session, 2)
    bench.store.gate.set()
    assert (await call).result is Result.STORED
    await stop


async def test_a_caller_that_went_away_costs_nothing(make: Make) -> None:
    bench = make()
    session = bench.supervisor()
    bench.store.gate.clear()
    held = asyncio.create_task(bench.one(session))
    await _as_far_as_it_goes()
    gone = asyncio.create_task(bench.one(session, 2))
    await _as_far_as_it_goes()
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    bench.store.gate.set()
    await held
    assert [beat.sequence for beat in bench.store.beats] == [1]


async def test_work_in_turn_runs_after_everything_before_it_is_committed(make: Make) -> None:
    bench = make()
    seen: list[int] = []

    async def look() -> None:
        seen.append(len(bench.store.beats))

    calls = [asyncio.create_task(bench.one(bench.supervisor())) for _ in range(3)]
    await asyncio.sleep(0)
    await bench.ingest.in_turn(look)
    await asyncio.gather(*calls)
    assert seen == [3]


async def test_results_and_groups_are_counted(make: Make) -> None:
    bench = make()
    session = bench.supervisor()
    await bench.one(session, 2)
    await bench.one(session, 2)
    await bench.one(session, 1)
    await bench.ingest.put([bench.beat(Session(UUID(int=1), UUID(int=2), "ns", "x", 1))])
    assert bench.metrics.results == {"stored": 1, "duplicate": 1, "late": 1, "unknown": 1}
    assert bench.metrics.groups == [1, 1, 1, 1]
