"""Bad input, call by call: each operation of the document with each kind of what is wrong, and nothing comes of any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.support.api_process import ApiUnderTest, CallerOf
from tests.support.carried_world import CarriedWorld
from tests.support.every_operation import Operation, Walk

WRONG_QUERY: dict[str, str] = {"integer": "x", "number": "nan", "boolean": "perhaps"}
WRONG_FIELD: dict[str, Any] = {
    "integer": "1",
    "number": "1",
    "boolean": "yes",
    "string": 7,
    "array": {"a": 1},
    "object": [1],
}
HUGE = 5_000_000
NUMBERS_TOO = frozenset({"timestamp"})
"""A time may be given as seconds, too."""


@dataclass(frozen=True)
class Scene:
    """Somebody who may do everything in one namespace, and a contract in another that is none of their business."""

    walk: Walk
    caller: CallerOf
    world: CarriedWorld
    elsewhere: str
    other_uid: str

    async def unchanged(self) -> tuple[Any, ...]:
        """What must stay as it is."""
        found = []
        for space in (self.world.namespace, self.elsewhere):
            items = (await self.world.admin.request("GET", f"/apis/makima.dev/v1alpha1/namespaces/{space}/contracts"))[
                "items"
            ]
            found += [(item["metadata"]["name"], item["metadata"]["resourceVersion"]) for item in items]
        return tuple(found)


@pytest.fixture
async def scene(world: CarriedWorld, api: ApiUnderTest) -> Scene:
    uid = await world.contract("work", supervisor={})
    await world.life("work", uid, None)
    elsewhere = f"other-{uuid4().hex[:8]}"
    await world.admin.request("POST", "/api/v1/namespaces", body={"metadata": {"name": elsewhere}})
    away = CarriedWorld(world.admin, elsewhere, world.store, world.http)
    other = await away.contract("work", supervisor={})
    token = await world.account("busy", "makima-admin", "makima-supervise")
    caller = world.caller(api, token)
    walk = Walk(await caller.good("GET", "/openapi.json"), world.namespace, str(uid))
    return Scene(walk, caller, world, elsewhere, str(other))


def by_supervisors(each: Operation) -> bool:
    """Calls of a supervisor's own: one that is newer than the server may say more than that knows."""
    return "{contract_id}" in each.raw or each.raw.startswith("/api/v1/supervisors/")


def parameters(each: Operation) -> Iterator[tuple[str, str]]:
    """(name, type) of query parameters."""
    for parameter in each.call.get("parameters", ()):
        if parameter["in"] == "query":
            for one in parameter["schema"].get("anyOf", [parameter["schema"]]):
                if one.get("type") in WRONG_QUERY:
                    yield parameter["name"], one["type"]


def texts(scene: Scene, each: Operation) -> Iterator[tuple[str, str]]:
    """(name, path) of each text parameter, with a NUL in it, which Postgres does not take."""
    for parameter in each.call.get("parameters", ()):
        name, schema = parameter["name"], parameter["schema"]
        kinds = [one.get("items", one).get("type") for one in schema.get("anyOf", [schema])]
        if "string" in kinds and parameter["in"] == "query":
            yield name, f"{each.path}?{name}=a%00b"
        elif "string" in kinds:
            yield name, scene.walk.filled(each.raw.replace(f"{{{name}}}", "a%00b"))


def fields(scene: Scene, each: Operation) -> Iterator[tuple[str, Any]]:
    """(name, value of a wrong type) of the fields of a body."""
    body = each.call.get("requestBody")
    if body is None:
        return
    schema = body["content"]["application/json"]["schema"]
    while "$ref" in schema:
        schema = scene.walk.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for name, field in schema.get("properties", {}).items():
        kinds = {one.get("type", "object") for one in field.get("anyOf", [field])} - {"null"}
        if name in NUMBERS_TOO:
            continue
        if len(kinds) == 1 and "$ref" not in field and not any("$ref" in one for one in field.get("anyOf", ())):
            yield name, WRONG_FIELD[kinds.pop()]


Row = tuple[str, str, Any]
"""Method, path, body."""


def about(scene: Scene, each: Operation, uid: str) -> Row:
    """The same call about another contract."""
    named = isinstance(each.body, dict) and "contract_id" in each.body
    body = {**each.body, "contract_id": uid} if named else each.body
    return each.method, scene.walk.filled(each.raw, uid, uid), body


