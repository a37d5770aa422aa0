"""Moving on: as whom, what is refused, and what the refusal tells."""

from __future__ import annotations

import pytest

from makima.errors import Denied
from tests.support.rest_world import RestWorld

MOVE = {"expected_version": 1}


async def test_a_move_as_its_caller_with_the_whole_request_replaced() -> None:
    world = RestWorld()
    world.contract(deliverables=[], phases=[{"name": "plan"}, {"name": "execute"}])
    answer = await world.good("ann", "POST", "/ns:work/phase", {**MOVE, "reason": "go"})
    assert (answer["result"], answer["contract"]["phase"], answer["contract"]["version"]) == ("success", "execute", 2)
    assert world.server.wrote == [("patch", "work", "ann")]
    assert world.spec()["advance"] == {
        "to": "execute",
        "expectedVersion": 1,
        "confirmed": False,
        "force": False,
        "reason": "go",
    }


@pytest.mark.parametrize("to", [None, "Completed", "completed"])
async def test_completing_by_hand(to: str | None) -> None:
    world = RestWorld()
    world.active(phases=[{"name": "only"}])
    body = {"expected_version": world.status()["version"]} | ({"phase": to} if to else {})
    answer = await world.good("ann", "POST", "/ns:work/phase", body)
    assert answer["result"] == "success" and world.status()["state"] == "Completed"


REFUSED_MOVES = {
    "another version": ({"expected_version": 9}, 409, "VERSION_CONFLICT"),
    "gate not ready": ({"expected_version": 1}, 400, "VALIDATION_FAILED"),
    "not the next phase": ({"expected_version": 1, "phase": "review"}, 400, "VALIDATION_FAILED"),
    "may not confirm": ({"expected_version": 1, "force": True, "confirmed": True}, 403, "FORBIDDEN"),
}


@pytest.mark.parametrize("what", REFUSED_MOVES)
async def test_a_move_that_can_not_be_made_leaves_no_trace(what: str) -> None:
    body, status, code = REFUSED_MOVES[what]
    world = RestWorld()
    world.contract()
    before = world.cluster.objects["ns", "work"]
    assert await world.refused("ann", "POST", "/ns:work/phase", body) == (status, code)
    assert world.cluster.objects["ns", "work"] == before and not world.server.wrote


async def test_conflicts_and_guards_carry_what_one_needs_to_go_on() -> None:
    world = RestWorld()
    world.contract(phaseGuard=True, deliverables=[{"phase": "plan", "id": "plan-document"}])
    _, conflict = await world.call("ann", "POST", "/ns:work/phase", {"expected_version": 1})
    version = world.status()["version"]
    assert conflict["error"]["details"] == {"expected": 1, "actual": version, "current_phase": "plan"}
    _, guard = await world.call("ann", "POST", "/ns:work/phase", {"expected_version": version, "force": True})
    assert guard["error"]["code"] == "PHASE_GUARD_REQUIRED"
    shown = [(one["id"], one["completed"]) for one in guard["error"]["details"]["deliverables"]]
    assert shown == [("plan-document", True)]
    _, missing = await a_world_with_a_gate().call("ann", "POST", "/ns:work/phase", {"expected_version": 1})
    assert missing["error"]["details"]["missing_requirements"] == ["Deliverable: plan-document"]


def a_world_with_a_gate() -> RestWorld:
    world = RestWorld()
    world.contract()
    return world


async def test_who_may_confirm_passes_the_guard() -> None:
    world = RestWorld()
    world.contract(phaseGuard=True, deliverables=[{"phase": "plan", "id": "plan-document"}])
    body = {"expected_version": world.status()["version"], "confirmed": True}
    answer = await world.good("connie", "POST", "/ns:work/phase", body)
    assert (answer["result"], answer["contract"]["phase"]) == ("success", "execute")


async def test_a_policys_refusal_of_what_was_fine_is_explained_by_the_contract_as_it_is_now() -> None:
    world = RestWorld()
    world.contract(phases=[{"name": "plan"}, {"name": "execute"}])
    original = world.server.patch_contract

    async def overtaken(*arguments: object) -> object:
        world.cluster.patch_status("work", {"version": 5})
        raise Denied("VERSION_CONFLICT: expected 1, actual 5, phase plan", code="VERSION_CONFLICT", status=422)

    world.server.patch_contract = overtaken  # type: ignore[method-assign,assignment]
    status, answer = await world.call("ann", "POST", "/ns:work/phase", MOVE)
    assert (status, answer["error"]["details"]["actual"]) == (409, 5)
    world.server.patch_contract = original  # type: ignore[method-assign]


async def test_without_the_operator_a_wish_is_recorded_and_answered_with_202() -> None:
    world = RestWorld()
    world.contract(phases=[{"name": "plan"}, {"name": "execute"}])
    world.server.operator = False
    status, answer = await world.call("ann", "POST", "/ns:work/phase?wait=0.1", MOVE)
    assert (status, answer["result"], answer["contract"]["phase"]) == (202, "pending", "plan")
    assert world.spec()["advance"]["expectedVersion"] == 1


async def test_an_outcome_of_an_earlier_request_is_not_taken_for_this_ones() -> None:
    world = RestWorld()
    world.contract()
    world.cluster.patch_status(
        "work",
        {
            "advance": {"to": "execute", "expectedVersion": 1, "outcome": "ValidationFailed", "message": "x"},
            "observedGeneration": 1,
        },
    )
    world.server.operator = False
    status, answer = await world.call("ann", "POST", "/ns:work/phase?wait=0.1", {**MOVE, "force": True})
    assert (status, answer["result"]) == (202, "pending")
