"""From the API server's answers to makima's errors. The plan's code is found wherever a policy's message carries it."""

from __future__ import annotations

import json
import re

from makima.errors import ClusterError, ClusterUnavailable, Conflict, Denied, Expired, NotFound

CODE = re.compile(r"\b([A-Z][A-Z]+_[A-Z_]*[A-Z]|UNAUTHORIZED): ")
OVERLOADED = 429


def failure_of(status: int, payload: bytes, call: str) -> ClusterError:
    """The error for an answer with an HTTP status of 400 or more."""
    message = _message(payload) or f"{call}: HTTP {status}"
    if status == 404:
        return NotFound(message)
    if status == 410:
        return Expired(message)
    if status == 409:
        return Conflict(message)
    if status == OVERLOADED or status >= 500:
        return ClusterUnavailable(f"the API server can't serve now ({status}): {message}")
    if status == 401:
        hint = "renew the credentials in the kubeconfig"
        return Denied(f"the API server does not know us: {message}", hint, status=status)
    return denied(message, status)


def denied(message: str, status: int = 0) -> Denied:
    """A refusal; the text before the plan's code (which policy, which object) is left out where there is a code."""
    found = CODE.search(message)
    if found is None:
        return Denied(message, status=status)
    return Denied(message[found.start() :], code=found.group(1), status=status)


def _message(payload: bytes) -> str:
    try:
        answer = json.loads(payload)
    except ValueError:
        return payload[:500].decode(errors="replace")
    return str(answer.get("message", "")) if isinstance(answer, dict) else ""
