"""The live monitor in the OpenAPI document: one path, two ways to listen."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from makima.models.wire.monitor import CONTROL, PLANNED, HistoryFrame, MonitorFilter

MONITOR_PATH = "/api/v1/contracts/monitor"
MONITOR_MODELS: tuple[type[BaseModel], ...] = (*PLANNED, HistoryFrame, *CONTROL, MonitorFilter)

TEXT = (
    "What happens to contracts, as it happens: with `Upgrade: websocket` as text frames, else, for who accepts "
    "`text/event-stream` or says `watch=true`, as Server-Sent Events; the frames are the same. A WebSocket takes "
    "messages of MonitorFilter at any time. Frames and closing codes: docs/reference/events.md."
)

EXAMPLE = {
    "type": "StatusChanged",
    "seq": 1042,
    "at": "2026-11-25T10:15:00Z",
    "contract_id": "3f0c6c1e-5d1c-4f55-9f0a-2b8a7b1a9f10",
    "namespace": "team-a",
    "name": "move-invoices",
    "contract_status": "waiting_for_input",
    "old_status": "active",
    "new_status": "waiting_for_input",
    "reason": "QuestionAsked",
}

FRAMES: tuple[type[BaseModel], ...] = (*PLANNED, HistoryFrame, *CONTROL)


def monitor_operation(ref: str) -> dict[str, Any]:
    """The operation; `ref` is where a model's schema is, with `{model}` in it."""
    schema = {"oneOf": [{"$ref": ref.format(model=model.__name__)} for model in FRAMES]}
    return {
        "tags": ["monitor"],
        "summary": "Monitor contracts",
        "description": TEXT,
        "operationId": "monitor_contracts",
        "parameters": [*_lists(), *_switches(), *_places()],
        "responses": {
            "101": {"description": "The WebSocket is open."},
            "200": {
                "description": "Server-Sent Events: `id:` is the number, `data:` one frame as JSON.",
                "content": {"text/event-stream": {"schema": schema, "example": EXAMPLE}},
            },
        },
    }


def _lists() -> list[dict[str, Any]]:
    properties = MonitorFilter.model_json_schema()["properties"]
    named = (("contract_id", "contract_ids"), ("status", "statuses"), ("namespace", "namespaces"))
    return [_query(name, properties[field], "May be given many times.") for name, field in named]


def _switches() -> list[dict[str, Any]]:
    boolean = {"type": "boolean"}
    return [
        _query("include_stale", {**boolean, "default": True}, "StaleDetected, too."),
        _query("include_heartbeats", {**boolean, "default": False}, "Heartbeat, too."),
        _query("watch", {**boolean, "default": False}, "Kubernetes' word for a stream."),
    ]


def _places() -> list[dict[str, Any]]:
    number = {"type": "integer", "minimum": 0, "maximum": 2**53}
    last = {"name": "Last-Event-ID", "in": "header", "schema": number, "required": False}
    after = _query("after", number, "Begin after this number.")
    return [after, {**last, "description": "The same, as browsers say it when they come back; it wins."}]


def _query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    plain = {key: value for key, value in schema.items() if key != "title"}
    return {"name": name, "in": "query", "required": False, "schema": plain, "description": text}
