"""Errors of the aggregated API: a Kubernetes `Status` that carries the envelope.

kubectl and every other Kubernetes client show `message` of a Status, and nothing of any other body; our own client
reads `error`. Both are in one object: a client ignores fields that it does not know.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from starlette.types import Message, Send

from makima.models.wire.problem import ErrorEnvelope, Problem

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    413: "RequestEntityTooLarge",
    500: "InternalError",
    503: "ServiceUnavailable",
}


def as_status(send: Send) -> Send:
    """Sends errors as Status, and everything else as it is."""
    held: list[Message] = []

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            held.append({**message, "body": b""})
        elif not held:
            await send(message)
        else:
            held[0]["body"] += message.get("body", b"")
            if not message.get("more_body", False):
                await _send_whole(send, held[0])

    return sending


async def _send_whole(send: Send, held: Message) -> None:
    body = status_of(held["status"], held["body"])
    headers = [(name, value) for name, value in held["headers"] if name.lower() != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": held["status"], "headers": headers})
    await send({"type": "http.response.body", "body": body})


def status_of(http_status: int, body: bytes) -> bytes:
    """The answer with this status and envelope as a Status; what is no envelope stays as it is."""
    try:
        problem = ErrorEnvelope.model_validate_json(body).error
    except ValidationError:
        return body
    return json.dumps(_status(http_status, problem)).encode()


def _status(http_status: int, problem: Problem) -> dict[str, Any]:
    hint = f"\n  next: {problem.hint}" if problem.hint else ""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"{problem.code}: {problem.message}{hint}",
        "reason": REASONS.get(http_status, ""),
        "code": http_status,
        "error": problem.model_dump(mode="json", exclude_none=True),
    }
