"""Bad input is refused with a hint, and without effect."""

from __future__ import annotations

import pytest

from makima.http.document import EVERY
from makima.models.wire.problem import Code
from tests.support.rest_world import RestWorld

BAD = [
    ("POST", "", {}),
    ("POST", "", {"namespace": "ns"}),
    ("POST", "", {"namespace": "ns", "name": "A B"}),
    ("POST", "", {"namespace": "ns", "name": "x", "generate_name": "y"}),
    ("POST", "", {"namespace": "ns", "name": "x", "nmae": "y"}),
    ("POST", "", {"namespace": "ns", "name": "x", "spec": []}),
    ("POST", "?wait=nan", {"namespace": "ns", "name": "x"}),
    ("POST", "?wait=31", {"namespace": "ns", "name": "x"}),
    ("POST", "/ns:work/phase", {}),
    ("POST", "/ns:work/phase", []),
    ("POST", "/ns:work/phase", b"{"),
    ("POST", "/ns:work/phase", b"\xff"),
    ("POST", "/ns:work/phase", {"expected_version": "1"}),
    ("POST", "/ns:work/phase", {"expected_version": 1.5}),
    ("POST", "/ns:work/phase", {"expected_version": 0}),
    ("POST", "/ns:work/phase", {"expected_version": 1, "confirmed": "yes"}),
    ("POST", "/ns:work/phase", {"expected_version": 1, "confirmd": True}),
    ("POST", "/ns:work/phase", {"expected_version": 1, "phase": "../x"}),
    ("POST", "/ns:work/phase", {"expected_version": 1, "reason": "x" * 1025}),
    ("POST", "/ns:work/phase", {"expected_version": 1, "reason": "a\0b"}),
    ("POST", "/ns:work/phase", b'{"expected_version": 1, "reason": "\\ud800"}'),
    ("POST", "/ns:work/status", {"status": "dancing"}),
    ("POST", "/ns:work/status", {"state": "paused"}),
    ("POST", "/ns:work/deliverables", {}),
    ("POST", "/ns:work/deliverables", {"id": "a", "deliverable_id": "a"}),
    ("POST", "/ns:work/deliverables", {"id": "plan-document", "digest": "sha256:zz"}),
    ("POST", "/ns:work/deliverables", {"id": "plan-document", "uri": "a b"}),
    ("POST", "/ns:work/questions/nonsense/answer", {"answer": "x"}),
    ("POST", "/ns:work/questions/7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11/answer", {"answer": ""}),
    ("POST", "/ns:work/questions/7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11/answer", {"answer": "x" * 2049}),
    ("PUT", "/ns:work/auto-complete", {"enabled": "yes"}),
    ("PUT", "/ns:work/auto-complete", {"enabled": None}),
    ("GET", "/nonsense", None),
    ("GET", "/ns:work?verbose=1", None),
    ("GET", "/ns:work/events?limit=0", None),
    ("GET", "/ns:work/events?limit=501", None),
    ("GET", "/ns:work/events?after=-1", None),
    ("GET", "/ns:work/events?aftr=1", None),
    ("GET", "/ns:work/tasks?cursor=nonsense", None),
    ("GET", "/ns:work/questions?open=perhaps", None),
    ("DELETE", "/ns:work?expected_version=x", None),
]


@pytest.mark.parametrize(("method", "path", "body"), BAD, ids=range(len(BAD)))
async def test_bad_input_is_refused_with_a_hint_and_without_effect(method: str, path: str, body: object) -> None:
    world = RestWorld()
    world.contract(answers=[], deliverables=[])
    before = dict(world.cluster.objects)
    status, answer = await world.call("ann", method, path, body)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_FAILED"), answer
    assert answer["error"]["hint"]
    assert world.cluster.objects == before and not world.server.wrote


async def test_a_huge_body_is_refused_before_it_is_read_whole() -> None:
    world = RestWorld()
    world.contract()
    body = b'{"expected_version": 1, "reason": "' + b"x" * 10_000_000 + b'"}'
    assert await world.refused("ann", "POST", "/ns:work/phase", body) == (413, "TOO_LARGE")


NUL = [*((name, f"?{name}=a%00b") for name in ("name", "phase", "type", "namespace", "label", "status", "threshold"))]
NUL += [
    ("cursor", "?cursor=%00"),
    ("phase", "?phase=plan&phase=%00"),
    ("label", "?label=team%3D%00"),
    ("id", "/ns:a%00b"),
]


@pytest.mark.parametrize(("name", "path"), NUL)
async def test_a_nul_in_an_address_is_refused_by_the_name_of_its_parameter(name: str, path: str) -> None:
    status, answer = await RestWorld().call("ann", "GET", path)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_FAILED"), answer
    assert answer["error"]["field"].split(".")[0] == name and answer["error"]["hint"]


@pytest.mark.parametrize(("name", "path"), [("limit", "?limit=0"), ("wait", "/ns:work/phase?wait=x"), ("phase", "")])
async def test_a_field_is_named_as_the_caller_knows_it(name: str, path: str) -> None:
    method, path = ("GET", path) if name == "limit" else ("POST", path or "/ns:work/phase")
    world = RestWorld()
    world.contract()
    _, answer = await world.call(
        "ann", method, path, {"expected_version": 1, "phase": "../x" if name == "phase" else "plan"}
    )
    assert answer["error"]["field"].split(".")[0] == name


@pytest.mark.parametrize("name", ["dashboard", "monitor", "batch"])
async def test_names_of_features_are_no_ids(name: str) -> None:
    world = RestWorld()
    assert await world.refused("ann", "GET", f"/{name}/events") == (404, "NOT_FOUND")


SAID = [
    ("POST", "/ns:work/phase", b"not json", 400, "the body is not JSON: Expecting value (character 0)"),
    ("POST", "/ns:work/phase", b'{"a": 1,}', 400, "the body is not JSON: "),
    ("DELETE", "/batch", None, 404, "batch is no contract"),
    ("POST", "/ns:work/supervisor/heartbeat", {}, 404, "there is no /api/v1/contracts/ns:work/supervisor/heartbeat"),
    ("PATCH", "/ns:work", {}, 404, "/api/v1/contracts/ns:work does not take PATCH"),
]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_method_that_a_path_does_not_take_has_the_status_of_its_code(method: str) -> None:
    status, answer = await RestWorld().call("ann", method, "/ns:work", {})
    assert status == Code[answer["error"]["code"]].http_status and status in EVERY
    assert answer["error"]["hint"].startswith("it takes ")


@pytest.mark.parametrize(("method", "path", "body", "status", "message"), SAID)
async def test_what_was_wrong_is_said_with_what_to_do_next(
    method: str, path: str, body: object, status: int, message: str
) -> None:
    found, answer = await RestWorld().call("ann", method, path, body)
    assert found == status and answer["error"]["message"].startswith(message), answer
    assert "/openapi.json" in answer["error"]["hint"]
