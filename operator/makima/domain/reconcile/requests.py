"""Steps that follow what a person asked for: archive, pause, resume, retry, advance."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from makima.domain.reasons import EventReason, TransitionReason
from makima.domain.reconcile.activity import with_activity, with_pause_counted
from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.field_owners import advance_owner
from makima.domain.reconcile.phase_change import (
    COMPLETED,
    AskValidator,
    NotFound,
    PhaseChange,
    RequiresConfirmation,
    Success,
    Unauthorized,
    ValidationFailed,
    VersionConflict,
    decide_phase_change,
)
from makima.domain.reconcile.states import RUNNING, may_follow
from makima.models.contract_spec import AdvanceRequest
from makima.models.contract_status import AdvanceStatus
from makima.models.enums import AdvanceOutcome, ContractState

S = ContractState
FINAL_OUTCOMES = frozenset({AdvanceOutcome.SUCCESS, AdvanceOutcome.VERSION_CONFLICT})
"""A request with another outcome stays open while the contract has the version that it names."""


def follow_archive(draft: Draft) -> Draft:
    """spec.archived, where the table allows it; elsewhere the Ready condition says what to do first."""
    if not draft.spec.archived or S.ARCHIVED not in {*_reachable(draft)}:
        return draft
    draft = draft.update(state=S.ARCHIVED, waiting_for=None, paused_from=None)
    return draft.because(TransitionReason.ARCHIVED, "Archived as asked").notify(EventReason.ARCHIVED, "Archived")


def _reachable(draft: Draft) -> set[ContractState]:
    return {state for state in S if state != draft.original.state and draft.may_become(state)}


def follow_suspend(draft: Draft) -> Draft:
    """spec.suspend: into Paused, and out of it to wherever the contract stands by then."""
    if not draft.around.settings.enhanced_status and draft.status.state is not S.PAUSED:
        return draft
    if draft.spec.suspend and S.PAUSED in _reachable(draft) and draft.status.state is not S.ARCHIVED:
        return _pause(draft)
    if not draft.spec.suspend and draft.status.state is S.PAUSED:
        return _resume(draft)
    return draft


def _pause(draft: Draft) -> Draft:
    reason = draft.spec.suspend_reason or "no reason given"
    draft = draft.update(state=S.PAUSED, paused_from=draft.original.state, waiting_for=None, blocked_reason=None)
    return draft.because(TransitionReason.PAUSED, f"Paused: {reason}"[:256]).notify(
        EventReason.PAUSED, f"Paused: {reason}; set spec.suspend to false to go on"
    )


def _resume(draft: Draft) -> Draft:
    draft = replace(draft, status=with_pause_counted(draft.status, draft.now))
    state = S.CREATED if draft.status.paused_from is S.CREATED else S.ACTIVE
    draft = draft.update(state=state, paused_from=None)
    return draft.because(TransitionReason.RESUMED, "Resumed").notify(EventReason.RESUMED, "Resumed")


def follow_retry(draft: Draft) -> Draft:
    """spec.retry for this very version: Failed goes back to Active in the same phase."""
    retry = draft.spec.retry
    if retry is None or draft.status.state is not S.FAILED or retry.expected_version != draft.original.version:
        return draft
    draft = draft.update(state=S.ACTIVE, failure_reason=None, finished_time=None)
    draft = replace(draft, status=with_activity(draft.status, draft.now))
    return draft.because(TransitionReason.RETRIED, "Taken up again as asked").notify(
        EventReason.RETRIED, f"Taken up again in phase {draft.status.phase}"
    )


def follow_advance(draft: Draft) -> Draft:
    """spec.advance: make the move, or say in status.advance why not."""
    request = draft.spec.advance
    if request is None or _answered(draft, request) or has_moved(draft):
        return draft
    if draft.spec.phase_guard and draft.recorded:
        return draft  # nobody confirmed these deliverables: they make a version first, and the approval dies with it
    change = judge_advance(draft, request)
    if isinstance(change, AskValidator):
        return draft.ask(change.undecided.question, holds=True)
    if isinstance(change, Success):
        return _move(draft, request, change)
    return _refuse(draft, request, change)


def has_moved(draft: Draft) -> bool:
    """Whether this very draft moved on as its supervisor wished; the request is answered by the next."""
    begins = draft.status.state is S.COMPLETING and draft.original.state is not S.COMPLETING
    return begins or draft.status.phase != draft.original.phase


def _answered(draft: Draft, request: AdvanceRequest) -> bool:
    told = draft.original.advance
    if told is None or (told.to, told.expected_version) != (request.to, request.expected_version):
        return False
    return told.outcome in FINAL_OUTCOMES


def judge_advance(draft: Draft, request: AdvanceRequest) -> PhaseChange:
    """What becomes of a wish to move on, whoever has it; nothing is changed."""
    # Judged at the stored version: reports that arrive in the same write are part of what was asked for.
    if draft.spec.suspend and request.expected_version == draft.original.version:
        return ValidationFailed("the contract is suspended; set spec.suspend to false first")
    change = decide_phase_change(draft.status, request, guarded=draft.spec.phase_guard, readiness=draft.readiness())
    begins = draft.original.state is not S.COMPLETING and may_follow(draft.original.state, S.COMPLETING)
    if isinstance(change, Success) and request.to == COMPLETED and not begins:
        return ValidationFailed(f"the contract was {draft.original.state} at version {request.expected_version}")
    return change


def _move(draft: Draft, request: AdvanceRequest, change: Success) -> Draft:
    outcome = AdvanceStatus(
        to=request.to,
        expected_version=request.expected_version,
        outcome=AdvanceOutcome.SUCCESS,
        message=f"Moved from {draft.status.phase} to {request.to} at version {draft.original.version + 1}",
    )
    reason = TransitionReason.COMPLETION_REQUESTED if request.to == COMPLETED else TransitionReason.ADVANCED
    if draft.spec.phase_guard:
        reason = TransitionReason.CONFIRMED
    if change.forced:
        reason = TransitionReason.FORCED
    why = f": {request.reason}" if request.reason else ""
    draft = replace(draft.update(advance=outcome), reason=None, forced=change.forced)
    actor = advance_owner(draft.contract.metadata.managed_fields)
    draft = draft.because(reason, f"{draft.status.phase} → {request.to}{why}"[:256], actor=actor)
    return move_to(draft, request.to)


def move_to(draft: Draft, goal: str) -> Draft:
    """The draft in the next phase, or completing."""
    left, event = draft.status.phase, EventReason.PHASE_FORCED if draft.forced else EventReason.PHASE_ADVANCED
    draft = replace(draft, status=with_activity(draft.status, draft.now))
    if goal == COMPLETED:
        return draft.update(state=S.COMPLETING, waiting_for=None)
    state = S.ACTIVE if draft.status.state not in RUNNING else draft.status.state
    draft = draft.update(phase=goal, state=state, waiting_for=None)
    return draft.notify(event, f"{left} → {goal}")


def _refuse(draft: Draft, request: AdvanceRequest, change: PhaseChange) -> Draft:
    outcome, message, missing = _explain(draft, request, change)
    told = AdvanceStatus(
        to=request.to,
        expected_version=request.expected_version,
        outcome=outcome,
        message=message[:1024],
        missing=tuple(item[:256] for item in missing[:32]),
    )
    if told == draft.original.advance:
        return draft
    draft = draft.update(advance=told)
    return draft.notify(EventReason.ADVANCE_REFUSED, told.message, warning=True)


def _explain(draft: Draft, request: AdvanceRequest, change: PhaseChange) -> tuple[AdvanceOutcome, str, tuple[str, ...]]:
    version = draft.original.version
    match change:
        case VersionConflict(expected, actual, phase):
            told = f"expected {expected}, actual {actual}, phase {phase}"
            text = f"VERSION_CONFLICT: {told}; look again, then ask for {actual}"
            return AdvanceOutcome.VERSION_CONFLICT, text, ()
        case RequiresConfirmation(deliverables):
            shown = ", ".join(deliverables) or "no deliverables"
            text = f"PHASE_GUARD_REQUIRED: somebody with the verb confirm sets spec.advance.confirmed; look at: {shown}"
            return AdvanceOutcome.REQUIRES_CONFIRMATION, text, ()
        case ValidationFailed(reason, missing):
            tail = f"; missing: {', '.join(missing)}" if missing else ""
            text = f"VALIDATION_FAILED: {reason}{tail}; the request stays open while the version is {version}"
            return AdvanceOutcome.VALIDATION_FAILED, text, missing
        case Unauthorized(needs):
            return AdvanceOutcome.UNAUTHORIZED, f"UNAUTHORIZED: needs the verb {needs}", ()
        case NotFound() | Success() | AskValidator():
            raise AssertionError(f"{change} is no refusal of {request.to}")
        case _:
            assert_never(change)
