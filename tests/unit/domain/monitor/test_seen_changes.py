"""Events told from two looks at a resource, for whoever has no stream."""

from __future__ import annotations

from typing import Any

import pytest

from makima.domain.monitor.seen_changes import contract_changes, contract_gone, supervisor_changes
from makima.domain.reasons import ConditionType
from makima.models.condition import Condition
from makima.models.contract import Contract
from makima.models.contract_status import CompletedDeliverable
from makima.models.enums import ConditionStatus, ContractState, SupervisorState, TaskState
from tests.support.builders import START, UID, a_question, a_supervisor, a_task, active, at, with_status

S = ContractState
STALE = Condition(
    type=ConditionType.STALE,
    status=ConditionStatus.TRUE,
    reason="NoActivity",
    message="…",
    observed_generation=1,
    last_transition_time=START,
)
CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"state": S.PAUSED}, {"type": "StatusChanged", "old_status": "active", "new_status": "paused"}),
    ({"phase": "execute"}, {"type": "PhaseChanged", "old_phase": "plan", "new_phase": "execute"}),
    (
        {"deliverables": (CompletedDeliverable(phase="plan", id="plan-document", completed_time=START),)},
        {"type": "DeliverableCompleted", "phase": "plan", "deliverable_id": "plan-document"},
    ),
    (
        {"questions": (a_question(7),)},
        {"type": "QuestionAsked", "question": "Which branch?", "question_type": "free-text"},
    ),
    (
        {"tasks": (a_task(1, TaskState.FAILED),)},
        {"type": "TaskCompleted", "task_name": "build", "success": False},
    ),
    ({"conditions": (STALE,)}, {"type": "StaleDetected", "stale_duration": 90}),
]


def before() -> Contract:
    return with_status(active(), tasks=(a_task(1),), conditions=())


@pytest.mark.parametrize(("change", "expected"), CHANGES, ids=lambda value: value.get("type", ""))
def test_a_change_is_told(change: dict[str, Any], expected: dict[str, Any]) -> None:
    frames = list(contract_changes(before(), with_status(before(), **change), at(90)))
    assert [frame["type"] for frame in frames] == [expected["type"]]
    assert expected.items() <= frames[0].items()
    assert (frames[0]["contract_id"], frames[0]["namespace"], frames[0]["name"]) == (UID, "default", "work")


def test_no_change_is_no_event() -> None:
    assert list(contract_changes(before(), before(), at(1))) == []


def test_a_contract_seen_for_the_first_time_is_created_and_one_that_goes_is_deleted() -> None:
    types = [frame["type"] for frame in contract_changes(None, before(), at(1))]
    assert types == ["ContractCreated"]
    assert contract_gone(before(), at(1))["type"] == "ContractDeleted"


def test_states_and_heartbeats_of_supervisors() -> None:
    old = a_supervisor(SupervisorState.IDLE, incarnation=1)
    new = a_supervisor(SupervisorState.WORKING, incarnation=1, last_heartbeat_time=at(5), progress=40)
    state, beat = supervisor_changes(old, new, UID, at(6))
    assert (state["old_state"], state["new_state"]) == ("idle", "working")
    assert (beat["type"], beat["progress"], beat["contract_id"]) == ("Heartbeat", 40, UID)
    assert list(supervisor_changes(None, new, UID, at(6))) == []
