"""Lives of supervisors under virtual time: how one begins, what ends it, and when the next one follows."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from makima.domain.token_bucket import Rate
from makima.errors import Denied
from makima.models.enums import SupervisorState
from makima.services.supervision.fleet_rates import FleetLimits
from tests.support.supervised import World, running


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
    assert world.lives.calls[done : done + 1] == ["status 2"]
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


async def test_the_pod_of_the_last_life_that_ended_by_itself_stays_for_its_log(world: World) -> None:
    await running(world)
    for life in (1, 2):
        world.lives.exits(f"a-{life}", 1)
        await world.until_quiet()
        await world.pass_time(30)
        assert world.pods() == [f"a-{life + 1}"]
        assert sorted(world.lives.pods) == [("ns", f"a-{life}"), ("ns", f"a-{life + 1}")]
    assert "delete pod a-1" in world.lives.calls and "delete pod a-2" not in world.lives.calls


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


async def test_a_spent_budget_is_the_end_until_the_contract_is_taken_up_again(world: World) -> None:
    await running(world, restart={"maxRestarts": 1})
    for life in (1, 2):
        world.lives.exits(f"a-{life}", 1)
        await world.until_quiet()
        await world.pass_time(30)
    assert world.alive() == "GivenUp"
    assert world.status()["state"] == "Failed"
    assert "restart budget spent" in world.status()["errorMessage"]
    assert world.counted.given_up == 1
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
