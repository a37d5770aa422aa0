"""Whatever is killed, frozen or cut off while contracts run: all are Completed, nothing is skipped, doubled or lost."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.postgres.history import PostgresHistory
from makima.sandbox import Sandbox
from tests.support.fleet import Fleet
from tests.support.operator_process import StartOperator
from tests.support.silent_proxy import through_proxy

SIZE = 100
HALF = 50
"""Contracts under way while a server is away."""
SOME = 12
"""Contracts where their number adds nothing: the process itself is what is looked at."""

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("faults")]


async def until(what: str, condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.05)


@pytest.fixture
async def fleet(admin: Connection, namespace: str) -> Fleet:
    return await _created(admin, namespace, SIZE)


@pytest.fixture
async def half(admin: Connection, namespace: str) -> Fleet:
    return await _created(admin, namespace, HALF)


@pytest.fixture
async def some(admin: Connection, namespace: str) -> Fleet:
    return await _created(admin, namespace, SOME)


async def _created(admin: Connection, namespace: str, size: int) -> Fleet:
    fleet = Fleet(admin, namespace, size)
    await fleet.create()
    return fleet


async def test_an_operator_killed_at_random_moments_loses_and_doubles_nothing(
    fleet: Fleet, history: PostgresHistory, start_operator: StartOperator
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)
    operator = start_operator(operator__lease_duration_seconds=5)
    kept = asyncio.create_task(operator.keep_running())
    carried = asyncio.create_task(fleet.carry(250))
    for _ in range(6):
        before = fleet.progress()
        await until("progress", lambda seen=before: fleet.progress() > seen or carried.done(), 90)
        await asyncio.sleep(moments.uniform(0, 0.5))  # the moment of the kill is the random part of the test
        operator.kill()
    await carried
    kept.cancel()
    await fleet.assert_history(history)


async def test_postgres_killed_and_restarted_holds_nobody_up(
    half: Fleet, history: PostgresHistory, start_operator: StartOperator, own_sandbox: Sandbox
) -> None:
    kept = asyncio.create_task(start_operator().keep_running())
    carried = asyncio.create_task(half.carry(200))
    await until("progress", lambda: half.progress() > HALF)
    own_sandbox.database.server.kill()
    before = half.progress()
    await until("progress without Postgres", lambda: half.progress() > before + HALF or carried.done())
    await asyncio.to_thread(own_sandbox.database.server.start)
    await carried
    kept.cancel()
    await half.assert_history(history)


async def test_an_api_server_killed_and_restarted_is_waited_for(
    half: Fleet, history: PostgresHistory, start_operator: StartOperator, own_sandbox: Sandbox
) -> None:
    kept = asyncio.create_task(start_operator().keep_running())  # its lease may run out meanwhile: then it exits
    carried = asyncio.create_task(half.carry(200))
    await until("progress", lambda: half.progress() > HALF)
    own_sandbox.cluster.apiserver.kill()
    await asyncio.sleep(2)  # how long the outage lasts
    await asyncio.to_thread(own_sandbox.cluster.apiserver.start)
    await carried
    kept.cancel()
    await half.assert_history(history)


async def test_a_watch_that_goes_silent_is_noticed(
    some: Fleet, history: PostgresHistory, start_operator: StartOperator, own_sandbox: Sandbox, tmp_path: Path
) -> None:
    async with through_proxy(own_sandbox, tmp_path) as (proxy, kubeconfig):
        operator = start_operator(kubeconfig=kubeconfig, operator__watch_inactivity_seconds=3)
        kept = asyncio.create_task(operator.keep_running())
        carried = asyncio.create_task(some.carry(200))
        await until("progress", lambda: some.progress() > SOME)
        proxy.go_silent()
        await carried
        kept.cancel()
        await some.assert_history(history)


async def test_an_operator_frozen_past_its_lease_does_no_harm_when_it_thaws(
    some: Fleet, history: PostgresHistory, start_operator: StartOperator
) -> None:
    leader, standby = start_operator(), start_operator()
    carried = asyncio.create_task(some.carry(200))
    await until("progress", lambda: some.progress() > SOME)
    frozen = leader if "leading as" in leader.log.read_text() else standby
    other = standby if frozen is leader else leader
    frozen.signal(signal.SIGSTOP)
    await until("the standby to lead", lambda: "leading as" in other.log.read_text(), 40)
    frozen.signal(signal.SIGCONT)
    await carried
    await some.assert_history(history)
    await until("the one that was frozen to exit", lambda: not frozen.running, 30)


async def test_a_leader_that_is_told_to_stop_hands_over_at_once(
    some: Fleet, history: PostgresHistory, start_operator: StartOperator
) -> None:
    leader = start_operator().wait_ready()
    await until("a leader", lambda: "leading as" in leader.log.read_text())
    standby = start_operator().wait_ready()
    carried = asyncio.create_task(some.carry(200))
    await until("progress", lambda: some.progress() > SOME)
    assert leader.stop() == 0
    await until("the standby to lead", lambda: "leading as" in standby.log.read_text(), 4)
    await carried
    await some.assert_history(history)
