"""Processes that are killed, frozen, stopped and doubled; and what was acknowledged is there, once."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from makima import database
from makima.adapters.kubernetes.connection import Connection
from makima.models.enums import CommandKind
from makima.models.supervision import StoredCommand
from makima.sandbox import Sandbox
from makima.sandbox.postgres import LocalPostgres
from tests.support.api_process import ApiUnderTest, StartApi, apis
from tests.support.carried_world import CarriedWorld, address, beat
from tests.support.own_postgres import open_stores, own_server

REGISTER = "/api/v1/supervisors/register"
Life = dict[str, Any]


async def _life(world: CarriedWorld, api: ApiUnderTest, token: str, name: str = "work", **call: Any) -> Life:
    if not call:
        await world.contract(name, supervisor={})
    life: Life = await world.caller(api, token).good("POST", REGISTER, world.registration(name, **call))
    return life


@dataclass
class Load:
    """Supervisors that send heartbeats, one after the other, and repeat what was not acknowledged."""

    world: CarriedWorld
    token: str
    urls: list[ApiUnderTest]
    acknowledged: dict[str, list[int]] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, life: Life) -> None:
        """One supervisor's life."""
        known = self.acknowledged.setdefault(life["contract_id"], [])
        sequence = 1
        while not self.stop.is_set():
            api = self.urls[hash(life["contract_id"]) % len(self.urls)]
            try:
                caller = self.world.caller(api, self.token)
                status, _ = await caller.call("POST", address(life), beat(life, sequence))
            except (aiohttp.ClientError, TimeoutError):
                status = 0
            self.answers[status] += 1
            if status == 200:
                known.append(sequence)
                sequence += 1
            else:
                await asyncio.sleep(0.05)

    async def stored(self, contract_id: str) -> list[int]:
        """Sequences in Postgres."""
        found = await self.world.store.heartbeats.recent(UUID(contract_id), 100_000)
        return sorted(item.sequence for item in found)


@pytest.fixture
def own_postgres(sandbox: Sandbox, tmp_path: Path) -> Iterator[LocalPostgres]:
    """A Postgres of the test's own, to be killed."""
    with own_server("api", tmp_path) as server:
        yield server


async def test_a_killed_postgres_loses_nothing_acknowledged_and_doubles_nothing(
    admin: Connection, namespace: str, installed_cluster: Sandbox, own_postgres: LocalPostgres, tmp_path: Path
) -> None:
    url = own_postgres.create_database("killed")
    await asyncio.to_thread(database.upgrade, url, "head", 60)
    async with _world(admin, namespace, url) as world:
        with apis(installed_cluster, url, tmp_path) as start:
            api = await asyncio.to_thread(start)
            token = await world.account("agent", "makima-supervise")
            lives = [await _life(world, api, token, f"work-{n}") for n in range(8)]
            load = Load(world, token, [api])
            carriers = [asyncio.create_task(load.carry(life)) for life in lives]
            for _ in range(3):
                await _grown(load, 100)
                await asyncio.to_thread(own_postgres.server.kill)
                await _until(lambda: load.answers[503] > 0, 30)
                load.answers[503] = 0
                await asyncio.to_thread(own_postgres.start)
            await _grown(load, 100)
            load.stop.set()
            await asyncio.gather(*carriers)
            for contract_id, known in load.acknowledged.items():
                assert await load.stored(contract_id) == known


@asynccontextmanager
async def _world(admin: Connection, namespace: str, url: str) -> AsyncIterator[CarriedWorld]:
    total = aiohttp.ClientTimeout(total=40)
    async with open_stores(url) as store, aiohttp.ClientSession(timeout=total) as http:
        yield CarriedWorld(admin, namespace, store, http)


async def _grown(load: Load, by: int) -> None:
    before = load.answers[200]
    await _until(lambda: load.answers[200] >= before + by, 60)


