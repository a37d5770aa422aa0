"""Lives of supervisors under virtual time: the order of a restart, what ends a life, and what an outage does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from makima.domain.token_bucket import Rate
from makima.errors import Denied
from makima.models.enums import RestorationOutcome, SupervisorState
from makima.services.fleet_rates import FleetLimits
from tests.support.supervised import TEMPLATE, Driver, World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.lead()
    yield world
    for driver in list(world.operators):
        await world.end(driver)


async def running(world: World, **settings: object) -> UUID:
    """A supervisor whose first life is registered and heard of."""
    contract = world.create("a", **settings)
    await world.until(lambda: world.alive() == "Starting")
    world.lives.runs(world.pods()[0])
    world.register(contract)
    world.beat(contract)
    await world.until(lambda: world.alive() == "Heartbeating" and world.status()["state"] == "Working")
    await world.until(lambda: world.state() == "Active")
    return contract


async def test_a_life_begins_in_this_order(world: World) -> None:
    contract = await running(world)
    assert world.lives.calls[:5] == [
        "create supervisor",
        "status 1",
        "create pod a-1",
        "status 1 with pod",
        "status 1 with pod",
    ]
    status = world.status()
    assert world.postgres.rows[contract].pod_uid == UUID(status["podUid"])
    assert (status["podName"], status["incarnation"], status["restarts"]) == ("a-1", 1, 0)
    assert world.cluster.objects["ns", "a"]["status"]["supervisorRef"]["incarnation"] == 1


async def test_a_pod_that_exits_is_followed_by_the_next_life_after_the_back_off(world: World) -> None:
    contract = await running(world)
    done = len(world.lives.calls)
    world.lives.exits("a-1", 137, "OOMKilled")
    await world.until(lambda: world.status()["incarnation"] == 2)
    await world.until_quiet()
    assert world.lives.calls[done : done + 2] == ["status 2", "delete pod a-1"]
    assert world.status()["state"] == "Interrupted"
    assert "OOMKilled" in world.status()["errorMessage"]
    assert world.pods() == []
    await world.pass_time(9.9)
    assert world.pods() == []
    await world.pass_time(2.2)
    assert world.pods() == ["a-2"]
    await world.until(lambda: world.alive() == "Starting")
    assert world.postgres.rows[contract].incarnation == 2
    assert str(world.postgres.rows[contract].pod_uid) == world.status()["podUid"]
    assert world.status()["restarts"] == 1
    assert world.counted.restarts == ["Exited"]
    assert "SupervisorRestarted" in world.events.reasons()


async def test_a_pod_that_is_deleted_is_replaced_once_it_is_gone(world: World) -> None:
    await running(world)
    await world.lives.delete_pod("ns", "a-1", world.status()["podUid"])
    await world.until(lambda: world.status()["incarnation"] == 2)
    await world.pass_time(20)
    assert list(world.lives.pods) == [("ns", "a-1")], "the next one waits until the old one has ended"
    world.lives.vanishes("a-1")
    await world.until(lambda: world.pods() == ["a-2"])


async def test_a_pod_whose_node_is_gone_is_deleted_without_grace(world: World) -> None:
    await running(world)
    await world.lives.delete_pod("ns", "a-1", world.status()["podUid"])
    await world.until(lambda: world.status()["incarnation"] == 2)
    await world.pass_time(31)
    assert "delete pod a-1 at once" in world.lives.calls
    await world.until(lambda: world.pods() == ["a-2"])


async def test_a_pod_that_vanished_unseen_is_found_by_comparing(world: World) -> None:
    await running(world)
    del world.lives.pods["ns", "a-1"]
    await world.operators[0].supervise.compare()
    await world.until(lambda: world.status()["incarnation"] == 2)


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


async def test_a_spent_budget_is_the_end_until_the_contract_is_taken_up_again(world: World) -> None:
    await running(world, restart={"maxRestarts": 1})
    for life in (1, 2):
        world.lives.exits(f"a-{life}", 1)
        await world.until_quiet()
        await world.pass_time(30)
    assert world.alive() == "GivenUp"
    assert world.status()["state"] == "Failed"
    assert "restart budget spent" in world.status()["errorMessage"]
    await world.until(lambda: world.state() == "Failed")
    version = world.cluster.objects["ns", "a"]["status"]["version"]
    world.clock.advance(seconds=1)
    world.cluster.patch_spec("a", {"retry": {"expectedVersion": version}})
    await world.until(lambda: world.pods() == ["a-3"])
    await world.until(lambda: world.alive() == "Starting")
    assert (world.status()["restarts"], world.state()) == (0, "Active")


async def test_a_rule_can_fail_the_contract_at_once_or_leave_the_budget_alone(world: World) -> None:
    rules = [{"action": "FailContract", "exitCodes": [3]}, {"action": "Ignore", "exitCodes": [4]}]
    await running(world, restart={"rules": rules})
    world.lives.exits("a-1", 4)
    await world.until_quiet()
    await world.pass_time(30)
    assert (world.status()["incarnation"], world.status()["restarts"]) == (2, 0)
    world.lives.exits("a-2", 3)
    await world.until(lambda: world.alive() == "GivenUp")


async def test_a_drained_node_is_not_counted(world: World) -> None:
    await running(world)
    condition = {"type": "DisruptionTarget", "status": "True"}
    world.lives.exits("a-1", 143, conditions=[condition])
    await world.pass_time(30)
    assert (world.status()["incarnation"], world.status()["restarts"]) == (2, 0)


async def test_restart_supervisor_replaces_exactly_the_life_that_it_names(world: World) -> None:
    await running(world)
    world.cluster.patch_spec("a", {"restartSupervisor": {"expectedIncarnation": 1}})
    await world.until(lambda: "delete pod a-1" in world.lives.calls)
    world.lives.vanishes("a-1")
    await world.until(lambda: world.pods() == ["a-2"])
    await world.pass_time(60)
    assert (world.status()["incarnation"], world.status()["restarts"]) == (2, 0)


async def test_suspend_frees_the_pod_and_keeps_its_context(world: World) -> None:
    await running(world)
    world.lives.change("a", suspend=True)
    await world.until(lambda: "delete pod a-1" in world.lives.calls)
    world.lives.vanishes("a-1")
    await world.pass_time(600)
    assert (world.pods(), world.alive(), world.status()["incarnation"]) == ([], "Suspended", 1)
    world.lives.change("a", suspend=False)
    await world.until(lambda: world.pods() == ["a-2"])
    assert world.status()["restarts"] == 0


async def test_a_pod_that_is_released_while_a_person_is_asked_comes_back_with_the_answer(world: World) -> None:
    contract = await running(world, whileWaiting="Release")
    world.beat(contract, state=SupervisorState.WAITING_FOR_USER)
    await world.until(lambda: world.state() == "WaitingForInput")
    await world.until(lambda: "delete pod a-1" in world.lives.calls)
    world.lives.vanishes("a-1")
    await world.pass_time(86400)
    assert (world.pods(), world.alive(), world.state()) == ([], "Released", "WaitingForInput")
    assert world.status()["incarnation"] == 1


async def test_by_default_the_pod_stays_while_a_person_is_asked(world: World) -> None:
    contract = await running(world)
    world.beat(contract, state=SupervisorState.WAITING_FOR_USER)
    await world.until(lambda: world.state() == "WaitingForInput")
    await world.until_quiet()
    assert world.pods() == ["a-1"]


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


async def test_a_finished_contract_frees_the_pod_after_a_minute(world: World) -> None:
    await running(world)
    now = world.clock.now().isoformat()
    world.cluster.patch_status("a", {"state": "Completed", "finishedTime": now})
    await world.until_quiet()
    assert world.pods() == ["a-1"]
    await world.pass_time(61)
    assert "delete pod a-1" in world.lives.calls
    assert world.alive() == "Finished"


async def test_an_end_with_nothing_left_to_do_is_left_alone(world: World) -> None:
    contract = await running(world)
    world.beat(contract, state=SupervisorState.WAITING_FOR_USER)
    await world.until(lambda: world.state() == "WaitingForInput")
    world.lives.exits("a-1", 0, "Completed")
    await world.pass_time(600)
    assert (world.alive(), world.status()["incarnation"]) == ("Ended", 1)


async def test_a_supervisor_that_was_made_anew_goes_on_counting_lives(world: World) -> None:
    await running(world)
    body = world.lives.supervisors["ns", "a"]
    world.lives._changed(world.lives.supervisors, "DELETED", body)  # somebody deletes it
    del world.lives.pods["ns", "a-1"]
    await world.until(lambda: world.status().get("incarnation") == 2)
    await world.until(lambda: world.pods() == ["a-2"])


async def test_a_postgres_that_lost_commits_gives_no_life_out_again(world: World) -> None:
    contract = await running(world)
    world.postgres.rows[contract] = replace(world.postgres.rows[contract], incarnation=0)
    driver = world.operators[0]
    await world.end(driver)
    await world.lead()
    await world.until(lambda: world.status()["incarnation"] == 2)


async def test_a_pod_that_is_refused_is_an_event_and_is_tried_again(world: World) -> None:
    world.lives.refuse = Denied("exceeded quota: pods")
    world.create("a")
    await world.until(lambda: "PodNotStarted" in world.events.reasons())
    world.lives.refuse = None
    await world.pass_time(301)
    assert world.pods() == ["a-1"]


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


async def test_an_external_supervisor_is_asked_to_restart_once_and_is_alive_when_it_comes_back(world: World) -> None:
    contract = world.external("a")
    row = world.lives.supervisors["ns", "a"]["metadata"]["uid"]
    await world.postgres.allocate(_session(contract, row), after=0)
    world.register(contract)
    world.beat(contract)
    await world.until(lambda: world.alive() == "Heartbeating")
    await world.pass_time(121)
    assert (world.alive(), world.status()["state"]) == ("TimedOut", "Interrupted")
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


def _session(contract: UUID, task: str):  # type: ignore[no-untyped-def]
    from makima.models.supervision import Session

    return Session(contract, UUID(task), "ns", "a", 0)


async def test_thousands_that_die_at_once_come_back_at_the_rate_of_the_fleet(world: World) -> None:
    await world.end(world.operators[0])
    await world.lead(FleetLimits(restarts=Rate(10, 10)))
    names = [f"c{number}" for number in range(60)]
    for name in names:
        world.create(name, restart={"backoff": {"seconds": 0}})
    await world.until(lambda: len(world.pods()) == 60, 20)
    await world.until(lambda: all(world.alive(name) == "Starting" for name in names), 20)
    for name in names:
        world.lives.exits(f"{name}-1", 1)
    await world.until_quiet()
    assert sum(world.status(name)["incarnation"] == 2 for name in names) == 10
    await world.pass_time(2)
    assert sum(world.status(name)["incarnation"] == 2 for name in names) == 30
    await world.pass_time(4)
    assert all(world.status(name)["incarnation"] == 2 for name in names)


class PowerCutError(Exception):
    """The operator is gone in the middle."""


CALLS_OF_TWO_LIVES = 9


@pytest.mark.parametrize("number", range(CALLS_OF_TWO_LIVES))
@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
async def test_another_operator_goes_on_where_one_was_killed(world: World, number: int, after: bool) -> None:
    """At each call of a first life and its restart: one pod in the end, and no life is skipped or counted twice."""
    left = number

    def cut(_call: str) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            raise PowerCutError

    if after:
        world.lives.after = cut
    else:
        world.lives.before = cut
    contract = world.create("a")
    await _carried_on(world)
    world.lives.exits(world.pods()[0], 1)
    await _carried_on(world, 30)
    assert len(world.pods()) == 1
    assert world.status()["podUid"] == world.lives.pods["ns", world.pods()[0]]["metadata"]["uid"]
    assert world.postgres.rows[contract].incarnation == world.status()["incarnation"] == 2
    assert str(world.postgres.rows[contract].pod_uid) == world.status()["podUid"]
    assert world.status()["restarts"] == 1


async def _carried_on(world: World, seconds: float = 0) -> None:
    """The operator works until it is cut off or has nothing to do; then another one takes over."""
    for _ in range(2):
        await world.pass_time(seconds)
        await world.end(world.operators[0])
        await world.lead()
        await world.until_quiet()


async def test_two_operators_at_once_make_one_pod_of_each_life(world: World) -> None:
    """As when a frozen leader wakes up: neither does again what the other did."""
    await world.lead()
    contract = await running(world)
    world.lives.exits("a-1", 1)
    await world.until_quiet()
    await world.pass_time(30)
    await world.pass_time(30)
    assert world.pods() == ["a-2"]
    assert len({call for call in world.lives.calls if call.startswith("create pod")}) == 2
    assert world.postgres.rows[contract].incarnation == 2
    assert world.status()["restarts"] == 1


async def test_a_leader_that_slept_makes_no_pod_of_a_life_that_is_over(world: World) -> None:
    await running(world)
    asleep: Driver = world.operators[0]
    world.operators.clear()
    awake = await world.lead()
    world.lives.exits("a-1", 1)
    await world.until_quiet()
    await world.pass_time(30)
    assert world.pods() == ["a-2"]
    world.operators.append(asleep)
    asleep.supervise.see_pod("DELETED", {**world.lives.pods["ns", "a-2"], "metadata": {}} | _old_pod(world))
    await world.until_quiet()
    assert world.pods() == ["a-2"]
    assert world.status()["incarnation"] == 2
    await world.end(awake)


def _old_pod(world: World):  # type: ignore[no-untyped-def]
    body = world.lives.pods["ns", "a-2"]
    labels = {**body["metadata"]["labels"], "makima.dev/incarnation": "1"}
    return {**body, "metadata": {**body["metadata"], "name": "a-1", "uid": "gone", "labels": labels}}


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
