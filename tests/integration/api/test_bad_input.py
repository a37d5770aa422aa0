"""Bad input, and what it gets: a clear answer with the plan's codes, and nothing stored that should not be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.api_process import ApiUnderTest, token_of
from tests.support.carried_world import CarriedWorld, address, beat

REGISTER = "/api/v1/supervisors/register"
BATCH = "/api/v1/supervisors/heartbeats"
Life = dict[str, Any]


@dataclass(frozen=True)
class Bad:
    """A heartbeat that is refused, and how."""

    body: Callable[[Life], bytes]
    status: int
    code: str
    field: str | None = None


def changed(**fields: Any) -> Callable[[Life], bytes]:
    return lambda life: json.dumps({**beat(life, 5), **fields}).encode()


def replaced(old: bytes, new: bytes) -> Callable[[Life], bytes]:
    return lambda life: json.dumps(beat(life, 5, progress=77)).encode().replace(old, new)


AHEAD = (datetime.now(UTC) + timedelta(hours=2)).isoformat()

TABLE = {
    "foreign supervisor": Bad(changed(task_id=str(uuid4())), 404, "SUPERVISOR_NOT_FOUND", "task_id"),
    "incarnation that never was": Bad(changed(incarnation=99), 409, "SUPERSEDED"),
    "incarnation 0": Bad(changed(incarnation=0), 400, "VALIDATION_FAILED", "incarnation"),
    "progress 101": Bad(changed(progress=101), 400, "VALIDATION_FAILED", "progress"),
    "progress -1": Bad(changed(progress=-1), 400, "VALIDATION_FAILED", "progress"),
    "progress NaN": Bad(replaced(b": 77", b": NaN"), 400, "VALIDATION_FAILED", "progress"),
    "progress as text": Bad(changed(progress="77"), 400, "VALIDATION_FAILED", "progress"),
    "progress 77.5": Bad(changed(progress=77.5), 400, "VALIDATION_FAILED", "progress"),
    "activity of 10 MB": Bad(changed(current_activity="x" * 10_000_000), 413, "TOO_LARGE"),
    "activity of 2,000 characters": Bad(
        changed(current_activity="x" * 2000), 400, "VALIDATION_FAILED", "current_activity"
    ),
    "NUL in the activity": Bad(changed(current_activity="a\0b"), 400, "VALIDATION_FAILED", "current_activity"),
    "lone surrogate": Bad(replaced(b"reading", b"\\ud800"), 400, "VALIDATION_FAILED"),
    "bad UTF-8": Bad(replaced(b"reading", b"\xff\xfe"), 400, "VALIDATION_FAILED"),
    "timestamp from the future": Bad(changed(timestamp=AHEAD), 400, "VALIDATION_FAILED", "timestamp"),
    "timestamp without a zone": Bad(changed(timestamp="2026-01-01T00:00:00"), 400, "VALIDATION_FAILED", "timestamp"),
    "out of order": Bad(changed(sequence=1), 409, "CONFLICT", "sequence"),
    "sequence 0": Bad(changed(sequence=0), 400, "VALIDATION_FAILED", "sequence"),
    "unknown state": Bad(changed(state="dancing"), 400, "VALIDATION_FAILED", "state"),
    "phase that is no name": Bad(changed(phase="../x"), 400, "VALIDATION_FAILED", "phase"),
    "too many pending tasks": Bad(
        changed(pending_task_ids=[str(uuid4()) for _ in range(300)]), 400, "VALIDATION_FAILED", "pending_task_ids"
    ),
    "another contract than the address": Bad(
        changed(contract_id=str(uuid4())), 400, "VALIDATION_FAILED", "contract_id"
    ),
    "no JSON": Bad(lambda life: b"{", 400, "VALIDATION_FAILED"),
    "a list": Bad(lambda life: b"[]", 400, "VALIDATION_FAILED"),
    "nothing": Bad(lambda life: b"", 400, "VALIDATION_FAILED"),
    "nested a hundred thousand deep": Bad(lambda life: b"[" * 30_000, 400, "VALIDATION_FAILED"),
}


async def _life(world: CarriedWorld, api: ApiUnderTest, token: str, name: str = "work") -> Life:
    await world.contract(name, supervisor={})
    life: Life = await world.caller(api, token).good("POST", REGISTER, world.registration(name))
    return life


async def test_a_bad_heartbeat_gets_a_clear_answer_and_is_not_stored(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    life, caller = await _life(world, api, agent), world.caller(api, agent)
    await caller.good("POST", address(life), beat(life, 2))
    found = {}
    for what, bad in TABLE.items():
        status, answer = await caller.call("POST", address(life), bad.body(life))
        found[what] = (status, answer["error"]["code"], answer["error"].get("field"))
        assert answer["error"]["message"], what
        assert answer["error"].get("hint"), what
    assert found == {what: (bad.status, bad.code, bad.field) for what, bad in TABLE.items()}
    kept = await world.store.heartbeats.recent(UUID(life["contract_id"]), 100)
    assert [item.sequence for item in kept] == [2]


async def test_unknown_supervisor(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    life = {"contract_id": str(uuid4()), "task_id": str(uuid4()), "incarnation": 1}
    caller = world.caller(api, agent)
    assert await caller.refused("POST", address(life), beat(life)) == (404, "SUPERVISOR_NOT_FOUND")
    assert await caller.refused("GET", address(life, "status")) == (404, "SUPERVISOR_NOT_FOUND")


async def test_tokens_that_are_not_for_this(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    life = await _life(world, api, agent)
    other = await token_of(world.admin, world.namespace, "agent", audience="https://kubernetes.default.svc")
    for token in (None, "", "nonsense", other, agent[:-3] + "abc", "x" * 20_000, agent + ".x"):
        caller = world.caller(api, token)
        async with world.http.post(api.url + address(life), json=beat(life), headers=caller.headers) as answer:
            found = await answer.json() if answer.content_type == "application/json" else {}
            assert answer.status in (400, 401), token
            if answer.status == 401:
                assert found["error"]["code"] == "UNAUTHENTICATED"
                assert answer.headers["WWW-Authenticate"] == "Bearer"
    foreign = await world.account("foreign")
    assert await world.caller(api, foreign).refused("POST", address(life), beat(life)) == (403, "FORBIDDEN")
    assert not await world.store.heartbeats.recent(UUID(life["contract_id"]), 10)


async def test_identity_headers_of_a_front_proxy_are_ignored(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    life = await _life(world, api, agent)
    forged = {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}
    async with world.http.post(api.url + address(life), json=beat(life), headers=forged) as answer:
        assert answer.status == 401


async def test_a_bad_entry_of_a_batch_costs_only_itself(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    first, second = await _life(world, api, agent, "one"), await _life(world, api, agent, "two")
    other = await world.account("else")
    entries = [beat(first), beat(second, progress=101), {"rubbish": True}, beat(second), beat(first, incarnation=7)]
    answer = await world.caller(api, agent).good("POST", BATCH, {"heartbeats": entries})
    assert (answer["stored"], answer["refused"]) == (2, 3)
    errors = {entry["index"]: (entry["error"]["code"], entry["error"].get("field")) for entry in answer["entries"]}
    assert errors == {
        1: ("VALIDATION_FAILED", "progress"),
        2: ("VALIDATION_FAILED", "incarnation"),
        4: ("SUPERSEDED", None),
    }
    refused = await world.caller(api, other).good("POST", BATCH, {"heartbeats": [beat(first, 2), beat(second, 2)]})
    assert [entry["error"]["code"] for entry in refused["entries"]] == ["FORBIDDEN", "FORBIDDEN"]
    again = await world.caller(api, agent).good("POST", BATCH, {"heartbeats": [beat(first), beat(second, 2)]})
    assert [(entry["index"], entry["result"]) for entry in again["entries"]] == [(0, "duplicate")]
    kept = await world.store.heartbeats.recent(UUID(first["contract_id"]), 10)
    assert [item.sequence for item in kept] == [1]


BATCHES = {
    "empty": (b'{"heartbeats": []}', 400, "VALIDATION_FAILED"),
    "too many": (json.dumps({"heartbeats": [{}] * 1001}).encode(), 400, "VALIDATION_FAILED"),
    "not a list": (b'{"heartbeats": 3}', 400, "VALIDATION_FAILED"),
    "numbers for heartbeats": (b'{"heartbeats": [1, 2]}', 400, "VALIDATION_FAILED"),
    "5 MB": (b'{"heartbeats": "' + b"x" * 5_000_000 + b'"}', 413, "TOO_LARGE"),
}


@pytest.mark.parametrize("name", BATCHES)
async def test_batches_that_are_none(world: CarriedWorld, api: ApiUnderTest, agent: str, name: str) -> None:
    body, status, code = BATCHES[name]
    assert await world.caller(api, agent).refused("POST", BATCH, body) == (status, code)


NOBODY = UUID(int=7)
"""The same in every process: test names must not differ between the workers of pytest-xdist."""

ELSEWHERE = [
    ("GET", "/", 404, "NOT_FOUND"),
    ("GET", "/api/v1/nothing", 404, "NOT_FOUND"),
    ("DELETE", REGISTER, 404, "NOT_FOUND"),
    ("GET", BATCH, 404, "NOT_FOUND"),
    ("GET", "/api/v1/contracts/no-uuid/supervisor/status", 400, "VALIDATION_FAILED"),
    ("POST", "/api/v1/contracts/no-uuid/supervisor/heartbeat", 404, "NOT_FOUND"),
    ("GET", f"/api/v1/contracts/{NOBODY}/supervisor/heartbeats?limit=0", 400, "VALIDATION_FAILED"),
    ("GET", f"/api/v1/contracts/{NOBODY}/supervisor/commands?wait=999", 400, "VALIDATION_FAILED"),
    ("GET", f"/api/v1/contracts/{NOBODY}/supervisor/commands?wait=nan", 400, "VALIDATION_FAILED"),
    ("POST", REGISTER, 400, "VALIDATION_FAILED"),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), ELSEWHERE)
async def test_every_error_has_the_envelope(
    world: CarriedWorld, api: ApiUnderTest, agent: str, method: str, path: str, status: int, code: str
) -> None:
    assert await world.caller(api, agent).refused(method, path) == (status, code)


async def test_a_body_that_never_ends_is_cut_off(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    async def endless() -> Any:
        for _ in range(1000):
            yield b"x" * 65536

    life = await _life(world, api, agent)
    before = api.memory()
    caller = world.caller(api, agent)
    try:
        async with world.http.post(api.url + address(life, "tasks"), data=endless(), headers=caller.headers) as answer:
            assert answer.status == 413
    except OSError:
        pass  # the server closed while more was being sent
    assert api.memory() - before < 20_000_000
    assert (await caller.good("POST", address(life), beat(life)))["result"] == "stored"


async def test_the_document_has_every_call_with_its_errors(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    document = await world.caller(api, agent).good("GET", "/openapi.json")
    calls = [(path, method, call) for path, item in document["paths"].items() for method, call in item.items()]
    ids = [call["operationId"] for _, _, call in calls]
    assert len(set(ids)) == len(ids) > 30
    for path, method, call in calls:
        assert {"400", "401", "403", "404", "409", "413", "500", "503"} <= set(call["responses"]), (path, method)
        assert call["description"], (path, method)
    text = json.dumps(document)
    for reference in set(_references(text)):
        assert reference in document["components"]["schemas"], reference


def _references(text: str) -> list[str]:
    return [part.split('"')[0] for part in text.split("#/components/schemas/")[1:]]