async def _until(holds: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_killed_api_process_loses_nothing_acknowledged(
    world: CarriedWorld, start_api: StartApi, agent: str
) -> None:
    api = start_api()
    lives = [await _life(world, api, agent, f"work-{n}") for n in range(8)]
    load = Load(world, agent, [api])
    carriers = [asyncio.create_task(load.carry(life)) for life in lives]
    await _grown(load, 200)
    api.kill()
    await asyncio.to_thread(api.start)
    await _grown(load, 200)
    load.stop.set()
    await asyncio.gather(*carriers)
    for contract_id, known in load.acknowledged.items():
        assert await load.stored(contract_id) == known


async def test_a_process_that_is_told_to_end_finishes_its_calls(
    world: CarriedWorld, start_api: StartApi, agent: str
) -> None:
    api = start_api()
    lives = [await _life(world, api, agent, f"work-{n}") for n in range(8)]
    load = Load(world, agent, [api])
    carriers = [asyncio.create_task(load.carry(life)) for life in lives]
    await _grown(load, 100)
    assert await asyncio.to_thread(api.stop) == 0
    load.stop.set()
    await asyncio.gather(*carriers)
    for contract_id, known in load.acknowledged.items():
        stored = await load.stored(contract_id)
        assert stored[: len(known)] == known
        assert len(stored) <= len(known) + 1
    rows = await world.store.registry.sessions([UUID(life["contract_id"]) for life in lives])
    for contract, row in rows.items():
        assert row.sequence >= len(load.acknowledged[str(contract)]), "the row was flushed with the rest"


async def test_two_replicas_with_stale_caches_accept_no_write_of_an_older_life(
    world: CarriedWorld, start_api: StartApi, agent: str
) -> None:
    one, other = start_api(), start_api()
    first = await _life(world, one, agent)
    for api in (one, other):  # both know the first life
        await world.caller(api, agent).good("POST", address(first), beat(first, 1 if api is one else 2))
    second = await _life(world, other, agent, take_over=True)
    for api in (one, other):
        caller = world.caller(api, agent)
        for rest, body in (
            ("heartbeat", beat(first, 9)),
            ("tasks", {"incarnation": 1, "id": str(uuid4()), "name": "late"}),
            ("deliverables", {"incarnation": 1, "phase": "plan", "id": "plan-document"}),
        ):
            assert await caller.refused("POST", address(first, rest), body) == (409, "SUPERSEDED")
        assert (await caller.good("POST", address(second), beat(second, 1)))["sequence"] == 1
    stored = await world.store.heartbeats.recent(UUID(first["contract_id"]), 10)
    assert sorted((item.incarnation, item.sequence) for item in stored) == [(1, 1), (1, 2), (2, 1)]
    assert not (await world.status("work")).get("deliverables")


async def test_a_command_reaches_a_supervisor_whichever_replica_it_asks(
    world: CarriedWorld, start_api: StartApi, agent: str
) -> None:
    one, other = start_api(), start_api()
    life = await _life(world, one, agent)
    polls = [
        asyncio.create_task(world.caller(api, agent).good("GET", address(life, "commands?wait=20")))
        for api in (one, other)
    ]
    await asyncio.sleep(0.5)
    began = asyncio.get_running_loop().time()
    command = StoredCommand(uuid4(), UUID(life["contract_id"]), CommandKind.STOP, datetime.now(UTC))
    await world.store.commands.put([command])
    for found in await asyncio.gather(*polls):
        assert [item["id"] for item in found["commands"]] == [str(command.id)]
    assert asyncio.get_running_loop().time() - began < 1
    for sequence, api in enumerate((one, other), 1):
        answer = await world.caller(api, agent).good("POST", address(life), beat(life, sequence))
        assert [item["kind"] for item in answer["commands"]] == ["stop"]


async def test_coverage_goes_on_while_heartbeats_can_be_taken_and_breaks_with_a_frozen_process(
    world: CarriedWorld, start_api: StartApi
) -> None:
    began = datetime.now(UTC)
    api = start_api()

    async def spans() -> list[tuple[datetime, datetime]]:
        found = await world.store.coverage.spans(began)
        return [(span.started_at, span.until_at) for span in found if span.started_at >= began]

    await _covered(spans, lambda found: any(until - start >= timedelta(seconds=3) for start, until in found))
    api.signal(signal.SIGSTOP)
    frozen = datetime.now(UTC)
    await asyncio.sleep(8)  # longer than a process may be late: this is what is tested
    api.signal(signal.SIGCONT)
    await _covered(spans, lambda found: any(start > frozen + timedelta(seconds=6) for start, _ in found))
    assert not any(start <= frozen and until > frozen + timedelta(seconds=3) for start, until in await spans())


async def _covered(spans: Any, holds: Callable[[list[tuple[datetime, datetime]]], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds(await spans()):
            await asyncio.sleep(0.1)


async def test_without_the_feature_there_are_no_routes_no_timers_and_no_writes(
    world: CarriedWorld, start_api: StartApi, agent: str
) -> None:
    api = start_api(feature_flags__supervisor_heartbeat="false")
    began = datetime.now(UTC)
    caller = world.caller(api, agent)
    assert await caller.refused("POST", REGISTER, world.registration("work")) == (404, "NOT_FOUND")
    assert await caller.refused("POST", "/api/v1/supervisors/heartbeats", {"heartbeats": []}) == (404, "NOT_FOUND")
    await asyncio.sleep(3)  # longer than a look of the coverage takes
    assert not [span for span in await world.store.coverage.spans(began) if span.started_at >= began]


async def test_readiness_does_not_depend_on_postgres(start_api: StartApi) -> None:
    api = start_api(database_url="postgresql://nobody@127.0.0.1:1/nothing")
    assert api.get("health", "/readyz")[0] == 200
    assert api.get("health", "/healthz")[0] == 200


async def test_memory_is_flat_while_postgres_is_away(
    world: CarriedWorld, start_api: StartApi, api: ApiUnderTest, agent: str
) -> None:
    life = await _life(world, api, agent)
    away = start_api(database_url="postgresql://nobody@127.0.0.1:1/nothing")
    caller = world.caller(away, agent)
    status, answer = await caller.call("POST", address(life), beat(life))
    assert (status, answer["error"]["code"]) == (503, "UNAVAILABLE")
    before = away.memory()
    big = {"incarnation": 1, "first_sequence": 1, "messages": [_message("x" * 900_000)]}

    async def send(number: int) -> int:
        async with world.http.post(
            away.url + address(life, "messages" if number % 2 else "heartbeat"),
            json=big if number % 2 else beat(life, number + 1),
            headers=caller.headers,
        ) as reply:
            assert int(reply.headers["Retry-After"]) >= 1
            return reply.status

    async def after_many(calls: int) -> int:
        assert set(await asyncio.gather(*(send(n) for n in range(calls)))) == {503}
        return away.memory()

    assert await after_many(100) - before < 50_000_000
    second, third = await after_many(50), await after_many(50)  # 25 messages of 900 kB each
    assert second - before < 50_000_000
    assert third - second < 10_000_000


def _message(content: str) -> dict[str, str]:
    return {"id": str(uuid4()), "role": "assistant", "content": content}
