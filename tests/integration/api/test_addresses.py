"""Addressing contracts by UID and by name, as people with different rights, on a real API server."""

from __future__ import annotations

from uuid import uuid4

from tests.support.api_process import ApiUnderTest, StartApi, token_of
from tests.support.carried_world import CarriedWorld, address, beat

REGISTER = "/api/v1/supervisors/register"


async def test_a_supervisor_is_read_by_uid_and_by_name(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    await world.contract("work", supervisor={})
    caller = world.caller(api, agent)
    life = await caller.good("POST", REGISTER, world.registration("work"))
    await caller.good("POST", address(life), beat(life))
    by_uid = await caller.good("GET", address(life, "status"))
    by_name = await caller.good("GET", f"/api/v1/contracts/{world.namespace}:work/supervisor/status")
    assert by_uid == by_name
    assert by_uid["state"] == "working"


async def test_who_may_read_nothing_learns_nothing(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    await world.contract("work", supervisor={})
    life = await world.caller(api, agent).good("POST", REGISTER, world.registration("work"))
    stranger = world.caller(api, await world.account("stranger"))
    there = await stranger.refused("GET", address(life, "status"))
    assert there == await stranger.refused("GET", f"/api/v1/contracts/{uuid4()}/supervisor/status")
    assert there == (404, "SUPERVISOR_NOT_FOUND")
    for name in ("work", "nothing"):
        path = f"/api/v1/contracts/{world.namespace}:{name}/supervisor/status"
        assert await stranger.refused("GET", path) == (403, "FORBIDDEN")


async def test_people_come_with_a_token_for_the_api_server_and_supervisors_do_not(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    await world.contract("work", supervisor={})
    life = await world.caller(api, agent).good("POST", REGISTER, world.registration("work"))
    own = world.caller(api, await token_of(world.admin, world.namespace, "agent", audience=""))
    assert (await own.good("GET", address(life, "status")))["incarnation"] == 1
    assert await own.refused("POST", address(life), beat(life)) == (401, "UNAUTHENTICATED")
    assert await own.refused("POST", REGISTER, world.registration("work")) == (401, "UNAUTHENTICATED")


async def test_nothing_is_answered_without_a_token(world: CarriedWorld, api: ApiUnderTest) -> None:
    nobody = world.caller(api, None)
    for path in ("/", "/openapi.json", "/docs", "/api/v1/contracts", "/healthz", REGISTER):
        assert await nobody.refused("GET", path) == (401, "UNAUTHENTICATED"), path
        assert await nobody.refused("POST", path, b"{") == (401, "UNAUTHENTICATED"), path


async def test_without_supervisors_their_routes_are_not_there(
    world: CarriedWorld, start_api: StartApi, agent: str
) -> None:
    api = start_api(feature_flags__supervisor_heartbeat="false")
    caller = world.caller(api, agent)
    for method, path in (("POST", REGISTER), ("GET", f"/api/v1/contracts/{uuid4()}/supervisor/status")):
        assert await caller.refused(method, path) == (404, "NOT_FOUND")
    assert await caller.refused("POST", f"/api/v1/contracts/{uuid4()}/supervisor/heartbeat", {}) == (404, "NOT_FOUND")
    document = await caller.good("GET", "/openapi.json")
    assert not [path for path in document["paths"] if "supervisor" in path]


SWITCHED = [
    ("POST", "/status", {"status": "paused"}),
    ("GET", "/phase-readiness", None),
    ("POST", "/check-completion", None),
    ("PUT", "/auto-complete", {"enabled": True}),
    ("POST", "/supervisor/restart", None),
    ("GET", "/supervisor/status", None),
]
FLAGS = ("enhanced_contract_status", "auto_complete", "supervisor_heartbeat", "monitoring_dashboard")


async def test_with_every_flag_off_contracts_are_read_and_nothing_else_is_there(
    world: CarriedWorld, start_api: StartApi, agent: str
) -> None:
    await world.contract("work", supervisor={})
    api = start_api(**{f"feature_flags__{flag}": "false" for flag in FLAGS})
    caller, path = world.caller(api, agent), f"/api/v1/contracts/{world.namespace}:work"
    for method, rest, body in SWITCHED:
        assert await caller.refused(method, path + rest, body) == (404, "NOT_FOUND"), rest
    for method, name in (("GET", "dashboard"), ("POST", "batch"), ("GET", "monitor")):
        status, code = await caller.refused(method, f"/api/v1/contracts/{name}", {} if method == "POST" else None)
        assert (status, code) == (404, "NOT_FOUND"), name
    found = await caller.good("GET", path)
    assert (found["status"], found["state"]) == ("active", "active")
    await caller.good("GET", f"/api/v1/contracts?namespace={world.namespace}&status=active")
    assert await caller.refused("GET", "/api/v1/contracts?status=paused") == (400, "VALIDATION_FAILED")
