"""What the Supervisor resource shows and follows, and how often it is written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makima.domain.supervision.heartbeat_times import HeartbeatTimes
from makima.domain.token_bucket import Rate
from makima.models.enums import RestorationOutcome, SupervisorState
from makima.services.supervision.fleet_rates import FleetLimits
from tests.support.supervised import TEMPLATE, World, running


async def test_the_supervisor_follows_the_contract_but_keeps_its_own_suspension(world: World) -> None:
    await running(world)
    world.lives.change("a", suspend=True)
    settings = {"template": TEMPLATE, "heartbeatPeriodSeconds": 5, "heartbeatTimeoutSeconds": 20}
    world.cluster.patch_spec("a", {"supervisor": settings})
    await world.until(lambda: world.lives.supervisors["ns", "a"]["spec"].get("heartbeatTimeoutSeconds") == 20)
    assert world.lives.supervisors["ns", "a"]["spec"]["suspend"] is True


async def test_a_supervisor_that_somebody_applied_is_left_as_it_is(world: World) -> None:
    contract = world.external("a", template=TEMPLATE, heartbeatTimeoutSeconds=99)
    world.cluster.patch_spec("a", {"supervisor": {"template": TEMPLATE}})
    await world.until(lambda: world.pods() == ["a-1"])
    assert world.lives.supervisors["ns", "a"]["spec"]["heartbeatTimeoutSeconds"] == 99
    assert world.postgres.rows[contract].incarnation == 1


def times(world: World) -> tuple[object, object]:
    """What the Supervisor says of heartbeats: their period, and the silence that ends a life."""
    spec = world.lives.supervisors.get(("ns", "a"), {}).get("spec", {})
    return spec.get("heartbeatPeriodSeconds"), spec.get("heartbeatTimeoutSeconds")


@pytest.mark.parametrize("hand", ["create", "external"])
async def test_heartbeats_that_nobody_says_are_the_operators_settings(world: World, hand: str) -> None:
    await lead_with(world, HeartbeatTimes(7, 21))
    getattr(world, hand)("a")
    await world.until(lambda: times(world) == (7, 21))
    await world.until_quiet()
    assert world.lives.calls.count("change spec") == (1 if hand == "external" else 0)


async def test_what_is_said_of_heartbeats_is_kept_and_the_timeout_is_longer_in_every_mixture(world: World) -> None:
    await lead_with(world, HeartbeatTimes(7, 21))
    world.create("a", heartbeatTimeoutSeconds=6)
    await world.until(lambda: ("ns", "a") in world.lives.supervisors)
    assert times(world) == (3, 6)


async def test_a_supervisor_that_is_made_keeps_its_heartbeats_when_the_settings_change(world: World) -> None:
    await running(world)
    await world.until_quiet()
    before = world.lives.calls.count("change spec")
    await lead_with(world, HeartbeatTimes(1, 3))
    await world.until_quiet()
    assert (times(world), world.lives.calls.count("change spec")) == ((30, 120), before)


async def lead_with(world: World, heartbeats: HeartbeatTimes) -> None:
    """The operator is replaced by one with these settings."""
    await world.end(world.operators[0])
    world.heartbeats = heartbeats
    await world.lead()


async def test_a_contract_costs_nothing_here_until_it_has_or_wants_a_supervisor(world: World) -> None:
    world.unsupervised()
    await world.until(lambda: world.state() == "Created")
    await world.until_quiet()
    assert world.operators[0].supervise.cache.carriers() == []
    world.apply_supervisor()
    await world.until(lambda: world.state() == "Active")


async def test_states_reach_the_resource_at_once_and_the_rest_within_the_budget(world: World) -> None:
    contract = await running(world)
    await world.until_quiet()
    done = len(world.lives.calls)
    for progress in range(10):
        world.clock.advance(seconds=1)
        world.beat(contract, progress=progress)
    await world.until_quiet()
    assert len(world.lives.calls) == done
    world.beat(contract, progress=50, state=SupervisorState.WAITING_FOR_TASKS)
    await world.until(lambda: world.status()["state"] == "WaitingForTasks")
    assert world.status()["progress"] == 50
    world.beat(contract, progress=60, state=SupervisorState.WAITING_FOR_TASKS)
    await world.pass_time(31)
    assert world.status()["progress"] == 60
    assert len(world.lives.calls) == done + 2


async def test_how_it_came_back_is_a_status_an_event_and_a_count(world: World) -> None:
    contract = await running(world)
    world.lives.exits("a-1", 1)
    await world.until_quiet()
    await world.pass_time(30)
    world.register(contract)
    at = world.clock.now()
    world.write(contract, restoration=RestorationOutcome.RESUMED, restoration_text="at message 7", restored_at=at)
    await world.until(lambda: world.status().get("restoration", {}).get("outcome") == "Resumed")
    assert world.counted.restorations == ["resumed"]
    assert "SupervisorRestored" in world.events.reasons()


async def test_the_age_of_what_is_shown_is_bounded_by_the_budget(world: World) -> None:
    await world.end(world.operators[0])
    await world.lead(FleetLimits(writes=Rate(5, 5), refresh=timedelta(seconds=10)))
    contracts = {f"c{number}": world.create(f"c{number}") for number in range(40)}
    await world.until(lambda: all(world.alive(name) == "Starting" for name in contracts), 20)
    for contract in contracts.values():
        world.register(contract)
        world.beat(contract)
    await world.until(lambda: all(world.alive(name) == "Heartbeating" for name in contracts), 20)
    await world.until_quiet()
    world.clock.advance(seconds=11)
    for contract in contracts.values():
        world.beat(contract, progress=77)
    await world.until_quiet()
    shown = [world.status(name)["progress"] == 77 for name in contracts]
    assert 1 <= sum(shown) <= 6
    await world.pass_time(40 / 5)
    assert all(world.status(name)["progress"] == 77 for name in contracts)
