"""Calls made up from the OpenAPI document (schemathesis), held against what the document says about answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
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


def operations_of(document: dict[str, Any]) -> list[str]:
    """Their ids, but for streams."""
    found = [call["operationId"] for calls in document["paths"].values() for call in calls.values()]
    return sorted(set(found) - STREAMS)


def try_operation(
    document: dict[str, Any], operation_id: str, url: str, token: str, ids: Sequence[str], *, examples: int
) -> int:
    """Make up calls of one operation, good ones and bad ones; the number of those made.

    Args:
        ids: of contracts that there are: half of the calls are about them.

    Raises:
        Exception: schemathesis' own, an answer is not as the document says; AssertionError, an error nobody foresaw.
    """
    operation = schemathesis.openapi.from_dict(_only(document, operation_id)).find_operation_by_id(operation_id)
    made = 0
    for mode in MODES:
        cases = operation.as_strategy(generation_mode=mode)

        @seed(20261125)
        @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=cases, known=st.sampled_from([None, *ids]))
        def tried(case: schemathesis.Case, known: str | None) -> None:
            nonlocal made
            made += 1
            _tame(case, known)
            answer = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code != 500, answer.text
            assert b"Traceback" not in answer.content
            case.validate_response(answer, checks=CHECKS)

        tried()
    return made


def _only(document: dict[str, Any], operation_id: str) -> dict[str, Any]:
    """The document with one operation: a whole one is read anew each time, and that takes longer than the calls."""
    paths = {
        path: {method: call for method, call in calls.items() if call["operationId"] == operation_id}
        for path, calls in document["paths"].items()
    }
    return {**document, "paths": {path: calls for path, calls in paths.items() if calls}}


def _tame(case: schemathesis.Case, known: str | None) -> None:
    for name in ("id", "contract_id"):
        if known is not None and name in (case.path_parameters or {}):
            case.path_parameters[name] = known
    if isinstance((case.query or {}).get("wait"), int | float):
        case.query["wait"] = WAITS


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
