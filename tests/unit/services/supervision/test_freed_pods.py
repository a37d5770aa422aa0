"""Pods that nobody needs for a while are freed, and come back."""

from __future__ import annotations

from makima.models.enums import SupervisorState
from tests.support.supervised import World, running


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


async def test_a_finished_contract_frees_the_pod_after_a_minute(world: World) -> None:
    await running(world)
    now = world.clock.now().isoformat()
    world.cluster.patch_status("a", {"state": "Completed", "finishedTime": now})
    await world.until_quiet()
    assert world.pods() == ["a-1"]
    await world.pass_time(61)
    assert "delete pod a-1" in world.lives.calls
    assert world.alive() == "Finished"