def wrong_calls(scene: Scene, each: Operation) -> Iterator[tuple[str, Row, set[tuple[int, str]]]]:
    """(what is wrong, the call, what may be answered)."""
    invalid, people = {(400, "VALIDATION_FAILED")}, not by_supervisors(each)
    if people:
        yield "unknown parameter", (each.method, f"{each.path}?nonsense=1", each.body), invalid
    for name, kind in parameters(each):
        path = f"{each.path}?{name}={WRONG_QUERY[kind]}"
        yield f"{name} of a wrong type", (each.method, path, each.body), invalid
    if each.body is not None:
        yield "no JSON", (each.method, each.path, b"{"), invalid
        yield "a list", (each.method, each.path, b"[]"), invalid
        if people:
            yield "an unknown field", (each.method, each.path, {**each.body, "nonsense": 1}), invalid
        yield "a huge body", (each.method, each.path, b'{"x": "' + b"x" * HUGE), {(413, "TOO_LARGE")}
        for name, value in fields(scene, each):
            yield f"{name} of a wrong type", (each.method, each.path, {**each.body, name: value}), invalid
    if "{" in each.raw:
        nowhere = {(404, "CONTRACT_NOT_FOUND"), (404, "SUPERVISOR_NOT_FOUND"), (404, "NOT_FOUND")}
        unknown, nonsense = str(uuid4()), "no%20such%20id"
        yield "an unknown UID", about(scene, each, unknown), nowhere
        path = scene.walk.filled(each.raw, nonsense, nonsense)
        yield "no id at all", (each.method, path, each.body), {*invalid, *nowhere}
        hidden = {*nowhere, (403, "FORBIDDEN")} if "{contract_id}" in each.raw else nowhere
        yield "another namespace's UID", about(scene, each, scene.other_uid), hidden
    if "{id}" in each.raw:
        theirs = scene.walk.filled(each.raw, f"{scene.elsewhere}:work")
        yield "another namespace's name", (each.method, theirs, each.body), {(403, "FORBIDDEN")}


@pytest.mark.timeout(600)
async def test_no_call_with_anything_wrong_in_it_has_an_effect(scene: Scene, api: ApiUnderTest) -> None:
    before, number, unlike = await scene.unchanged(), 0, []
    for each in scene.walk.operations():
        for what, (method, path, body), may in wrong_calls(scene, each):
            status, answer = await scene.caller.call(method, path, body)
            number += 1
            error = answer.get("error") or {}
            if (status, error.get("code")) not in may or not error.get("message"):
                unlike.append(f"{each.name}, {what}: {status} {json.dumps(answer)[:200]}")
    assert not unlike, "\n".join(unlike)
    assert await scene.unchanged() == before
    assert number > 300
    assert "Traceback" not in api.log.read_text()


async def test_no_text_of_an_address_may_have_a_nul_in_it(scene: Scene, api: ApiUnderTest) -> None:
    before, tried, unlike = await scene.unchanged(), set(), []
    for each in scene.walk.operations():
        for name, path in texts(scene, each):
            status, answer = await scene.caller.call(each.method, path, each.body)
            error = answer.get("error") or {}
            tried.add(name)
            named = (error.get("field") or "").split(".")[0] == name or error.get("code") == "NOT_FOUND"
            if (status, error.get("code")) not in {(400, "VALIDATION_FAILED"), (404, "NOT_FOUND")} or not named:
                unlike.append(f"{each.name}, {name}: {status} {json.dumps(answer)[:200]}")
    assert not unlike, "\n".join(unlike)
    assert await scene.unchanged() == before
    assert {"name", "phase", "type", "label", "namespace", "cursor", "id", "contract_id", "question_id"} <= tried
    assert "Traceback" not in api.log.read_text()


async def test_no_call_is_answered_without_a_token_that_is_known(scene: Scene, api: ApiUnderTest) -> None:
    before = await scene.unchanged()
    for token in (None, "nonsense"):
        nobody = scene.world.caller(api, token)
        for each in scene.walk.operations():
            assert await nobody.refused(each.method, each.path, each.body) == (401, "UNAUTHENTICATED"), each.name
    assert await scene.unchanged() == before
