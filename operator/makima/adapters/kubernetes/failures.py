"""From the API server's answers to makima's errors. The plan's code is found wherever a policy's message carries it."""

from __future__ import annotations

import json
import re
from typing import Any

from makima.errors import ClusterError, ClusterUnavailable, Conflict, Denied, Expired, NotFound

CODE = re.compile(r"\b([A-Z][A-Z]+_[A-Z_]*[A-Z]|UNAUTHORIZED): ")
OVERLOADED = 429
MISFIT = "the server rejected our request due to an error in our request"
"""All that the API server says of a JSON patch that can't be applied: a `test` failed, or a place is not there. Patches
of makima's are made for what was read, so somebody changed it since."""

LIST = re.compile(r"( is invalid: )\[(.*)\]\Z", re.DOTALL)
"""Several things that are wrong with an object."""

UNCHECKED = (
    ", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid;"
    " correct the existing errors to complete validation"
)
"""What the API server adds to a list of them: nothing that somebody could mend."""

GROWN = frozenset({"FieldValueDuplicate", "FieldValueTooMany"})
"""Causes of a refusal that say that a list has more in it than one looked at."""


def failure_of(status: int, payload: bytes, call: str) -> ClusterError:
    """The error for an answer with an HTTP status of 400 or more."""
    answer = _answer(payload)
    message = str(answer.get("message", "")) or f"{call}: HTTP {status}"
    if status == 404:
        return NotFound(message)
    if status == 410:
        return Expired(message)
    if status == 409 or (status == 422 and message == MISFIT):
        return Conflict(message)
    if status == OVERLOADED or status >= 500:
        return ClusterUnavailable(f"the API server can't serve now ({status}): {message}")
    if status == 401:
        hint = "renew the credentials in the kubeconfig"
        return Denied(f"the API server does not know us: {message}", hint, status=status)
    return denied(message, status, grown=not GROWN.isdisjoint(_causes(answer)))


def denied(message: str, status: int = 0, *, grown: bool = False) -> Denied:
    """A refusal; the text before the plan's code (which policy, which object) is left out where there is a code."""
    message = LIST.sub(r"\1\2", message.replace(UNCHECKED, ""))
    found = CODE.search(message)
    if found is None:
        return Denied(message, status=status, grown=grown)
    return Denied(message[found.start() :], code=found.group(1), status=status, grown=grown)


def _answer(payload: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(payload)
    except ValueError:
        return {"message": payload[:500].decode(errors="replace")}
    return answer if isinstance(answer, dict) else {}


def _causes(answer: dict[str, Any]) -> list[str]:
    return [str(cause.get("reason")) for cause in (answer.get("details") or {}).get("causes") or ()]
