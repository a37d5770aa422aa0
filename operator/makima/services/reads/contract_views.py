"""Contracts as REST shows them: from the resource where it lives, from the projection where it is gone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from makima.domain.reconcile.activity import is_stale
from makima.domain.reconcile.history import contract_row
from makima.domain.reconcile.states import legacy_status
from makima.domain.settings import Settings
from makima.models.condition import Condition
from makima.models.contract import Contract
from makima.models.contract_status import AdvanceStatus, ContractStatus, Question, SupervisorReference, TaskStatus
from makima.models.enums import ContractState
from makima.models.gate import Deliverable, Phase
from makima.models.history import ContractRow
from makima.models.wire.contracts import (
    AdvanceView,
    ConditionView,
    ContractDetail,
    ContractSummary,
    DeliverableView,
    PhaseView,
    QuestionView,
    SupervisorView,
)
from makima.models.wire.work import TaskReport

STATES = {state.snake: state for state in ContractState}


def summary_of_row(row: ContractRow, settings: Settings, *, stale: bool = False) -> ContractSummary:
    """A row of the projection."""
    return ContractSummary.model_validate(_of_row(row, settings, stale))


def summary(contract: Contract, settings: Settings, now: datetime) -> ContractSummary:
    """The resource, in short."""
    return ContractSummary.model_validate(_of_contract(contract, settings, now))


def detail_of_row(row: ContractRow, settings: Settings) -> ContractDetail:
    """What is left of a contract that is gone."""
    return ContractDetail.model_validate({**_of_row(row, settings, stale=False), "live": False})


def detail(contract: Contract, settings: Settings, now: datetime) -> ContractDetail:
    """The resource."""
    status, spec = contract.status, contract.spec
    shown = _of_contract(contract, settings, now) | {
        "phase_guard": spec.phase_guard,
        "suspended": spec.suspend,
        "suspend_reason": spec.suspend_reason,
        "accepted": status is not None,
        "conditions": [_condition(one) for one in (status.conditions if status else contract.early_conditions)],
    }
    if status is not None:
        shown |= _of_status(status)
    return ContractDetail.model_validate(shown)


def deliverables(status: ContractStatus) -> tuple[DeliverableView, ...]:
    """Every deliverable of every phase."""
    return tuple(_deliverable(status, phase, item) for phase in status.phases for item in phase.deliverables)


def _of_row(row: ContractRow, settings: Settings, stale: bool) -> dict[str, Any]:
    old = legacy_status(STATES[row.status]).snake
    return {
        "id": row.uid,
        "uid": row.uid,
        "namespace": row.namespace,
        "name": row.name,
        "type": row.type,
        "contract_type": row.type,
        "description": row.description,
        "status": old,
        "state": row.status if settings.enhanced_status else old,
        "phase": row.phase,
        "phases": row.phases,
        "version": row.version,
        "auto_complete_enabled": row.auto_complete_enabled,
        "auto_complete": row.auto_complete_enabled,
        "stale": stale,
        "waiting_for": row.waiting_for,
        "blocked_reason": row.blocked_reason,
        "failure_reason": row.failure_reason,
        "status_changed_at": row.status_changed_at,
        "last_activity_at": row.last_activity_at,
        "completion_detected_at": row.completion_detected_at,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "deleted_at": row.deleted_at,
        "labels": dict(row.labels),
    }


def _of_contract(contract: Contract, settings: Settings, now: datetime) -> dict[str, Any]:
    if contract.status is None:
        return _unaccepted(contract, settings, now)
    stale = is_stale(contract.spec, contract.status, settings, now)
    return _of_row(contract_row(contract, contract.status), settings, stale)


def _unaccepted(contract: Contract, settings: Settings, now: datetime) -> dict[str, Any]:
    meta, spec = contract.metadata, contract.spec
    created, old = meta.creation_timestamp or now, legacy_status(ContractState.CREATED).snake
    return {
        "id": meta.uid,
        "uid": meta.uid,
        "namespace": meta.namespace,
        "name": meta.name,
        "type": spec.type,
        "contract_type": spec.type,
        "description": spec.description,
        "status": old,
        "state": ContractState.CREATED.snake if settings.enhanced_status else old,
        "version": 0,
        "auto_complete_enabled": spec.auto_complete,
        "auto_complete": spec.auto_complete,
        "created_at": created,
        "updated_at": created,
        "labels": dict(meta.labels),
    }


def _of_status(status: ContractStatus) -> dict[str, Any]:
    return {
        "phase_list": [_phase(status, phase) for phase in status.phases],
        "tasks": [_task(status, task) for task in status.tasks],
        "questions": [_question(question) for question in status.questions],
        "advance": _advance(status.advance) if status.advance is not None else None,
        "supervisor": _supervisor(status.supervisor_ref) if status.supervisor_ref is not None else None,
    }


def _task(status: ContractStatus, task: TaskStatus) -> TaskReport:
    return TaskReport(
        id=UUID(task.id),
        name=task.name,
        phase=task.phase,
        state=task.state.snake,
        template=task.template,
        message=task.message,
        created_at=task.start_time or status.last_activity_time,
        completed_at=task.completion_time,
    )


def _question(question: Question) -> QuestionView:
    return QuestionView(
        id=UUID(question.id),
        text=question.question,
        options=question.options,
        asked_at=question.asked_time,
        phase=question.phase,
        open=True,
    )


def _advance(told: AdvanceStatus) -> AdvanceView:
    return AdvanceView(
        to=told.to,
        expected_version=told.expected_version,
        outcome=told.outcome,
        message=told.message,
        missing=told.missing,
    )


def _supervisor(carrier: SupervisorReference) -> SupervisorView:
    return SupervisorView(
        name=carrier.name,
        task_id=UUID(carrier.uid),
        incarnation=carrier.incarnation,
        restarts=carrier.restarts,
    )


def _phase(status: ContractStatus, phase: Phase) -> PhaseView:
    return PhaseView(
        name=phase.name,
        current=phase.name == status.phase,
        gate=phase.gate is not None,
        auto_advance=phase.gate is not None and phase.gate.auto_advance,
        deliverables=tuple(_deliverable(status, phase, item) for item in phase.deliverables),
    )


def _deliverable(status: ContractStatus, phase: Phase, item: Deliverable) -> DeliverableView:
    there = next((done for done in status.deliverables if (done.phase, done.id) == (phase.name, item.id)), None)
    return DeliverableView(
        phase=phase.name,
        id=item.id,
        deliverable_id=item.id,
        name=item.name,
        priority=item.priority,
        completed=there is not None,
        completed_at=there.completed_time if there else None,
        completed_by=there.completed_by if there else None,
        uri=there.uri if there else None,
        digest=there.digest if there else None,
    )


def _condition(condition: Condition) -> ConditionView:
    return ConditionView(
        type=condition.type,
        status=condition.status,
        reason=condition.reason,
        message=condition.message,
        since=condition.last_transition_time,
    )
