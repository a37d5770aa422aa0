"""Events of what supervisors do, made by whoever stores it first, in the transaction that stores it.

Ids are derived from what caused them, so that two who store the same thing make one event (design, "Ordering").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from makima.models.history import HistoryEvent

SUPERVISOR_STATE_CHANGED, TASK_COMPLETED, QUESTION_ASKED = "SupervisorStateChanged", "TaskCompleted", "QuestionAsked"

ENDED = ("completed", "failed")

Row = Mapping[str, Any]
"""A row with `contract_id`, and `namespace` and `contract_name` of the contract."""


def state_event(row: Row) -> HistoryEvent:
    """A supervisor is in another state.

    Args:
        row: `task_id`, `incarnation`, `old_state`, `new_state`, `at`, and `sequence` of the heartbeat that says so, or
            of the last one before.
    """
    identity = f"state:{row['incarnation']}:{row['sequence']}:{row['new_state']}"
    payload = {
        "supervisor_task_id": str(row["task_id"]),
        "old_state": row["old_state"],
        "new_state": row["new_state"],
        "incarnation": row["incarnation"],
    }
    return _event(row, SUPERVISOR_STATE_CHANGED, uuid5(row["task_id"], identity), row["at"], payload)


def task_event(row: Row) -> HistoryEvent | None:
    """A row of `tasks` has come to its end; None if it has not."""
    if row["state"] not in ENDED:
        return None
    payload = {
        "task_id": str(row["id"]),
        "task_name": row["name"],
        "success": row["state"] == "completed",
        "phase": row["phase"],
        "message": row["message"],
    }
    at = row["completed_at"] or row["created_at"]
    return _event(row, TASK_COMPLETED, uuid5(row["contract_id"], f"task:{row['id']}:ended"), at, payload)


def question_event(row: Row) -> HistoryEvent:
    """A row of `questions` was made."""
    payload = {
        "question_id": str(row["id"]),
        "question": row["text"],
        "question_type": "choice" if row["options"] else "text",
        "options": list(row["options"]),
        "phase": row["phase"],
    }
    identity = uuid5(row["contract_id"], f"question:{row['id']}:asked")
    return _event(row, QUESTION_ASKED, identity, row["asked_at"], payload)


def _event(row: Row, kind: str, identity: UUID, at: Any, payload: Mapping[str, Any]) -> HistoryEvent:
    return HistoryEvent(
        id=identity,
        contract_id=row["contract_id"],
        namespace=row["namespace"],
        contract_name=row["contract_name"],
        version=None,
        type=kind,
        at=at,
        payload=payload,
    )
