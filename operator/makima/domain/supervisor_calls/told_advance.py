"""A supervisor's own wish to move on: made, or answered with what is missing (plan 1.2).

It never confirms anything. A supervisor whose account may confirm writes spec.advance like anybody else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from makima.domain.reasons import TransitionReason
from makima.domain.reconcile.draft import Draft
from makima.domain.reconcile.outbox import is_full
from makima.domain.reconcile.phase_change import (
    COMPLETED,
    AskValidator,
    NotFound,
    RequiresConfirmation,
    Success,
    Unauthorized,
    ValidationFailed,
    VersionConflict,
)
from makima.domain.reconcile.requests import has_moved, judge_advance, move_to
from makima.domain.supervisor_calls.told import AdvanceAnswer, AskAdvance, Outcome, RefusedReport
from makima.models.contract_spec import AdvanceRequest
from makima.models.contract_status import Transition
from makima.models.enums import AdvanceOutcome, ContractState
from makima.models.wire.problem import Code

O = AdvanceOutcome  # noqa: E741  # the table below reads better so


def take_advance(draft: Draft, report: AskAdvance) -> tuple[Draft, Outcome]:
    """Make the move, or say why not."""
    if is_full(draft.original, draft.around.recorded_version):
        text = "Postgres is away and the contract's outbox is full"
        return draft, RefusedReport(Code.UNAVAILABLE, text, "make the call again in some seconds")
    made = _made_before(draft, report)
    if made is not None:
        return draft, AdvanceAnswer(O.SUCCESS, made.to_phase, made.version, "it was made before")
    if has_moved(draft) or (draft.spec.phase_guard and draft.recorded):
        text = "something else came in with this wish; look at the contract, then ask again"
        return draft, _told(draft, O.VERSION_CONFLICT, text)
    request = AdvanceRequest(to=report.to, expected_version=report.expected_version)
    change = judge_advance(draft, request)
    if isinstance(change, Success):
        return _move(draft, report)
    return draft, _explain(draft, change)


def _made_before(draft: Draft, report: AskAdvance) -> Transition | None:
    """The version that this very wish made: its answer was lost on the way."""
    for item in draft.status.transitions:
        if item.version != report.expected_version + 1 or item.actor != report.by.actor:
            continue
        completing = report.to == COMPLETED and item.to_state is ContractState.COMPLETING
        if completing or (item.to_phase == report.to and item.from_phase != item.to_phase):
            return item
    return None


def _move(draft: Draft, report: AskAdvance) -> tuple[Draft, Outcome]:
    left = draft.status.phase
    reason = TransitionReason.COMPLETION_REQUESTED if report.to == COMPLETED else TransitionReason.ADVANCED
    why = f": {report.reason}" if report.reason else ""
    moved = replace(draft, reason=None).because(reason, f"{left} → {report.to}{why}", actor=report.by.actor)
    moved = move_to(moved, report.to)
    version = draft.original.version + 1
    answer = AdvanceAnswer(O.SUCCESS, moved.status.phase, version, f"{left} → {report.to} at version {version}")
    return moved, answer


Refusal = VersionConflict | RequiresConfirmation | ValidationFailed | Unauthorized | NotFound | AskValidator


def _explain(draft: Draft, change: Refusal) -> AdvanceAnswer:
    match change:
        case VersionConflict(expected, actual, phase):
            return _told(draft, O.VERSION_CONFLICT, f"expected {expected}, actual {actual}, phase {phase}")
        case RequiresConfirmation(deliverables):
            text = "somebody with the verb confirm has to set spec.advance.confirmed; wait for phase_changed"
            return replace(_told(draft, O.REQUIRES_CONFIRMATION, text), deliverables=deliverables)
        case ValidationFailed(reason, missing):
            return replace(_told(draft, O.VALIDATION_FAILED, reason), missing=missing)
        case AskValidator(undecided):
            answer = _told(draft, O.VALIDATION_FAILED, "the gate's validator has not answered yet")
            return replace(answer, awaits=undecided.question)
        case Unauthorized() | NotFound():
            raise AssertionError(f"{change} is no answer to a supervisor")
        case _:
            assert_never(change)


def _told(draft: Draft, outcome: AdvanceOutcome, message: str) -> AdvanceAnswer:
    return AdvanceAnswer(outcome, draft.original.phase, draft.original.version, message)
