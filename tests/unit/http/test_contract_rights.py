"""Who changes nothing, and what they are told."""

from __future__ import annotations

from uuid import uuid4

import pytest

from makima.errors import ClusterUnavailable
from tests.support.rest_world import RestWorld

WRITES = [
    ("POST", "", {"namespace": "ns", "name": "new"}),
    ("DELETE", "/ns:work", None),
    ("POST", "/ns:work/phase", {"expected_version": 1, "force": True}),
    ("POST", "/ns:work/status", {"status": "paused"}),
    ("POST", "/ns:work/deliverables", {"id": "plan-document"}),
    ("PUT", "/ns:work/auto-complete", {"enabled": False}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_readers_and_strangers_change_nothing(method: str, path: str, body: object) -> None:
    world = RestWorld()
    world.contract()
    before = dict(world.cluster.objects)
    for who in ("ray", "bob"):
        assert await world.refused(who, method, path, body) == (403, "FORBIDDEN")
    assert await world.refused(None, method, path, body) == (401, "UNAUTHENTICATED")
    assert world.cluster.objects == before


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_token_that_can_not_be_forwarded_gets_the_command_that_works(
    method: str, path: str, body: object
) -> None:
    world = RestWorld()
    world.contract()
    world.server.not_forwardable.add("ann")
    status, answer = await world.call("ann", method, path, body)
    assert (status, answer["error"]["code"]) == (403, "FORBIDDEN")
    assert "kubectl" in answer["error"]["hint"] and "ann" not in answer["error"]["hint"].split()


async def test_uids_of_elsewhere_are_not_told_apart_from_none() -> None:
    world = RestWorld()
    uid = world.contract()
    world.history.add(world.row())
    there = await world.call("bob", "GET", f"/{uid}")
    never = uuid4()
    missing = await world.call("bob", "GET", f"/{never}")
    assert (there[0], there[1]) == (missing[0], {"error": {**there[1]["error"]}})
    assert there[1]["error"]["message"].replace(str(uid), "") == missing[1]["error"]["message"].replace(str(never), "")


async def test_an_api_server_that_is_away_is_503_and_says_when_to_come_back() -> None:
    world = RestWorld()
    world.contract()
    world.server.refuse = ClusterUnavailable("away")
    assert await world.refused("ann", "POST", "/ns:work/status", {"status": "paused"}) == (503, "UNAVAILABLE")
