"""The OpenAPI document: what the framework finds out by itself, the calls on the hot path, and every error."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from makima.http.examples import EXAMPLES, PROBLEMS
from makima.http.monitor_document import MONITOR_MODELS, MONITOR_PATH, monitor_operation
from makima.models.wire.heartbeat import (
    BatchAnswer,
    Heartbeat,
    HeartbeatAnswer,
    HeartbeatBatch,
    StreamAnswer,
    StreamFrame,
)
from makima.models.wire.problem import HTTP_STATUS, ErrorEnvelope

REF = "#/components/schemas/{model}"
JSON = "application/json"

EVERY = (400, 401, 403, 404, 409, 413, 500, 503)
"""Statuses that any call may answer with."""

HotCall = tuple[str, str, str, type[BaseModel], type[BaseModel]]
"""Path, operation, description, body, answer."""

HOT: tuple[HotCall, ...] = (
    (
        "/api/v1/contracts/{contract_id}/supervisor/heartbeat",
        "send_heartbeat",
        "One heartbeat, acknowledged once it is committed; commands that wait come with the answer.",
        Heartbeat,
        HeartbeatAnswer,
    ),
    (
        "/api/v1/supervisors/heartbeats",
        "send_heartbeats",
        "Heartbeats of many supervisors. One bad entry costs only itself; each entry is a Heartbeat.",
        HeartbeatBatch,
        BatchAnswer,
    ),
)

STREAM = (
    "A WebSocket: text frames of StreamFrame, each answered by a StreamAnswer with the same number, or by an "
    "ErrorEnvelope with it. Frame 0 pushes commands. A client that does not read is closed (1008)."
)


def describe(app: FastAPI, *, heartbeats: bool, monitor: bool) -> None:
    """Have the application give the whole document; `heartbeats`, `monitor`: with what is served past the framework."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, HOT if heartbeats else (), MONITOR_MODELS if monitor else ())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI tells to


def _document(app: FastAPI, hot: tuple[HotCall, ...], monitor: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    models: list[type[BaseModel]] = [ErrorEnvelope, *((StreamFrame, StreamAnswer) if hot else ())]
    models += [model for _, _, _, body, answer in hot for model in (body, answer)]
    models += monitor
    needed: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    _, found = models_json_schema(needed, ref_template=REF)
    for name, schema in found["$defs"].items():
        schemas.setdefault(name, schema)
    for path, operation, text, body, answer in hot:
        document["paths"][path] = {"post": _hot(operation, text, body, answer, "{contract_id}" in path)}
    if hot:
        document["paths"]["/api/v1/supervisors/stream"] = {"get": _stream()}
    if monitor:
        document["paths"][MONITOR_PATH] = {"get": monitor_operation(REF)}
    for calls in document["paths"].values():
        for call in calls.values():
            _with_errors(call)
            _with_examples(call)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    return document


def _ref(model: type[BaseModel]) -> dict[str, Any]:
    return {JSON: {"schema": {"$ref": REF.format(model=model.__name__)}}}


def _hot(operation: str, text: str, body: type[BaseModel], answer: type[BaseModel], addressed: bool) -> dict[str, Any]:
    contract = {"name": "contract_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    return {
        "tags": ["heartbeats"],
        "summary": operation.replace("_", " ").capitalize(),
        "description": text,
        "operationId": operation,
        "parameters": [contract] if addressed else [],
        "requestBody": {"required": True, "content": _ref(body)},
        "responses": {"200": {"description": "Committed.", "content": _ref(answer)}},
    }


def _stream() -> dict[str, Any]:
    return {
        "tags": ["heartbeats"],
        "summary": "Heartbeat stream",
        "description": STREAM,
        "operationId": "heartbeat_stream",
        "responses": {"101": {"description": "The stream is open."}},
    }


def _with_errors(call: dict[str, Any]) -> None:
    call["responses"].pop("422", None)
    for status in EVERY:
        codes = [code for code, answered in HTTP_STATUS.items() if answered == status]
        content: dict[str, Any] = _ref(ErrorEnvelope)
        content[JSON]["examples"] = {code.value: {"value": PROBLEMS[code]} for code in codes}
        call["responses"][str(status)] = {"description": ", ".join(codes), "content": content}


def _with_examples(call: dict[str, Any]) -> None:
    """Of the request, and of the answer to a call that succeeds."""
    example = EXAMPLES.get(call["operationId"])
    if example is None:
        return
    if example.request is not None:
        call["requestBody"]["content"][JSON]["example"] = example.request
    good = next(answer for status, answer in call["responses"].items() if status in ("200", "201"))
    good["content"][JSON]["example"] = example.response
