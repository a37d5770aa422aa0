"""Rows of supervisors: at once when it matters, else seldom; and what the coverage makes of doubts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from makima.errors import ClusterUnavailable, MakimaError
from makima.models.enums import SupervisorState
from makima.models.supervision import Beat
from makima.services.ingest import current_state
from makima.services.ingest.coverage import Coverage
from makima.services.ingest.current_state import CurrentState
from makima.services.ingest.group_commit import Ingest
from tests.support.fake_supervision import FakeSupervision
from tests.support.fakes import START, FakeClock
from tests.unit.services.ingest.test_group_commit import Counted

BEAT = Beat(uuid4(), uuid4(), 1, 1, SupervisorState.WORKING, "plan", "reading", 10, (), START)


@pytest.fixture
async def rows() -> AsyncIterator[tuple[CurrentState, FakeSupervision]]:
    store = FakeSupervision()
    state = CurrentState(store)
    state.start()
    yield state, store
    await state.stop()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)


MATTERS: list[tuple[str, dict[str, Any]]] = [
    ("state", {"state": SupervisorState.BLOCKED}),
    ("phase", {"phase": "execute"}),
    ("pending tasks", {"pending_task_ids": (uuid4(),)}),
    ("a new life", {"incarnation": 2}),
]


@pytest.mark.parametrize("change", [row[1] for row in MATTERS], ids=[row[0] for row in MATTERS])
async def test_what_matters_is_written_and_announced_at_once(
    rows: tuple[CurrentState, FakeSupervision], change: dict[str, Any]
) -> None:
    state, store = rows
    state.note([BEAT])
    await until(lambda: store.refreshed)
    changed = BEAT._replace(sequence=2, **change)
    state.note([changed])
    await until(lambda: len(store.refreshed) == 2)
    assert store.refreshed[-1] == changed
    assert store.told == [BEAT.contract_id] * 2


async def test_activity_alone_is_written_once_the_time_is_over_and_only_the_newest(
    rows: tuple[CurrentState, FakeSupervision], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, store = rows
    monkeypatch.setattr(current_state, "COALESCE_SECONDS", 0.3)
    state.note([BEAT])
    await until(lambda: store.refreshed)
    began = asyncio.get_running_loop().time()
    for number in range(2, 50):
        state.note([BEAT._replace(sequence=number, progress=number)])
    await until(lambda: len(store.refreshed) == 2)
    assert asyncio.get_running_loop().time() - began >= 0.25
    assert store.refreshed[-1].sequence == 49
    assert store.told == [BEAT.contract_id]


async def test_many_supervisors_are_one_statement(rows: tuple[CurrentState, FakeSupervision]) -> None:
    state, store = rows
    calls: list[int] = []
    refresh = store.refresh

    async def counted(beats: Any, **named: Any) -> None:
        calls.append(len(beats))
        await refresh(beats, **named)

    store.refresh = counted  # type: ignore[method-assign]
    state.note([BEAT._replace(contract_id=uuid4()) for _ in range(1500)])
    await until(lambda: len(store.refreshed) == 1500)
    assert calls == [1000, 500]


async def test_rows_wait_for_postgres_and_only_the_newest_is_kept(
    rows: tuple[CurrentState, FakeSupervision], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, store = rows
    monkeypatch.setattr(current_state, "AWAY_SECONDS", 0.02)
    store.away = True
    for number in range(1, 100):
        state.note([BEAT._replace(sequence=number)])
        await asyncio.sleep(0)
    assert len(state._urgent) <= 1
    store.away = False
    await until(lambda: store.refreshed)
    await until(lambda: store.refreshed[-1].sequence == 99)


async def test_a_heartbeat_that_waits_is_written_though_its_supervisor_is_forgotten_for_want_of_room() -> None:
    store = FakeSupervision()
    state = CurrentState(store, most=1)
    state.start()
    state.note([BEAT])
    await until(lambda: store.refreshed)
    state.note([BEAT._replace(sequence=2)])  # waits for its time
    state.note([BEAT._replace(contract_id=uuid4())])
    await until(lambda: len(store.refreshed) == 3)
    assert store.refreshed[-1] == BEAT._replace(sequence=2)
    await state.stop()


async def test_states_that_were_left_before_they_were_written_are_told_in_order(
    rows: tuple[CurrentState, FakeSupervision], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, store = rows
    monkeypatch.setattr(current_state, "AWAY_SECONDS", 0.02)
    store.away = True
    busy, asks = SupervisorState.WORKING, SupervisorState.WAITING_FOR_USER
    for number, said in enumerate((busy, busy, asks, asks, busy), 1):
        state.note([BEAT._replace(sequence=number, state=said)])
        await asyncio.sleep(0.03)
    store.away = False
    await until(lambda: store.refreshed)
    assert [(beat.sequence, beat.state) for beat in store.steps] == [(1, busy), (3, asks), (5, busy)]
    assert store.refreshed[-1].sequence == 5
    store.away = True
    for number in range(6, 306):
        state.note([BEAT._replace(sequence=number, state=(busy, asks)[number % 2])])
    await asyncio.sleep(0.05)
    assert len(state._steps[BEAT.contract_id.int]) <= current_state.STEPS
    store.away = False


async def test_stopping_writes_what_waits() -> None:
    store = FakeSupervision()
    state = CurrentState(store)
    state.start()
    state.note([BEAT])
    await until(lambda: store.refreshed)
    state.note([BEAT._replace(sequence=2)])
    await state.stop()
    assert store.refreshed[-1].sequence == 2


class Recorded:
    """A coverage over fakes, extended by hand."""

    def __init__(self) -> None:
        self.store, self.clock = FakeSupervision(), FakeClock()
        self.ingest = Ingest(self.store, Counted(), self.clock)
        self.identities = True
        self.coverage = Coverage(self.store, self.ingest, self.verify, self.clock, "one")

    async def verify(self) -> None:
        if not self.identities:
            raise ClusterUnavailable("away")

    async def step(self, seconds: float = 2) -> None:
        self.clock.advance(seconds=seconds)
        try:
            await self.coverage.extend()
        except MakimaError as error:
            self.coverage.doubt(str(error))

    def spans(self) -> list[tuple[float, float]]:
        found = sorted(self.store.spans_by_start.values(), key=lambda span: span.started_at)
        return [((s.started_at - START).total_seconds(), (s.until_at - START).total_seconds()) for s in found]


@pytest.fixture
async def recorded() -> AsyncIterator[Recorded]:
    made = Recorded()
    made.ingest.start()
    yield made
    await made.ingest.stop()


def _away(recorded: Recorded, away: bool) -> None:
    recorded.store.away = away


def _anonymous(recorded: Recorded, away: bool) -> None:
    recorded.identities = not away


def _full(recorded: Recorded, away: bool) -> None:
    recorded.ingest.turned_away += away


async def test_one_span_goes_on_while_all_is_well(recorded: Recorded) -> None:
    for _ in range(5):
        await recorded.step()
    assert recorded.spans() == [(2, 10)]


@pytest.mark.parametrize("trouble", [_away, _anonymous], ids=["Postgres away", "identities can't be verified"])
async def test_trouble_ends_the_span_and_the_next_begins_after_it(
    recorded: Recorded, trouble: Callable[[Recorded, bool], None]
) -> None:
    await recorded.step()
    await recorded.step()
    trouble(recorded, True)
    await recorded.step()
    trouble(recorded, False)
    await recorded.step()
    await recorded.step()
    assert recorded.spans() == [(2, 4), (8, 10)]


async def test_heartbeats_refused_for_want_of_room_begin_a_new_span(recorded: Recorded) -> None:
    await recorded.step()
    _full(recorded, True)
    await recorded.step()
    assert recorded.spans() == [(2, 2), (4, 4)]


async def test_a_process_that_was_frozen_begins_a_new_span(recorded: Recorded) -> None:
    await recorded.step()
    await recorded.step(60)
    await recorded.step()
    assert recorded.spans() == [(2, 2), (62, 64)]
