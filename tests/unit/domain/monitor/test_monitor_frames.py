"""Frames of the live monitor: the plan's names and fields for each of its eight types."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.domain.monitor.frames import frame_of, subject_of
from makima.models.enums import SupervisorState
from makima.models.history import HistoryEvent, StoredEvent
from makima.models.wire.monitor import PLANNED, HeartbeatFrame
from tests.support.history_values import START, event

UID, OTHER = uuid4(), uuid4()


def stored(kind: str, payload: dict[str, Any], seq: int = 7) -> StoredEvent:
    return StoredEvent(seq, event(UID, 3, type=kind, payload=payload))


def sent(found: StoredEvent, **flags: bool) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(frame_of(found, **flags).model_dump_json(exclude_none=True))
    return frame


ENVELOPE = {"version", "seq", "at", "contract_id", "namespace", "name", "type", "actor"}

EVENTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "StatusChanged",
        {"old_status": "active", "new_status": "paused", "reason": "Suspended", "message": "lunch"},
        {"old_status": "active", "new_status": "paused", "reason": "Suspended", "message": "lunch"},
    ),
    (
        "PhaseChanged",
        {"old_phase": "plan", "new_phase": "execute", "reason": "r", "message": ""},
        {"old_phase": "plan", "new_phase": "execute", "reason": "r", "message": ""},
    ),
    (
        "SupervisorStateChanged",
        {"supervisor_task_id": str(OTHER), "old_state": "working", "new_state": "blocked", "incarnation": 2},
        {"supervisor_task_id": str(OTHER), "old_state": "working", "new_state": "blocked", "incarnation": 2},
    ),
    (
        "StaleDetected",
        {"last_activity": (START - timedelta(minutes=30)).isoformat()},
        {"last_activity": "2026-11-23T08:30:00Z", "stale_duration": 1800.0},
    ),
    (
        "TaskCompleted",
        {"task_id": str(OTHER), "task_name": "read", "success": False, "phase": "plan", "message": None},
        {"task_id": str(OTHER), "task_name": "read", "success": False, "phase": "plan"},
    ),
    (
        "DeliverableCompleted",
        {"phase": "plan", "deliverable_id": "plan-document", "uri": "https://x"},
        {"phase": "plan", "deliverable_id": "plan-document", "uri": "https://x"},
    ),
    (
        "QuestionAsked",
        {"question_id": str(OTHER), "question": "Go on?", "question_type": "choice", "options": ["yes", "no"]},
        {"question_id": str(OTHER), "question": "Go on?", "question_type": "choice", "options": ["yes", "no"]},
    ),
    ("ContractCreated", {"new_phase": "plan"}, {"new_phase": "plan"}),
    ("ContractDeleted", {}, {}),
    ("StatusChanged", {"from": "an older version"}, {"from": "an older version"}),
]


@pytest.mark.parametrize(("kind", "payload", "fields"), EVENTS)
def test_an_event_is_sent_with_its_fields(kind: str, payload: dict[str, Any], fields: dict[str, Any]) -> None:
    frame = sent(stored(kind, payload))
    assert {key: value for key, value in frame.items() if key not in ENVELOPE} == fields
    assert (frame["type"], frame["seq"], frame["contract_id"]) == (kind, 7, str(UID))
    assert (frame["namespace"], frame["name"], frame["at"]) == ("team-a", "move-invoices", "2026-11-23T09:00:00Z")


def test_a_heartbeat_has_the_plans_fields_and_no_number() -> None:
    frame = HeartbeatFrame(
        at=START, contract_id=UID, namespace="n", name="c", state=SupervisorState.WAITING_FOR_USER, activity="a"
    )
    found = json.loads(frame.model_dump_json(exclude_none=True))
    assert {"state": "waiting_for_user", "activity": "a", "progress": 0}.items() <= found.items()
    assert "seq" not in found


def test_all_eight_types_of_the_plan_are_there() -> None:
    assert [model.model_fields["type"].default for model in PLANNED] == [
        "StatusChanged",
        "PhaseChanged",
        "SupervisorStateChanged",
        "Heartbeat",
        "StaleDetected",
        "TaskCompleted",
        "DeliverableCompleted",
        "QuestionAsked",
    ]


def test_a_change_of_state_concerns_both_sides_and_anything_else_the_state_it_happened_in() -> None:
    change = stored("StatusChanged", {"old_status": "active", "new_status": "paused", "contract_status": "paused"})
    assert subject_of(change).statuses == {"active", "paused"}
    assert subject_of(stored("TaskCompleted", {"contract_status": "blocked"})).statuses == {"blocked"}
    assert subject_of(stored("TaskCompleted", {})).statuses == frozenset()


def test_without_the_nine_states_only_the_old_three_are_sent() -> None:
    change = stored("StatusChanged", {"old_status": "blocked", "new_status": "failed", "contract_status": "failed"})
    frame = sent(change, enhanced=False)
    assert (frame["old_status"], frame["new_status"], frame["contract_status"]) == ("active", "completed", "completed")
    assert subject_of(change, enhanced=False).statuses == {"active", "completed"}


words = st.sampled_from(["", "active", "2026-11-23T08:30:00Z", "2026-11-23T08:30:00", str(UID), "\x1f", "x" * 9999])
json_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | words
    | st.lists(words, max_size=2)
)
keys = st.sampled_from(["seq", "type", "at", "old_status", "contract_status", "last_activity", "success", "name", "x"])


@given(st.sampled_from([row[0] for row in EVENTS]), st.dictionaries(keys, json_values), st.booleans())
def test_whatever_the_history_holds_is_sent_under_its_own_number(
    kind: str, payload: dict[str, Any], enhanced: bool
) -> None:
    found = StoredEvent(9, HistoryEvent(uuid4(), UID, "n", "c", None, kind, START, None, payload))
    frame = sent(found, enhanced=enhanced)
    assert (frame["seq"], frame["type"], frame["name"]) == (9, kind, "c")
    assert subject_of(found, enhanced=enhanced).contract_id == UID
