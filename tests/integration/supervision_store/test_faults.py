"""Postgres killed in a stream of calls: what was acknowledged is there afterwards, exactly once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest

from makima.adapters.postgres import migrate
from makima.adapters.postgres.database import Limits
from makima.adapters.postgres.heartbeats import PostgresHeartbeats
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.errors import HistoryUnavailable
from makima.models.supervision import Beat, BeatResult, Session
from makima.sandbox.postgres import LocalPostgres
from makima.services.ingest.group_commit import Ingest
from makima.services.ingest.group_commit import Limits as IngestLimits
from makima.services.ingest.taken import Result
from makima.services.refusals import Refused
from tests.support.fakes import FakeClock
from tests.support.own_postgres import open_stores, own_server
from tests.support.supervision_values import NOW, append, beat, message, question, save, somebody
from tests.unit.services.ingest.test_group_commit import Counted

IMPATIENT = Limits(statement=1.5, lock=1, operation=2, connect=1)
SECONDS_WITHOUT_PROGRESS = 60
KILLS = 4

Answer = TypeVar("Answer")


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[LocalPostgres]:
    with own_server("test", tmp_path) as server:
        migrate.upgrade(server.url)
        yield server


@pytest.fixture
async def stores(postgres: LocalPostgres) -> AsyncIterator[PostgresSupervision]:
    async with open_stores(postgres.url, IMPATIENT) as supervision:
        await supervision.heartbeats.keep_partitions(NOW)
        yield supervision


async def until_answered(call: Callable[[], Awaitable[Answer]], failed: list[int]) -> Answer:
    """As clients do: again and again; counts the tries that failed."""
    deadline = time.monotonic() + SECONDS_WITHOUT_PROGRESS
    while True:
        try:
            return await call()
        except HistoryUnavailable:
            assert time.monotonic() < deadline
            failed.append(1)
            await asyncio.sleep(0.05)


async def kill_at_random(postgres: LocalPostgres, seed: int) -> None:
    """SIGKILL, so many times, each after a random while in which it answers."""
    chance = random.Random(seed)
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.2, 0.6))
        await asyncio.to_thread(postgres.server.kill)
        await asyncio.to_thread(postgres.start)


async def test_every_acknowledged_message_is_there_once_and_in_order(
    postgres: LocalPostgres, stores: PostgresSupervision
) -> None:
    life = await stores.registry.allocate(somebody(), after=0)
    kills, failed, sent = asyncio.ensure_future(kill_at_random(postgres, 20261124)), list[int](), []
    while not kills.done():
        calls = [message(f"{len(sent) + place}") for place in range(3)]
        call = append(1, len(sent) + 1, *calls)
        answer = await until_answered(lambda c=call: stores.memory.append_messages(life.contract_id, c, NOW), failed)
        sent += calls
        assert answer.last == len(sent)
    await kills
    stored = await until_answered(lambda: stores.memory.messages(life.contract_id, 0, 1_000_000), failed)
    assert [(item.sequence, item.id) for item in stored] == [(place, item.id) for place, item in enumerate(sent, 1)]
    assert failed  # at least one kill met a call; how many do depends on the machine


async def test_saves_and_questions_go_on_with_the_next_number(
    postgres: LocalPostgres, stores: PostgresSupervision
) -> None:
    life = await stores.registry.allocate(somebody(), after=0)
    kills, failed, revision = asyncio.ensure_future(kill_at_random(postgres, 7)), list[int](), 0
    asked = []
    while not kills.done():
        revision += 1
        call, wanted = save(life, revision), question(life)
        answer = await until_answered(lambda c=call: stores.memory.save_state(life.contract_id, c, NOW), failed)
        assert answer.last == revision
        assert await until_answered(lambda q=wanted: stores.work.ask(q), failed) == wanted
        asked.append(wanted.id)
    await kills
    found = await until_answered(lambda: stores.memory.remembered(life.contract_id, 0), failed)
    assert found.state is not None
    assert found.state.revision == revision
    assert Counter(item.id for item in found.questions) == Counter(asked)
    assert failed


async def store_again_what_is_missing(stores: PostgresSupervision, lives: list[Session], sequence: int) -> None:
    """As an ingest does after a group of which nothing is known: what is there is not stored again."""
    wanted = {life.contract_id: life.incarnation for life in lives}
    known = await stores.heartbeats.last_sequences(wanted, NOW.replace(year=2025))
    missing = [beat(life, sequence) for life in lives if known.get(life.contract_id, 0) < sequence]
    await stores.heartbeats.store(missing)


async def test_every_acknowledged_heartbeat_is_there_once(postgres: LocalPostgres, stores: PostgresSupervision) -> None:
    lives = [await stores.registry.allocate(somebody(), after=0) for _ in range(100)]
    kills, failed, sequence = asyncio.ensure_future(kill_at_random(postgres, 11)), list[int](), 0
    while not kills.done() or not failed:
        if kills.done():  # each came between two calls
            kills = asyncio.ensure_future(kill_at_random(postgres, 11 + sequence))
        sequence += 1
        await until_answered(lambda s=sequence: store_again_what_is_missing(stores, lives, s), failed)
    await kills
    rows = await until_answered(
        lambda: stores.database.rows(
            b"SELECT contract_id, array_agg(sequence ORDER BY sequence) AS all FROM supervisor_heartbeats GROUP BY 1"
        ),
        failed,
    )
    assert {row["contract_id"] for row in rows} == {life.contract_id for life in lives}
    assert all(row["all"] == list(range(1, sequence + 1)) for row in rows)


class AtOnce(PostgresHeartbeats):
    """Counts how many groups it stores at a time, at most."""

    now = most = 0

    async def store(self, beats: Sequence[Beat]) -> Sequence[BeatResult]:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await super().store(beats)
        finally:
            self.now -= 1


class Batches:
    """Supervisors whose batches are worth a group each, sent one after the other until they are acknowledged."""

    def __init__(self, ingest: Ingest, lives: list[Session]) -> None:
        self._ingest, self.lives = ingest, lives
        self.acknowledged = self.refused = 0

    async def send(self, kills: asyncio.Future[None]) -> None:
        """Until the last kill, and what was begun to its end."""
        while not kills.done():
            await self._until_stored(self.acknowledged + 1)
            self.acknowledged += 1

    async def _until_stored(self, sequence: int) -> None:
        deadline = time.monotonic() + SECONDS_WITHOUT_PROGRESS
        while True:
            try:
                taken = await self._ingest.put([beat(life, sequence) for life in self.lives])
            except Refused:
                assert time.monotonic() < deadline
                self.refused += 1
                await asyncio.sleep(0.05)
                continue
            assert {one.result for one in taken} <= {Result.STORED, Result.DUPLICATE}
            return


async def test_what_two_groups_under_way_acknowledged_is_there_once(
    postgres: LocalPostgres, stores: PostgresSupervision
) -> None:
    store, size = AtOnce(stores.database), 50
    ingest = Ingest(store, Counted(), FakeClock(), IngestLimits(beside=size, group=size))
    lives = [await stores.registry.allocate(somebody(), after=0) for _ in range(6 * size)]
    lanes = [Batches(ingest, lives[start : start + size]) for start in range(0, len(lives), size)]
    ingest.start()
    kills = asyncio.ensure_future(kill_at_random(postgres, 20261126))
    await asyncio.gather(kills, *(lane.send(kills) for lane in lanes))
    await ingest.stop()
    rows = await until_answered(
        lambda: stores.database.rows(
            b"SELECT contract_id, array_agg(sequence ORDER BY sequence) AS all FROM supervisor_heartbeats GROUP BY 1"
        ),
        [],
    )
    found = {row["contract_id"]: row["all"] for row in rows}
    for lane in lanes:
        assert all(found[life.contract_id] == list(range(1, lane.acknowledged + 1)) for life in lane.lives)
    assert sum(lane.refused for lane in lanes)
    assert store.most == 2


async def test_a_life_is_begun_once_whatever_happens_to_the_answer(
    postgres: LocalPostgres, stores: PostgresSupervision
) -> None:
    given = await stores.registry.allocate(somebody(), after=0)
    kills, failed = asyncio.ensure_future(kill_at_random(postgres, 5)), list[int]()
    while not kills.done():
        after = given.incarnation
        registration = uuid4()
        given = await until_answered(lambda g=given: stores.registry.allocate(g, after=g.incarnation), failed)
        assert given.incarnation == after + 1
        registered = await until_answered(
            lambda g=given, r=registration: stores.registry.register(g.contract_id, g.incarnation, r, "h", NOW), failed
        )
        assert registered.registration_id == registration
    await kills
    assert failed


async def test_listeners_come_back_by_themselves(postgres: LocalPostgres, stores: PostgresSupervision) -> None:
    someone = uuid4()
    async with asyncio.timeout(20):
        await stores.notifications.listening.wait()
    heard, failed = stores.registry.changes(), list[int]()
    await asyncio.to_thread(postgres.server.kill)
    async with asyncio.timeout(20):
        while stores.notifications.listening.is_set():
            await asyncio.sleep(0.01)
    await asyncio.to_thread(postgres.start)
    async with asyncio.timeout(40):
        await stores.notifications.listening.wait()
        await until_answered(lambda: stores.heartbeats.refresh([], announce=[someone]), failed)
        assert await anext(heard) == someone


async def test_a_frozen_server_is_noticed_by_who_listens(
    postgres: LocalPostgres, stores: PostgresSupervision, monkeypatch: pytest.MonkeyPatch
) -> None:
    from makima.adapters.postgres import notifications

    monkeypatch.setattr(notifications, "QUIET_SECONDS", 0.2)
    listener = notifications.Notifications(stores.database)
    await listener.open()
    async with asyncio.timeout(20):
        await listener.listening.wait()
    postgres.server.freeze()
    async with asyncio.timeout(30):
        while listener.listening.is_set():
            await asyncio.sleep(0.01)
    postgres.server.thaw()
    async with asyncio.timeout(30):
        await listener.listening.wait()
    await listener.close()
