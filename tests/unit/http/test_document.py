"""The OpenAPI document: whole, with errors, and with examples that are true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from makima.domain.settings import Settings
from makima.http.examples import EXAMPLES, PROBLEMS
from makima.http.reference import document
from makima.models.wire.problem import Code
from tests.support.rest_world import RestWorld

DOCUMENT = document()
JSON = "application/json"
STREAMS = {"heartbeat_stream", "monitor_contracts"}


def operations(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for calls in found["paths"].values():
        for call in calls.values():
            yield call["operationId"], call


OPERATIONS = dict(operations(DOCUMENT))


def against(schema: dict[str, Any]) -> Any:
    return jsonschema_rs.validator_for({**schema, "components": DOCUMENT["components"]}, validate_formats=True)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_call_says_what_it_does_and_what_it_answers(name: str) -> None:
    call = OPERATIONS[name]
    assert call["summary"] and call["description"]
    assert {"400", "401", "403", "404", "409", "413", "500", "503"} <= set(call["responses"])
    assert "422" not in call["responses"]


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - STREAMS))
def test_every_call_has_examples_that_fit_its_schema(name: str) -> None:
    call, example = OPERATIONS[name], EXAMPLES[name]
    answer = call["responses"].get("200") or call["responses"]["201"]
    content = answer["content"][JSON]
    assert content["example"] == example.response
    against(content["schema"]).validate(example.response)
    body = call.get("requestBody")
    assert (body is not None) == (example.request is not None)
    if body is not None:
        assert body["content"][JSON]["example"] == example.request
        against(body["content"][JSON]["schema"]).validate(example.request)


def test_no_example_is_of_a_call_that_there_is_not() -> None:
    assert set(EXAMPLES) <= set(OPERATIONS)


@pytest.mark.parametrize("code", Code)
def test_every_code_has_an_example(code: Code) -> None:
    problem = PROBLEMS[code]
    assert problem["error"]["code"] == code
    against({"$ref": "#/components/schemas/ErrorEnvelope"}).validate(problem)


FLAGS = {
    "supervisor_heartbeat": {"restart_supervisor", "register_supervisor", "send_heartbeat", "heartbeat_stream"},
    "auto_complete": {"get_phase_readiness", "check_completion", "set_auto_complete"},
    "enhanced_status": {"change_status"},
}


@pytest.mark.parametrize("flag", FLAGS)
def test_the_document_has_what_is_switched_on(flag: str) -> None:
    assert FLAGS[flag] <= set(OPERATIONS)
    found = set(dict(operations(_served(Settings(**{flag: False})))))
    assert not FLAGS[flag] & found
    assert {"list_contracts", "get_contract", "change_phase"} <= found


def _served(settings: Settings) -> dict[str, Any]:
    from makima.http.app import framework

    return framework(RestWorld(settings).use).openapi()
