"""Calls made up from the OpenAPI document (schemathesis), held against what the document says about answers."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp

from makima.http.server import listener, serve, server

load_all_checks()

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STREAMS = frozenset({"heartbeat_stream", "monitor_contracts", "monitor"})
"""Operations that do not end by themselves."""

WAITS = 0.05
"""Seconds that a call may wait for what nobody does here."""

MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


LAST = "delete_contract"
"""After it there is nothing that the others could be about."""


def operations_of(document: dict[str, Any]) -> list[str]:
    """Their ids, but for streams."""
    found = [call["operationId"] for calls in document["paths"].values() for call in calls.values()]
    return sorted(set(found) - STREAMS, key=lambda name: (name == LAST, name))


def reads_of_one(document: dict[str, Any]) -> set[str]:
    """Ids of the operations that read something of one contract."""
    paths = [(path, calls["get"]) for path, calls in document["paths"].items() if "get" in calls]
    return {call["operationId"] for path, call in paths if "{" in path} - STREAMS


def try_operation(
    document: dict[str, Any], operation_id: str, url: str, token: str, known: Mapping[str, str], *, examples: int
) -> Counter[int]:
    """Make up calls of one operation, good ones and bad ones; how many of them got which status.

    Args:
        known: a contract that there is, by the name of the parameter: the first call and half of all are about it.

    Raises:
        Exception: schemathesis' own, an answer is not as the document says; AssertionError, an error nobody foresaw.
    """
    operation = schemathesis.openapi.from_dict(_only(document, operation_id)).find_operation_by_id(operation_id)
    answered: Counter[int] = Counter()
    for mode in MODES:
        cases = operation.as_strategy(generation_mode=mode)

        @seed(20261125)
        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=cases, there_is=st.sampled_from([True, False]))
        def tried(case: schemathesis.Case, there_is: bool) -> None:
            _tame(case, known if there_is else {})
            answer = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"})
            answered[answer.status_code] += 1
            assert answer.status_code != 500, answer.text
            assert b"Traceback" not in answer.content
            case.validate_response(answer, checks=CHECKS)

        tried()
    return answered


def _only(document: dict[str, Any], operation_id: str) -> dict[str, Any]:
    """The document with one operation: a whole one is read anew each time, and that takes longer than the calls."""
    paths = {
        path: {method: call for method, call in calls.items() if call["operationId"] == operation_id}
        for path, calls in document["paths"].items()
    }
    return {**document, "paths": {path: calls for path, calls in paths.items() if calls}}


def _tame(case: schemathesis.Case, known: Mapping[str, str]) -> None:
    """About the contract that there is, and without a long wait, said or not."""
    for name, value in known.items():
        if name in (case.path_parameters or {}):
            case.path_parameters[name] = value
    takes = {parameter["name"] for parameter in case.operation.definition.raw.get("parameters", ())}
    query = case.query or {}
    if "wait" in takes and isinstance(query.get("wait", WAITS), int | float):
        case.query = {**query, "wait": WAITS}


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The application on a port of its own, in a thread; its address."""
    sock = listener("127.0.0.1", 0)
    port = sock.getsockname()[1]
    found = server(app, None, None)
    thread = threading.Thread(target=lambda: asyncio.run(serve(found, sock)), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        found.stop()
        thread.join(30)
