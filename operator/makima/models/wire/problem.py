"""The error envelope: every answer that is not a success looks like this."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from makima.models.wire.message import Message


class Code(StrEnum):
    """Every code there is: the plan's, then ours (closed list)."""

    CONTRACT_NOT_FOUND = "CONTRACT_NOT_FOUND"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    PHASE_GUARD_REQUIRED = "PHASE_GUARD_REQUIRED"
    INVALID_DELIVERABLE = "INVALID_DELIVERABLE"
    SUPERVISOR_NOT_FOUND = "SUPERVISOR_NOT_FOUND"
    SUPERVISOR_DEAD = "SUPERVISOR_DEAD"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    SUPERSEDED = "SUPERSEDED"
    CONFLICT = "CONFLICT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    TOO_LARGE = "TOO_LARGE"
    UNAVAILABLE = "UNAVAILABLE"
    INTERNAL = "INTERNAL"

    @property
    def http_status(self) -> int:
        """The HTTP status that goes with it (plan, "Error Codes"; design, "Interfaces")."""
        return HTTP_STATUS[self]


HTTP_STATUS = {
    Code.CONTRACT_NOT_FOUND: 404,
    Code.INVALID_TRANSITION: 400,
    Code.VERSION_CONFLICT: 409,
    Code.PHASE_GUARD_REQUIRED: 409,
    Code.INVALID_DELIVERABLE: 400,
    Code.SUPERVISOR_NOT_FOUND: 404,
    Code.SUPERVISOR_DEAD: 503,
    Code.VALIDATION_FAILED: 400,
    Code.SUPERSEDED: 409,
    Code.CONFLICT: 409,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.TOO_LARGE: 413,
    Code.UNAVAILABLE: 503,
    Code.INTERNAL: 500,
}


class Problem(Message):
    """What is wrong, where, and what to do next."""

    code: Code
    message: str = Field(description="What is wrong, for people.")
    field: str | None = Field(None, description="Which field, where one is to blame.")
    hint: str | None = Field(None, description="What to do next.")
    details: dict[str, Any] = Field(default_factory=dict, description="For programs: expected, actual, phase, …")


class ErrorEnvelope(Message):
    """The body of every error answer."""

    error: Problem
