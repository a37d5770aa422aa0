"""Silence under virtual time: who is found dead, who is spared, and how fast thousands are gone through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from makima.models.enums import SupervisorState
from makima.models.supervision import Beat, Span
from makima.services.supervision.liveness_watch import LivenessWatch, Watched
from tests.support.fake_supervision import FakeSupervision
from tests.support.fakes import START, FakeClock

TIMEOUT = timedelta(seconds=120)


class Listening:
    """A watch over a fake Postgres, and what it found."""

    def __init__(self) -> None:
        self.clock, self.postgres = FakeClock(), FakeSupervision()
        self.watch = LivenessWatch(self.postgres, self.postgres, self.clock)
        self.dead: list[UUID] = []
        self.watch.on_dead = lambda item, _: self.dead.append(item.contract_id)

    def expect(self, number: int, incarnation: int = 1) -> UUID:
        contract = UUID(int=number)
        self.watch.expect(Watched(contract, ("ns", f"c{number}"), incarnation, self.clock.now(), TIMEOUT))
        return contract

    def covered(self, start: float, until: float) -> None:
        span = Span(START + timedelta(seconds=start), START + timedelta(seconds=until))
        self.postgres.spans_by_start[span.started_at] = span

    def beat(self, contract: UUID, incarnation: int = 1) -> None:
        at = self.clock.now()
        self.postgres.beats.append(
            Beat(contract, contract, incarnation, 1, SupervisorState.WORKING, "plan", "", 0, (), at)
        )


@pytest.fixture
def listening() -> Listening:
    return Listening()


async def test_a_silent_one_is_dead_once_its_whole_timeout_was_covered(listening: Listening) -> None:
    contract = listening.expect(1)
    listening.covered(-10, 200)
    listening.clock.advance(seconds=119)
    assert await listening.watch.sweep() == 0
    listening.clock.advance(seconds=1)
    assert await listening.watch.sweep() == 1
    assert listening.dead == [contract]


async def test_a_heartbeat_that_only_postgres_has_spares_it(listening: Listening) -> None:
    contract = listening.expect(1)
    listening.covered(-10, 400)
    listening.clock.advance(seconds=100)
    listening.beat(contract)
    listening.clock.advance(seconds=30)
    assert await listening.watch.sweep() == 0
    listening.clock.advance(seconds=91)
    assert await listening.watch.sweep() == 1, "its timeout counts from that heartbeat"


async def test_a_heartbeat_of_an_older_life_spares_nobody(listening: Listening) -> None:
    contract = listening.expect(1, incarnation=2)
    listening.covered(-10, 400)
    listening.clock.advance(seconds=100)
    listening.beat(contract, incarnation=1)
    listening.clock.advance(seconds=20)
    assert await listening.watch.sweep() == 1


@pytest.mark.parametrize(
    "spans",
    [[], [(-10, 50), (80, 200)], [(30, 200)]],
    ids=["no ingest at all", "an ingest that was away for half a minute", "an ingest that came late"],
)
async def test_an_outage_of_the_ingest_kills_nobody(listening: Listening, spans: list[tuple[float, float]]) -> None:
    listening.expect(1)
    for start, until in spans:
        listening.covered(start, until)
    for _ in range(60):
        listening.clock.advance(seconds=3)
        if listening.clock.now() < START + timedelta(seconds=150):
            assert await listening.watch.sweep() == 0


async def test_after_an_outage_everyone_has_a_whole_timeout_again(listening: Listening) -> None:
    listening.expect(1)
    listening.covered(-10, 50)
    listening.covered(1000, 2000)
    listening.clock.advance(seconds=1119)
    assert await listening.watch.sweep() == 0
    listening.clock.advance(seconds=2)
    assert await listening.watch.sweep() == 1


async def test_while_postgres_is_away_nobody_dies_and_nobody_is_forgotten(listening: Listening) -> None:
    listening.expect(1)
    listening.covered(-10, 10_000)
    listening.postgres.away = True
    for _ in range(20):
        listening.clock.advance(seconds=100)
        assert await listening.watch.sweep() == 0
    listening.postgres.away = False
    listening.clock.advance(seconds=2)
    assert await listening.watch.sweep() == 1


async def test_a_sign_of_life_moves_the_deadline(listening: Listening) -> None:
    contract = listening.expect(1)
    listening.covered(-10, 400)
    listening.clock.advance(seconds=60)
    listening.watch.heard(contract, 1, listening.clock.now())
    listening.clock.advance(seconds=119)
    assert await listening.watch.sweep() == 0
    listening.clock.advance(seconds=1)
    assert await listening.watch.sweep() == 1


async def test_whoever_is_not_listened_to_is_not_judged(listening: Listening) -> None:
    contract = listening.expect(1)
    listening.covered(-10, 400)
    listening.watch.ignore(contract)
    listening.clock.advance(seconds=300)
    assert await listening.watch.sweep() == 0


async def test_a_new_life_is_not_judged_by_the_silence_of_the_old(listening: Listening) -> None:
    listening.expect(1)
    listening.covered(-10, 400)
    listening.clock.advance(seconds=119)
    listening.expect(1, incarnation=2)
    listening.clock.advance(seconds=10)
    assert await listening.watch.sweep() == 0


class CountedSupervision(FakeSupervision):
    """Counts how often it is asked, and finds a life in constant time, as an index does."""

    asked = 0

    async def newest(self, lives: Mapping[UUID, int]) -> Mapping[UUID, datetime]:
        self.asked += 1
        return {}

    async def spans(self, since: datetime) -> Sequence[Span]:
        self.asked += 1
        return [Span(START - timedelta(hours=1), START + timedelta(hours=1))]


async def test_thirty_thousand_are_swept_with_two_questions(listening: Listening) -> None:
    postgres = CountedSupervision()
    listening.watch = LivenessWatch(postgres, postgres, listening.clock)
    listening.watch.on_dead = lambda item, _: listening.dead.append(item.contract_id)
    contracts = [listening.expect(number) for number in range(30_000)]
    listening.clock.advance(seconds=60)
    silent = set(contracts[::100])
    for contract in contracts:
        if contract not in silent:
            listening.watch.heard(contract, 1, listening.clock.now())
    listening.clock.advance(seconds=60)
    assert await listening.watch.sweep() == 300
    assert set(listening.dead) == silent
    assert postgres.asked == 2
