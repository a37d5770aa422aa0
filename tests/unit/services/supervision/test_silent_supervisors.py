"""Silence under virtual time: when it ends a life, and that an outage of ours ends none."""

from __future__ import annotations

from uuid import UUID

import pytest

from makima.models.enums import SupervisorState
from makima.models.supervision import Session
from tests.support.supervised import World, running


async def test_silence_that_was_covered_ends_a_life(world: World) -> None:
    await running(world)
    await world.pass_time(119)
    assert world.status()["incarnation"] == 1
    await world.pass_time(2)
    assert world.status()["incarnation"] == 2
    assert world.alive() == "TimedOut"
    assert "delete pod a-1" in world.lives.calls
    assert "SupervisorSilent" in world.events.reasons()
    world.lives.vanishes("a-1")
    await world.pass_time(13)
    assert world.pods() == ["a-2"]


async def test_silence_while_postgres_was_away_ends_nobody(world: World) -> None:
    contract = await running(world)
    world.postgres.away = True
    await world.pass_time(500)
    world.postgres.away = False
    world.beat(contract)
    await world.pass_time(100)
    assert world.status()["incarnation"] == 1


async def test_what_was_found_of_a_life_is_in_postgres_once_that_is_back(world: World) -> None:
    contract = await running(world)
    world.cluster.patch_spec("a", {"suspend": True})
    await world.until(lambda: world.state() == "Paused")
    world.postgres.away = True
    world.lives.exits("a-1", 1)
    await world.until(lambda: world.status()["state"] == "Interrupted")
    world.postgres.away = False
    await world.pass_time(60)
    assert world.postgres.rows[contract].state is SupervisorState.INTERRUPTED


async def test_silence_without_coverage_ends_nobody(world: World) -> None:
    await running(world)
    world.postgres.spans_by_start.clear()
    world.covered(-60, 60)
    await world.pass_time(1000)
    assert world.status()["incarnation"] == 1


async def test_a_pod_that_waits_for_a_node_is_not_silent(world: World) -> None:
    world.create("a")
    await world.until(lambda: world.alive() == "Starting")
    await world.pass_time(5000)
    assert world.status()["incarnation"] == 1


async def test_a_pod_that_runs_but_never_registers_is_replaced(world: World) -> None:
    world.create("a")
    await world.until(lambda: world.alive() == "Starting")
    world.lives.runs("a-1")
    await world.pass_time(121)
    assert world.status()["incarnation"] == 2


@pytest.mark.parametrize("away", ["postgres", "lives"])
async def test_an_exit_during_an_outage_is_acted_on_once_afterwards(world: World, away: str) -> None:
    await running(world)
    getattr(world, away).away = True
    world.lives.exits("a-1", 1)
    await world.pass_time(300)
    assert world.status()["incarnation"] == 1
    getattr(world, away).away = False
    await world.pass_time(60)
    await world.pass_time(60)
    assert world.pods() == ["a-2"]
    assert world.status()["restarts"] == 1


async def test_while_paused_silence_means_nothing_and_an_end_waits(world: World) -> None:
    await running(world)
    world.cluster.patch_spec("a", {"suspend": True})
    await world.until(lambda: world.state() == "Paused")
    await world.pass_time(1000)
    assert world.status()["incarnation"] == 1
    world.lives.exits("a-1", 1)
    await world.pass_time(100)
    assert (world.status()["incarnation"], world.alive()) == (1, "Exited")
    world.cluster.patch_spec("a", {"suspend": False})
    await world.until(lambda: world.status()["incarnation"] == 2)


async def test_a_resumed_supervisor_gets_its_whole_timeout(world: World) -> None:
    await running(world)
    world.cluster.patch_spec("a", {"suspend": True})
    await world.until(lambda: world.state() == "Paused")
    await world.pass_time(1000)
    world.cluster.patch_spec("a", {"suspend": False})
    await world.until(lambda: world.state() == "Active")
    await world.pass_time(110)
    assert world.status()["incarnation"] == 1


async def test_an_external_supervisor_is_asked_to_restart_once_and_is_alive_when_it_comes_back(world: World) -> None:
    contract = world.external("a")
    row = world.lives.supervisors["ns", "a"]["metadata"]["uid"]
    await world.postgres.allocate(_session(contract, row), after=0)
    world.register(contract)
    world.beat(contract)
    await world.until(lambda: world.alive() == "Heartbeating")
    await world.pass_time(121)
    assert (world.alive(), world.status()["state"]) == ("TimedOut", "Interrupted")
    await world.until(lambda: world.postgres.rows[contract].state is SupervisorState.INTERRUPTED)
    (asked,) = world.postgres.commands.values()
    assert (asked.kind.value, asked.payload["incarnation"]) == ("Restart", 1)
    await world.pass_time(500)
    assert len(world.postgres.commands) == 1
    world.beat(contract)
    await world.until(lambda: world.alive() == "Heartbeating")
    await world.postgres.allocate(_session(contract, row), after=1)
    world.register(contract)
    await world.until(lambda: world.status()["incarnation"] == 2)
    assert world.lives.pods == {}


def _session(contract: UUID, task: str) -> Session:
    return Session(contract, UUID(task), "ns", "a", 0)
