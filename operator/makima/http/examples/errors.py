"""Each code of the envelope, as it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from makima.models.wire.problem import Code


def _problem(code: Code, message: str, hint: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code.value, "message": message, "hint": hint, "details": {}, **more}}


PROBLEMS: Mapping[Code, dict[str, Any]] = {
    Code.CONTRACT_NOT_FOUND: _problem(
        Code.CONTRACT_NOT_FOUND, "there is no contract team-a:fix-login", "GET /api/v1/contracts lists yours"
    ),
    Code.INVALID_TRANSITION: _problem(
        Code.INVALID_TRANSITION,
        "a contract that is active can't be archived; pause it first",
        "from here it can be asked to be paused",
        field="status",
        details={"current": "active", "requested": "archived", "allowed": ["paused"]},
    ),
    Code.VERSION_CONFLICT: _problem(
        Code.VERSION_CONFLICT,
        "expected version 4, but the contract has 5, in phase execute",
        "look at the contract again, then ask for version 5",
        field="expected_version",
        details={"expected": 4, "actual": 5, "current_phase": "execute"},
    ),
    Code.PHASE_GUARD_REQUIRED: _problem(
        Code.PHASE_GUARD_REQUIRED,
        "leaving plan waits for a confirmation by somebody who has the verb confirm",
        "look at the deliverables, then ask again with confirmed: true",
        field="confirmed",
        details={
            "current_phase": "plan",
            "version": 3,
            "deliverables": [
                {
                    "phase": "plan",
                    "id": "plan-document",
                    "deliverable_id": "plan-document",
                    "name": "Plan",
                    "priority": "required",
                    "completed": True,
                    "completed_at": "2026-11-25T10:14:00Z",
                    "completed_by": "ann@example.com",
                    "uri": "https://git.example.com/plan.md",
                    "digest": None,
                }
            ],
        },
    ),
    Code.INVALID_DELIVERABLE: _problem(
        Code.INVALID_DELIVERABLE,
        "phase plan has no deliverable pull-request; it has plan-document",
        "GET …/deliverables lists them",
        field="id",
        details={
            "phase": "plan",
            "deliverable_id": "pull-request",
            "current_phase": "plan",
            "valid": [{"phase": "plan", "id": "plan-document"}, {"phase": "execute", "id": "pull-request"}],
        },
    ),
    Code.SUPERVISOR_NOT_FOUND: _problem(
        Code.SUPERVISOR_NOT_FOUND, "no supervisor carries this contract", "give it one, or register an external one"
    ),
    Code.SUPERVISOR_DEAD: _problem(
        Code.SUPERVISOR_DEAD,
        "the supervisor has not been heard of since 2026-11-25T10:30:00+00:00",
        "the operator restarts a pod by itself; an external supervisor has to be started again",
    ),
    Code.VALIDATION_FAILED: _problem(
        Code.VALIDATION_FAILED,
        "the gate is not ready: Deliverable: plan-document",
        "complete what is missing, or say force: true",
        details={
            "reason": "the gate is not ready",
            "missing_requirements": ["Deliverable: plan-document"],
            "missing": ["Deliverable: plan-document"],
            "current_phase": "plan",
        },
    ),
    Code.SUPERSEDED: _problem(
        Code.SUPERSEDED,
        "incarnation 3 carries the contract now",
        "stop: register again only to take the contract over",
        details={"current": 3},
    ),
    Code.CONFLICT: _problem(
        Code.CONFLICT, 'contracts.makima.dev "fix-login" already exists', "choose another name, or change that one"
    ),
    Code.UNAUTHENTICATED: _problem(
        Code.UNAUTHENTICATED, "the call carries no bearer token", "send one: kubectl create token NAME"
    ),
    Code.FORBIDDEN: _problem(
        Code.FORBIDDEN,
        "this needs the verb confirm on the contract",
        "somebody who has the verb confirm does it, or binds you makima-confirm",
        details={"needs": "confirm"},
    ),
    Code.NOT_FOUND: _problem(Code.NOT_FOUND, "there is no /api/v1/nothing", "see /openapi.json"),
    Code.TOO_LARGE: _problem(
        Code.TOO_LARGE,
        "the body is longer than 65536 bytes",
        "send less, or in several calls",
        details={"limit": 65536},
    ),
    Code.UNAVAILABLE: _problem(
        Code.UNAVAILABLE,
        "Postgres can't be used at the moment",
        "make the same call again after the time in Retry-After",
        details={"retry_after_seconds": 2},
    ),
    Code.INTERNAL: _problem(
        Code.INTERNAL,
        "an error that nobody foresaw; the log of the API service has it",
        "making the call again is safe; report it if it stays",
    ),
}
