"""What goes to Postgres about a contract: its projection row, and events made from its transitions.

Ids are derived from contract UID and version, so recording a transition again stores nothing new (design, "Ordering"
1).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from makima.domain.reconcile.activity import idle_since
from makima.domain.reconcile.outbox import unrecorded
from makima.domain.reconcile.states import legacy_status
from makima.models.contract import Contract
from makima.models.contract_status import CompletedDeliverable, ContractStatus, Transition
from makima.models.enums import TaskState
from makima.models.history import STATUS_KEY, ContractRow, HistoryEvent, TaskRow, Unversioned, transition_event_id

CREATED, STATUS_CHANGED = "ContractCreated", "StatusChanged"
PHASE_CHANGED, DELIVERABLE_COMPLETED = "PhaseChanged", "DeliverableCompleted"
STALE_DETECTED = "StaleDetected"


def contract_row(contract: Contract, status: ContractStatus) -> ContractRow:
    """The projection row of an accepted contract."""
    meta, spec = contract.metadata, contract.spec
    idle, own = idle_since(spec, status), spec.stale_after_seconds
    now = unversioned(contract, status)
    created = meta.creation_timestamp or status.state_changed_time
    return ContractRow(
        uid=UUID(meta.uid),
        namespace=meta.namespace,
        name=meta.name,
        type=spec.type,
        status=status.state.snake,
        phase=status.phase,
        phases=tuple(phase.name for phase in status.phases),
        version=status.version,
        resource_version=meta.resource_version,
        generation=meta.generation,
        description=spec.description,
        auto_complete_enabled=spec.auto_complete,
        status_changed_at=status.state_changed_time,
        last_activity_at=status.last_activity_time,
        waiting_for=now.waiting_for,
        blocked_reason=status.blocked_reason,
        failure_reason=status.failure_reason,
        completion_detected_at=status.completion_detected_time,
        created_at=created,
        updated_at=status.transitions[-1].time if status.transitions else status.last_activity_time,
        labels=dict(meta.labels),
        suspended=now.suspended,
        running_tasks=now.running_tasks,
        pending_tasks=now.pending_tasks,
        worktrees=now.worktrees,
        idle_since=idle,
        stale_after_seconds=own,
        stale_at=idle + timedelta(seconds=own) if idle is not None and own is not None else None,
    )


def unversioned(contract: Contract, status: ContractStatus) -> Unversioned:
    """What of the row can change without a version: it is recorded again when it did."""
    return Unversioned(
        suspended=contract.spec.suspend,
        running_tasks=_tasks_in(status, TaskState.RUNNING),
        pending_tasks=_tasks_in(status, TaskState.PENDING),
        worktrees=known_worktrees(contract, status),
        waiting_for=status.waiting_for,
    )


def _tasks_in(status: ContractStatus, state: TaskState) -> int:
    return sum(task.state is state for task in status.tasks)


def known_worktrees(contract: Contract, status: ContractStatus) -> int:
    """Worktrees in the contract's workspace, as far as is known without looking into the volume.

    Those that its last clearing left or could not remove, or only counted; and one for each task with a pod that was
    spawned since: a pod's worktree stays until a clearing takes it away, also when its task has ended.
    """
    if contract.spec.workspace is None:
        return 0
    seen = status.workspace
    spawned = [task.start_time for task in status.tasks if task.template is not None and task.start_time is not None]
    if seen is None:
        return len(spawned)
    orphans = max(seen.orphans, seen.worktrees_failed)  # what could not be removed is among them, but was not always
    return seen.worktrees + orphans + sum(at > seen.cleared_time for at in spawned)


def task_rows(contract: Contract, status: ContractStatus) -> tuple[TaskRow, ...]:
    """The tasks that the status lists."""
    return tuple(
        TaskRow(
            id=UUID(task.id),
            contract_id=UUID(contract.metadata.uid),
            name=task.name,
            phase=task.phase,
            state=task.state.snake,
            template=task.template,
            created_at=task.start_time or status.last_activity_time,
            completed_at=task.completion_time,
            message=task.message,
        )
        for task in status.tasks
    )


def unrecorded_events(contract: Contract, status: ContractStatus, recorded_version: int) -> tuple[HistoryEvent, ...]:
    """Events of every transition that Postgres may not have, in order of version."""
    pending = unrecorded(status, recorded_version)
    return tuple(event for transition in pending for event in _events(contract, status, transition))


def stale_event(contract: Contract, status: ContractStatus) -> HistoryEvent:
    """The rising edge of staleness; its id is derived from the last activity, so that one silence is one event."""
    uid = UUID(contract.metadata.uid)
    last = status.last_activity_time
    at = next(c.last_transition_time for c in status.conditions if c.type == "Stale")
    payload = {
        "last_activity": last.isoformat(),
        "stale_duration": (at - last).total_seconds(),
        STATUS_KEY: status.state.snake,
    }
    return HistoryEvent(
        id=uuid5(uid, f"stale:{last.isoformat()}"),
        contract_id=uid,
        namespace=contract.metadata.namespace,
        contract_name=contract.metadata.name,
        version=None,
        type=STALE_DETECTED,
        at=at,
        actor=None,
        payload=payload,
    )


def _events(contract: Contract, status: ContractStatus, transition: Transition) -> Iterator[HistoryEvent]:
    uid = UUID(contract.metadata.uid)
    for ordinal, (kind, payload) in enumerate(_payloads(status, transition)):
        yield HistoryEvent(
            id=transition_event_id(uid, transition.version, ordinal),
            contract_id=uid,
            namespace=contract.metadata.namespace,
            contract_name=contract.metadata.name,
            version=transition.version,
            type=kind,
            at=transition.time,
            actor=transition.actor,
            payload={
                "reason": transition.reason,
                "message": transition.message,
                STATUS_KEY: transition.to_state.snake,
                **payload,
            },
        )


def _payloads(status: ContractStatus, transition: Transition) -> Iterator[tuple[str, dict[str, Any]]]:
    """Deliverables first, then the phase, then the state: the order in which one version's changes happen."""
    for key in transition.deliverables:
        yield DELIVERABLE_COMPLETED, {"phase": key.phase, "deliverable_id": key.id, **_where(status, key.phase, key.id)}
    if transition.from_state is None:
        yield CREATED, {"new_status": transition.to_state.snake, "new_phase": transition.to_phase}
        return
    if transition.from_phase is not None and transition.from_phase != transition.to_phase:
        forced = {"forced": True} if transition.forced else {}
        yield PHASE_CHANGED, {"old_phase": transition.from_phase, "new_phase": transition.to_phase, **forced}
    if transition.from_state is not transition.to_state:
        yield STATUS_CHANGED, _status_change(transition)


def _status_change(transition: Transition) -> dict[str, Any]:
    assert transition.from_state is not None
    return {
        "old_status": transition.from_state.snake,
        "new_status": transition.to_state.snake,
        "old_legacy_status": legacy_status(transition.from_state).snake,
        "new_legacy_status": legacy_status(transition.to_state).snake,
        **({"forced": True} if transition.forced else {}),
    }


def _where(status: ContractStatus, phase: str, identifier: str) -> dict[str, Any]:
    found: CompletedDeliverable | None = next(
        (item for item in status.deliverables if (item.phase, item.id) == (phase, identifier)), None
    )
    if found is None:
        return {}
    return {key: value for key, value in (("uri", found.uri), ("digest", found.digest)) if value is not None}
