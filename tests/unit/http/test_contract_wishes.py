"""Deliverables, answers, auto-complete; contracts made and deleted."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from makima.errors import Conflict
from tests.support.fakes import START
from tests.support.rest_world import RestWorld


@pytest.mark.parametrize("name", ["id", "deliverable_id"])
async def test_a_deliverable_once(name: str) -> None:
    world = RestWorld()
    world.contract(deliverables=[])
    body = {name: "plan-document", "digest": f"sha256:{'a' * 64}"}
    answer = await world.good("ann", "POST", "/ns:work/deliverables", body)
    assert (answer["result"], answer["changed"], answer["deliverable"]["completed"]) == ("success", True, True)
    again = await world.good("ann", "POST", "/ns:work/deliverables", {**body, "phase": "plan"})
    assert (again["changed"], len(world.spec()["deliverables"])) == (False, 1)


async def test_a_deliverable_that_there_is_not() -> None:
    world = RestWorld()
    world.contract(deliverables=[])
    for body in ({"id": "nonsense"}, {"id": "pull-request"}, {"id": "plan-document", "phase": "execute"}):
        status, answer = await world.call("ann", "POST", "/ns:work/deliverables", body)
        assert (status, answer["error"]["code"]) == (400, "INVALID_DELIVERABLE")
        assert {"phase": "plan", "id": "plan-document"} in answer["error"]["details"]["valid"]
    assert not world.server.wrote


def asked(world: RestWorld, number: int) -> UUID:
    question = {
        "id": str(UUID(int=number)),
        "question": "why?",
        "type": "free-text",
        "phase": "plan",
        "askedTime": START.isoformat(),
    }
    world.cluster.patch_status("work", {"questions": [*world.status().get("questions", []), question]})
    return UUID(int=number)


async def test_an_answer_once_and_the_first_one_stays() -> None:
    world = RestWorld()
    world.contract(answers=[])
    question = asked(world, 1)
    path = f"/ns:work/questions/{question}/answer"
    answer = await world.good("ann", "POST", path, {"answer": "because"})
    assert (answer["result"], answer["changed"]) == ("success", True)
    assert (await world.good("ann", "POST", path, {"answer": "because"}))["changed"] is False
    assert await world.refused("ann", "POST", path, {"answer": "why not"}) == (409, "CONFLICT")
    other = f"/ns:work/questions/{uuid4()}/answer"
    assert await world.refused("ann", "POST", other, {"answer": "x"}) == (404, "NOT_FOUND")


Calls = tuple[str, str, dict[str, object] | None]
GIVEN: dict[str, Calls] = {
    "deliverable": ("POST", "/ns:work/deliverables", {"id": "plan-document"}),
    "answer": ("POST", f"/ns:work/questions/{UUID(int=1)}/answer", {"answer": "because"}),
    "status": ("POST", "/ns:work/status", {"status": "paused"}),
    "auto-complete": ("PUT", "/ns:work/auto-complete", {"enabled": False}),
    "phase": ("POST", "/ns:work/phase", {"expected_version": 1, "force": True}),
    "delete": ("DELETE", "/ns:work?expected_version=1", None),
}


@pytest.mark.parametrize("what", GIVEN)
async def test_a_contract_that_changes_all_the_time_is_a_conflict_that_says_to_try_again(what: str) -> None:
    world = RestWorld()
    world.contract(answers=[], deliverables=[])
    asked(world, 1)
    world.server.refuse = Conflict("the object has been modified")
    method, path, body = GIVEN[what]
    status, answer = await world.call("ann", method, path, body)
    assert (status, answer["error"]["code"]) == (409, "CONFLICT"), answer
    assert "again" in answer["error"]["hint"] and not world.server.wrote


async def test_answers_to_closed_questions_make_room() -> None:
    world = RestWorld()
    world.contract(answers=[{"questionId": str(UUID(int=n)), "answer": "x"} for n in range(100, 116)])
    question = asked(world, 1)
    await world.good("ann", "POST", f"/ns:work/questions/{question}/answer", {"answer": "because"})
    assert [one["questionId"] for one in world.spec()["answers"]] == [str(question)]


async def test_auto_complete_is_switched() -> None:
    world = RestWorld()
    world.contract()
    answer = await world.good("ann", "PUT", "/ns:work/auto-complete", {"enabled": False})
    assert answer["auto_complete_enabled"] is answer["auto_complete"] is False
    assert world.spec()["autoComplete"] is False


async def test_a_contract_is_made_and_deleted() -> None:
    world = RestWorld()
    made = await world.good(
        "ann", "POST", "", {"namespace": "ns", "name": "new", "spec": {"type": "execute"}, "labels": {"a": "b"}}
    )
    assert (made["name"], made["accepted"], made["phase"]) == ("new", True, "execute")
    assert await world.refused("ann", "POST", "", {"namespace": "ns", "name": "new"}) == (409, "CONFLICT")
    path = f"/{made['uid']}"
    assert await world.refused("ann", "DELETE", f"{path}?expected_version=4") == (409, "VERSION_CONFLICT")
    gone = await world.good("ann", "DELETE", f"{path}?expected_version=1")
    assert gone["deleted"] and gone["contract"]["name"] == "new"
    assert not world.cluster.objects


async def test_an_unaccepted_new_contract_is_there_all_the_same() -> None:
    world = RestWorld()
    world.server.operator = False
    status, made = await world.call("ann", "POST", "?wait=0.1", {"namespace": "ns", "generate_name": "x-"})
    assert (status, made["accepted"]) == (201, False)
