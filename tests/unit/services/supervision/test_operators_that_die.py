"""Operators that are killed between any two calls, run side by side, or sleep: no pod is made twice."""

from __future__ import annotations

import pytest

from makima.ports import JsonObject
from tests.support.supervised import Driver, World, running


class PowerCutError(Exception):
    """The operator is gone in the middle."""


CALLS_OF_TWO_LIVES = 8


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


def _old_pod(world: World) -> JsonObject:
    body = world.lives.pods["ns", "a-2"]
    labels = {**body["metadata"]["labels"], "makima.dev/incarnation": "1"}
    return {**body, "metadata": {**body["metadata"], "name": "a-1", "uid": "gone", "labels": labels}}
