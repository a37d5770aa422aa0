"""Calls of people about contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UID = "7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11"
TASK = "0f5d1a44-7a6e-4e5e-8d33-2f6c1b9a7e02"
QUESTION = "c2a9f0b8-51f7-4d0e-9b86-5a1d3e7f4b03"
SUPERVISOR = "5b7c2d10-8e44-4b1f-a6c9-9d0e2f3a4b05"
EARLIER, NOW = "2026-11-25T10:00:00Z", "2026-11-25T10:30:00Z"

SUMMARY: dict[str, Any] = {
    "id": UID,
    "uid": UID,
    "namespace": "team-a",
    "name": "fix-login",
    "type": "simple",
    "contract_type": "simple",
    "description": "Users can't log in with a passkey.",
    "status": "active",
    "state": "active",
    "phase": "plan",
    "phases": ["plan", "execute"],
    "version": 2,
    "auto_complete_enabled": True,
    "auto_complete": True,
    "stale": False,
    "waiting_for": None,
    "blocked_reason": None,
    "failure_reason": None,
    "status_changed_at": EARLIER,
    "last_activity_at": NOW,
    "completion_detected_at": None,
    "created_at": EARLIER,
    "updated_at": NOW,
    "deleted_at": None,
    "labels": {"team": "login"},
}
PLAN: dict[str, Any] = {
    "phase": "plan",
    "id": "plan-document",
    "deliverable_id": "plan-document",
    "name": "Plan",
    "priority": "required",
    "completed": False,
    "completed_at": None,
    "completed_by": None,
    "uri": None,
    "digest": None,
}
DONE = {**PLAN, "completed": True, "completed_at": NOW, "completed_by": "ann@example.com"}
PULL_REQUEST = {**PLAN, "phase": "execute", "id": "pull-request", "deliverable_id": "pull-request", "name": None}
A_TASK: dict[str, Any] = {
    "id": TASK,
    "name": "read-the-code",
    "phase": "plan",
    "state": "running",
    "template": None,
    "message": None,
    "created_at": EARLIER,
    "completed_at": None,
}
A_QUESTION: dict[str, Any] = {
    "id": QUESTION,
    "text": "May the session table be changed?",
    "options": ["yes", "no"],
    "asked_at": EARLIER,
    "answer": None,
    "answered_at": None,
    "phase": "plan",
    "open": True,
}
DETAIL: dict[str, Any] = {
    **SUMMARY,
    "live": True,
    "accepted": True,
    "phase_guard": False,
    "suspended": False,
    "suspend_reason": None,
    "phase_list": [
        {"name": "plan", "current": True, "gate": True, "auto_advance": True, "deliverables": [PLAN]},
        {"name": "execute", "current": False, "gate": True, "auto_advance": True, "deliverables": [PULL_REQUEST]},
    ],
    "tasks": [A_TASK],
    "questions": [A_QUESTION],
    "advance": None,
    "supervisor": {"name": "fix-login", "task_id": SUPERVISOR, "incarnation": 1, "restarts": 0},
    "conditions": [
        {"type": "Ready", "status": "true", "reason": "Accepted", "message": "The contract is driven", "since": EARLIER}
    ],
}
AN_EVENT: dict[str, Any] = {
    "seq": 41,
    "id": "9e8d7c6b-5a49-4837-a625-143a2b1c0d06",
    "type": "StatusChanged",
    "at": EARLIER,
    "contract_id": UID,
    "namespace": "team-a",
    "name": "fix-login",
    "version": 2,
    "actor": None,
    "payload": {"old_status": "created", "new_status": "active", "reason": "Activated"},
}
MOVED = {**SUMMARY, "phase": "execute", "version": 4}

CONTRACT_CALLS: Mapping[str, tuple[Any, Any]] = {
    "list_contracts": (
        None,
        {
            "contracts": [SUMMARY],
            "next_cursor": "AQAGRG0J3sAAfR0f1jwcSlKdSgtvik8sEWkmHHAAAAAAAAAAAAAAAAAAAAA",
            "projection": {"recorded_at": NOW, "lag_seconds": 1.8},
        },
    ),
    "create_contract": (
        {
            "namespace": "team-a",
            "name": "fix-login",
            "labels": {"team": "login"},
            "spec": {"type": "simple", "description": "Users can't log in with a passkey.", "phaseGuard": False},
        },
        {**DETAIL, "state": "created", "version": 1, "tasks": [], "questions": [], "supervisor": None},
    ),
    "get_contract": (None, DETAIL),
    "delete_contract": (None, {"deleted": True, "contract": SUMMARY}),
    "change_phase": (
        {"phase": "execute", "expected_version": 3, "confirmed": True, "reason": "the plan is sound"},
        {"result": "success", "message": "moved to execute", "contract": MOVED},
    ),
    "change_status": (
        {"status": "paused", "reason": "waits for the review"},
        {
            "result": "success",
            "changed": True,
            "message": "asked to be paused",
            "contract": {**SUMMARY, "state": "paused", "version": 3},
        },
    ),
    "list_deliverables": (None, {"phase": "plan", "version": 2, "deliverables": [PLAN, PULL_REQUEST]}),
    "report_deliverable": (
        {"id": "plan-document", "uri": "https://git.example.com/plan.md"},
        {
            "result": "success",
            "changed": True,
            "deliverable": {**DONE, "uri": "https://git.example.com/plan.md"},
            "contract": {**SUMMARY, "version": 3},
        },
    ),
    "list_tasks": (None, {"tasks": [A_TASK], "next_cursor": None}),
    "list_questions": (None, {"questions": [A_QUESTION], "next_cursor": None}),
    "answer_question": (
        {"answer": "yes"},
        {"result": "success", "changed": True, "question_id": QUESTION, "contract": SUMMARY},
    ),
    "list_events": (None, {"events": [AN_EVENT], "next_after": 41, "more": False}),
    "export_contract": (
        None,
        {
            "format": "makima.dev/export/v1",
            "exported_at": NOW,
            "contract": DETAIL,
            "resource": {"apiVersion": "makima.dev/v1alpha1", "kind": "Contract", "metadata": {"name": "fix-login"}},
            "history": [AN_EVENT],
            "tasks": [A_TASK],
            "questions": [A_QUESTION],
            "messages": None,
            "truncated": [],
        },
    ),
    "get_phase_readiness": (
        None,
        {
            "phase": "plan",
            "ready": False,
            "missing": ["Deliverable: plan-document", "1 tasks incomplete"],
            "auto_advance_enabled": True,
        },
    ),
    "check_completion": (None, {"ready": True, "would_complete": True, "missing": []}),
    "set_auto_complete": (
        {"enabled": False},
        {**SUMMARY, "auto_complete_enabled": False, "auto_complete": False},
    ),
    "restart_supervisor": (
        {"expected_incarnation": 1},
        {"result": "success", "restarted": True, "incarnation": 2},
    ),
}
