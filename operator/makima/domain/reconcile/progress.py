"""Steps that happen by themselves: start, auto-advance, completion."""

from __future__ import annotations

from dataclasses import replace

from makima.domain.reasons import EventReason, TransitionReason
from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.gates import NotReady, Ready, Undecided, completion_held_until, current_phase, next_phase
from makima.domain.reconcile.phase_change import destination
from makima.domain.reconcile.reports import registered
from makima.domain.reconcile.requests import move_to
from makima.domain.reconcile.states import RUNNING
from makima.domain.reconcile.task_list import ENDED, folded
from makima.models.enums import ContractState

S = ContractState


def start(draft: Draft) -> Draft:
    """Created → Active once a supervisor registers or anything at all is reported."""
    if draft.status.state is not S.CREATED or draft.suspended:
        return draft
    why = _started_by(draft)
    if why is None:
        return draft
    return draft.update(state=S.ACTIVE).because(TransitionReason.ACTIVATED, why).notify(EventReason.ACTIVATED, why)


def _started_by(draft: Draft) -> str | None:
    status, settings = draft.status, draft.around.settings
    if settings.supervisor_heartbeat and registered(draft.around.supervisor):
        return "Active: a supervisor registered"
    if status.deliverables or status.tasks or status.task_counts or status.questions:
        return "Active: work was reported"
    if status.phase_start_time is not None and status.last_activity_time > status.phase_start_time:
        return "Active: activity was reported"
    return None if settings.enhanced_status else "Active"


def advances_by_itself(draft: Draft) -> bool:
    """Whether the contract leaves the phase it is in without being asked, once the gate is ready."""
    settings = draft.around.settings
    if next_phase(draft.status) is None:
        return settings.contracts_complete and draft.spec.auto_complete
    gate = current_phase(draft.status).gate
    return settings.phases_advance and gate is not None and gate.auto_advance


def detect_completion(draft: Draft) -> Draft:
    """Note when everything that the last phase requires was first seen to be there."""
    seen = draft.status.completion_detected_time is not None
    if seen or not draft.around.settings.auto_complete or next_phase(draft.status) is not None:
        return draft
    if draft.status.state not in RUNNING or not isinstance(draft.readiness(), Ready):
        return draft
    return draft.update(completion_detected_time=draft.now)


def auto_advance(draft: Draft) -> Draft:
    """Move on where gate, flags and suspension agree and no guard is in the way (plan 2.3)."""
    under_way = draft.status.state in (S.ACTIVE, S.WAITING_FOR_INPUT) and not draft.suspended
    if draft.phase_moved or not under_way or not advances_by_itself(draft):
        return draft
    held = completion_held_until(draft.status)
    if held is not None and draft.now < held:
        return draft
    readiness = draft.readiness()
    if isinstance(readiness, Undecided):
        return draft.ask(readiness.question)
    if not isinstance(readiness, Ready) or draft.spec.phase_guard:
        return draft
    return _leave_phase(draft)


def _leave_phase(draft: Draft) -> Draft:
    goal = destination(draft.status)
    last = next_phase(draft.status) is None
    if last and not draft.may_become(S.COMPLETING):
        return draft  # it has just been started or resumed; the next look completes it
    reason = TransitionReason.COMPLETION_DETECTED if last else TransitionReason.AUTO_ADVANCED
    draft = replace(draft, reason=None).because(reason, f"{draft.status.phase} → {goal}")
    return move_to(draft, goal)


def complete(draft: Draft) -> Draft:
    """Completing: the gate once more, then Completed with the tasks folded, or back to Active."""
    if draft.original.state is not S.COMPLETING:
        return draft
    readiness = draft.readiness()
    if not _was_forced(draft):
        if isinstance(readiness, Undecided):
            return draft.ask(readiness.question)
        if isinstance(readiness, NotReady):
            return _fall_through(draft, readiness)
    draft = fold_finished_tasks(draft).update(state=S.COMPLETED, finished_time=draft.now, waiting_for=None)
    draft = replace(draft, reason=None)
    return draft.because(TransitionReason.COMPLETED, "Completed").notify(EventReason.COMPLETED, "Completed")


def _was_forced(draft: Draft) -> bool:
    return bool(draft.original.transitions and draft.original.transitions[-1].forced)


def _fall_through(draft: Draft, readiness: NotReady) -> Draft:
    missing = ", ".join(readiness.missing)
    draft = replace(draft, reason=None).update(state=S.ACTIVE, completion_detected_time=None)
    draft = draft.because(TransitionReason.FINAL_VALIDATION_FAILED, f"Missing: {missing}"[:256])
    return draft.notify(EventReason.FINAL_VALIDATION_FAILED, f"Back to Active; missing: {missing}", warning=True)


def fold_finished_tasks(draft: Draft) -> Draft:
    """Clean-up of Completing: finished tasks become counts."""
    leaving = [task for task in draft.status.tasks if task.state in ENDED]
    return replace(draft, status=folded(draft.status, leaving))
