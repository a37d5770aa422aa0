"""Restarting a supervisor as somebody asks: exactly one life, through the contract's spec."""

from __future__ import annotations

import asyncio

import pytest

from makima.models.credential import Credential
from makima.models.wire.problem import Code
from makima.models.wire.wishes import RestartSupervisor, SupervisorRestarted
from makima.services.access.contract_lookup import ContractId
from makima.services.access.person import Person
from makima.services.refusals import Refused
from tests.support.people import somebody
from tests.support.rest_world import RestWorld

ANN = Person(somebody("ann"), Credential("ann"))


def carried(incarnation: int) -> RestWorld:
    """A contract that this life carries; no operator follows."""
    world = RestWorld()
    world.contract()
    if incarnation:
        reference = {"name": "work", "uid": "22222222-2222-4222-8222-222222222222", "incarnation": incarnation}
        world.cluster.patch_status("work", {"supervisorRef": reference})
    world.server.operator = False
    return world


async def restart(world: RestWorld, expected: int | None = None, seconds: float = 0.1) -> SupervisorRestarted:
    found = await world.use.lookup.find(ANN.identity, ContractId(namespace="ns", name="work"))
    call = RestartSupervisor(expected_incarnation=expected)
    return await world.use.contracts.restarts.restart(ANN, found, call, seconds)


@pytest.mark.parametrize(("incarnation", "expected", "code"), [(0, None, "SUPERVISOR_NOT_FOUND"), (2, 3, "CONFLICT")])
async def test_a_life_that_there_is_not_is_not_ended(incarnation: int, expected: int | None, code: str) -> None:
    world = carried(incarnation)
    with pytest.raises(Refused) as error:
        await restart(world, expected)
    assert error.value.problem.code is Code[code]
    assert not world.server.wrote


async def test_a_life_that_is_over_is_not_ended_again() -> None:
    world = carried(3)
    assert await restart(world, 2) == SupervisorRestarted(result="success", restarted=True, incarnation=3)
    assert not world.server.wrote


@pytest.mark.parametrize("expected", [None, 2])
async def test_the_wish_names_the_life_and_waits_for_the_next(expected: int | None) -> None:
    world = carried(2)
    waiting = asyncio.create_task(restart(world, expected, 30))
    while "restartSupervisor" not in world.spec():
        await asyncio.sleep(0)
    assert world.spec()["restartSupervisor"] == {"expectedIncarnation": 2}
    reference = {**world.status()["supervisorRef"], "incarnation": 3}
    world.cluster.patch_status("work", {"supervisorRef": reference, "observedGeneration": 99})
    assert await waiting == SupervisorRestarted(result="success", restarted=True, incarnation=3)


async def test_without_an_operator_it_is_recorded() -> None:
    found = await restart(carried(2))
    assert (found.result, found.restarted, found.incarnation) == ("pending", False, 2)
