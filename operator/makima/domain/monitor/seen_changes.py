"""The events of the monitor stream as far as the resources alone tell them: what differs between two looks at one.

For whoever watches Kubernetes while makima's API is away (plan 5.1, ContractMonitorEvent). What happened and was over
between two looks is not in them, nor are sequence numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from makima.domain.reasons import ConditionType
from makima.domain.reconcile.task_list import ENDED
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.models.enums import ConditionStatus, TaskState
from makima.models.supervisor import Supervisor

Frame = dict[str, Any]

IDENTITY: Mapping[str, tuple[str, ...]] = {
    "ContractCreated": (),
    "ContractDeleted": (),
    "StatusChanged": ("version",),
    "PhaseChanged": ("new_phase",),
    "DeliverableCompleted": ("phase", "deliverable_id"),
    "QuestionAsked": ("question_id",),
    "TaskCompleted": ("task_id",),
    "StaleDetected": ("last_activity",),
}


def contract_changes(before: Contract | None, after: Contract, at: datetime) -> Iterator[Frame]:
    """Frames for what became of a contract; for one that was not seen before, that it is there."""
    head = _head(after, at)
    new, old = after.status, before.status if before is not None else None
    if before is None:
        yield {"type": "ContractCreated", **head, "new_status": new.state.snake if new is not None else None}
    if new is None or before is None:
        return
    if old is None or old.state is not new.state:
        reason = new.transitions[-1].message if new.transitions else ""
        was = old.state.snake if old is not None else None
        moved = {"old_status": was, "new_status": new.state.snake, "reason": reason}
        yield {"type": "StatusChanged", **head, "version": _moved_at(new), **moved}
    if old is not None:
        yield from _work(old, new, head, at)


def contract_gone(last: Contract, at: datetime) -> Frame:
    """The frame for a contract that was deleted."""
    return {"type": "ContractDeleted", **_head(last, at)}


def supervisor_changes(before: Supervisor | None, after: Supervisor, contract_id: str, at: datetime) -> Iterator[Frame]:
    """Frames for what became of a supervisor."""
    new, old = after.status, before.status if before is not None else None
    if new is None or old is None:
        return
    meta = after.metadata
    head = {"at": at.isoformat(), "contract_id": contract_id, "namespace": meta.namespace, "name": meta.name}
    if new.state is not old.state:
        was, now = (state.snake if state is not None else None for state in (old.state, new.state))
        carrier = {"supervisor_task_id": meta.uid, "old_state": was, "new_state": now}
        yield {"type": "SupervisorStateChanged", **head, **carrier}
    if new.last_heartbeat_time is not None and new.last_heartbeat_time != old.last_heartbeat_time:
        state = new.state.snake if new.state is not None else None
        said: Frame = {"state": state, "activity": new.current_activity or "", "progress": new.progress or 0}
        yield {"type": "Heartbeat", **head, **said}


def identity(frame: Frame) -> tuple[str, ...] | None:
    """What an event is known by, in the stream and in a watch; None = a heartbeat, or a state of a supervisor.

    No phase is entered twice, and nothing else happens twice to the same deliverable, question, task or silence.
    """
    keys = IDENTITY.get(str(frame.get("type")))
    if keys is None:
        return None
    said = (str(frame.get(key)).replace("Z", "+00:00") for key in keys)  # the two spellings of UTC
    return (str(frame.get("contract_id")), str(frame["type"]), *said)


def _moved_at(status: ContractStatus) -> int:
    """The version that brought it into its state; the present one, where the outbox does not have it any more."""
    moves = (item.version for item in reversed(status.transitions) if item.from_state is not item.to_state)
    return next(moves, status.version)


def _head(contract: Contract, at: datetime) -> Frame:
    meta = contract.metadata
    return {"at": at.isoformat(), "contract_id": meta.uid, "namespace": meta.namespace, "name": meta.name}


def _work(old: ContractStatus, new: ContractStatus, head: Frame, at: datetime) -> Iterator[Frame]:
    if old.phase != new.phase:
        yield {"type": "PhaseChanged", **head, "old_phase": old.phase, "new_phase": new.phase}
    there = {(item.phase, item.id) for item in old.deliverables}
    for item in new.deliverables:
        if (item.phase, item.id) not in there:
            yield {"type": "DeliverableCompleted", **head, "phase": item.phase, "deliverable_id": item.id}
    asked = {question.id for question in old.questions}
    for question in new.questions:
        if question.id not in asked:
            told = {"question_id": question.id, "question": question.question, "question_type": question.type}
            yield {"type": "QuestionAsked", **head, **told}
    yield from _ended_tasks(old, new, head)
    if _is_stale(new) and not _is_stale(old):
        idle = max(0, round((at - new.last_activity_time).total_seconds()))
        since = new.last_activity_time.isoformat()
        yield {"type": "StaleDetected", **head, "last_activity": since, "stale_duration": idle}


def _ended_tasks(old: ContractStatus, new: ContractStatus, head: Frame) -> Iterator[Frame]:
    running = {task.id for task in old.tasks if task.state not in ENDED}
    for task in new.tasks:
        if task.id in running and task.state in ENDED:
            success = task.state is TaskState.COMPLETED
            yield {"type": "TaskCompleted", **head, "task_id": task.id, "task_name": task.name, "success": success}


def _is_stale(status: ContractStatus) -> bool:
    found = next((item for item in status.conditions if item.type == ConditionType.STALE), None)
    return found is not None and found.status is ConditionStatus.TRUE
