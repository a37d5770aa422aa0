"""Alive, but nothing comes of it: heartbeats go on for spec.progressDeadlineSeconds while nothing else happens.

Liveness is not progress (design, "Supervisors"), as for a Deployment's progressDeadlineSeconds. A pause freezes the
deadline: its end is a change of state, from which the deadline counts anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from makima.domain.reconcile.draft import Draft
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState


def progressed_at(status: ContractStatus, worked: datetime | None) -> datetime:
    """When anything but a heartbeat happened last: a version, a task, a question, or what only Postgres knows."""
    moments = [status.state_changed_time, status.phase_start_time, worked]
    moments += [item.time for item in status.transitions[-1:]]
    moments += [moment for task in status.tasks for moment in (task.start_time, task.completion_time)]
    moments += [question.asked_time for question in status.questions]
    return max(moment for moment in moments if moment is not None)


def stuck_at(draft: Draft) -> datetime | None:
    """When the supervisor counts as stuck if nothing happens; None = it is not watched, or not heard."""
    seconds, heard = draft.spec.progress_deadline_seconds, draft.around.heard
    watched = draft.around.settings.supervisor_heartbeat and draft.status.state is ContractState.ACTIVE
    if seconds is None or heard is None or not watched or draft.suspended:
        return None
    since = progressed_at(draft.status, draft.around.worked)
    return since + timedelta(seconds=seconds) if heard > since else None


def is_stuck(draft: Draft) -> bool:
    """Whether nothing has come of its heartbeats for too long."""
    moment = stuck_at(draft)
    return moment is not None and draft.now >= moment
