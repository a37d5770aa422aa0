"""Pausing, going on, retrying, archiving over REST."""

from __future__ import annotations

import pytest

from makima.errors import Denied
from tests.support.fakes import START
from tests.support.rest_world import RestWorld


async def test_pause_go_on_and_archive() -> None:
    world = RestWorld()
    world.contract()
    paused = await world.good("ann", "POST", "/ns:work/status", {"status": "paused", "reason": "review"})
    assert (paused["result"], paused["contract"]["state"], paused["contract"]["status"]) == (
        "success",
        "paused",
        "active",
    )
    assert world.spec()["suspendReason"] == "review"
    assert (await world.good("ann", "POST", "/ns:work/status", {"status": "paused"}))["changed"] is False
    back = await world.good("ann", "POST", "/ns:work/status", {"status": "active"})
    assert back["contract"]["state"] == "created" and "suspendReason" not in world.spec()
    gone = await world.good("ann", "POST", "/ns:work/status", {"status": "archived"})
    assert (gone["contract"]["status"], gone["contract"]["state"]) == ("archived", "archived")


async def test_a_failed_contract_is_taken_up_again() -> None:
    world = RestWorld()
    world.contract()
    world.cluster.patch_status("work", {"state": "Failed", "failureReason": "x", "finishedTime": START.isoformat()})
    answer = await world.good("ann", "POST", "/ns:work/status", {"status": "active", "expected_version": 1})
    assert answer["contract"]["state"] == "active"


ILLEGAL = [("Active", "archived"), ("Completed", "active"), ("Completed", "paused"), ("Created", "active")]
ILLEGAL += [("Archived", "paused"), ("Active", "completed"), ("Active", "failed"), ("Paused", "created")]


@pytest.mark.parametrize(("state", "wanted"), ILLEGAL)
async def test_a_status_that_does_not_follow_is_refused_with_what_does(state: str, wanted: str) -> None:
    world = RestWorld()
    world.contract()
    world.cluster.patch_status("work", {"state": state})
    status, answer = await world.call("ann", "POST", "/ns:work/status", {"status": wanted})
    assert (status, answer["error"]["code"]) == (400, "INVALID_TRANSITION")
    assert answer["error"]["details"]["current"] == state.lower()
    assert wanted not in answer["error"]["details"]["allowed"]
    assert not world.server.wrote


async def test_a_status_for_another_version_is_refused() -> None:
    world = RestWorld()
    world.contract()
    body = {"status": "paused", "expected_version": 7}
    assert await world.refused("ann", "POST", "/ns:work/status", body) == (409, "VERSION_CONFLICT")


async def test_a_policys_conflict_about_a_retry_carries_what_one_needs_to_go_on() -> None:
    world = RestWorld()
    world.contract()
    world.cluster.patch_status("work", {"state": "Failed", "failureReason": "x", "finishedTime": START.isoformat()})

    async def overtaken(*_: object) -> object:
        world.cluster.patch_status("work", {"version": 5})
        raise Denied("VERSION_CONFLICT: expected 1, actual 5, phase plan", code="VERSION_CONFLICT", status=422)

    world.server.patch_contract = overtaken  # type: ignore[method-assign,assignment]
    body = {"status": "active", "expected_version": 1}
    status, answer = await world.call("ann", "POST", "/ns:work/status", body)
    assert (status, answer["error"]["code"]) == (409, "VERSION_CONFLICT")
    assert answer["error"]["details"] == {"expected": 1, "actual": 5, "current_phase": "plan"}
