"""What to do about a contract: one look, one decision, at most one write.

`decide` is the heart of the operator. It reads like a table of contents: the steps run in order on a draft, and
`_finish` turns the draft into the next status. It is called again with the written object until nothing changes any
more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from makima.domain.reasons import ConditionReason, ConditionType, EventReason
from makima.domain.reconcile import outbox
from makima.domain.reconcile.activity import WATCHED, shown_until
from makima.domain.reconcile.conditions import contract_conditions
from makima.domain.reconcile.decision import Decision
from makima.domain.reconcile.draft import Draft, Surroundings
from makima.domain.reconcile.first_status import decide_acceptance
from makima.domain.reconcile.gates import phase_progress
from makima.domain.reconcile.lost_supervisor import fail_with_supervisor
from makima.domain.reconcile.next_look import as_heard, expired, wake_at
from makima.domain.reconcile.progress import auto_advance, complete, detect_completion, start
from makima.domain.reconcile.reports import follow_supervisor, take_answers, take_deliverables
from makima.domain.reconcile.requests import follow_advance, follow_archive, follow_retry, follow_suspend
from makima.domain.reconcile.rest import settle
from makima.domain.supervisor_calls.take_told import take_told
from makima.domain.supervisor_calls.told import Outcome, RefusedReport
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus, Transition
from makima.models.enums import ConditionStatus, ContractState
from makima.models.wire.problem import Code

S = ContractState

STEPS: tuple[Callable[[Draft], Draft], ...] = (
    take_deliverables,
    take_answers,
    follow_supervisor,
    follow_archive,
    follow_suspend,
    follow_retry,
    start,
    complete,
    follow_advance,
    detect_completion,
    auto_advance,
    fail_with_supervisor,
    settle,
)
"""Reports first, then what people asked for, then what happens by itself, then where the contract rests."""


def decide(contract: Contract, around: Surroundings) -> Decision:
    """The one next thing to do about `contract`, given what is known around it."""
    if contract.metadata.deleting:
        return Decision(told=_untold(around, Code.CONTRACT_NOT_FOUND, "the contract is being deleted"))
    if contract.status is None:
        decision = decide_acceptance(contract, around)
        return replace(decision, told=_untold(around, Code.UNAVAILABLE, "the contract is not accepted yet; try again"))
    told = take_told(Draft(contract, around, contract.status, contract.status))
    if outbox.is_full(contract.status, around.recorded_version):
        return _finish(told)
    return _conclude(told, _stepped(told))


def _untold(around: Surroundings, code: Code, message: str) -> tuple[Outcome, ...]:
    return tuple(RefusedReport(code, message) for _ in around.reports)


def _stepped(draft: Draft) -> Draft:
    for step in STEPS:
        draft = step(draft)
        if draft.holds:
            break
    return draft


def _conclude(told: Draft, draft: Draft) -> Decision:
    """What was reported is written at once; a validator that takes its time is asked after it."""
    if draft.question is None or not (draft.holds or not _changes_version(draft)):
        return _finish(draft)
    if told.status != told.original:
        return _finish(told)
    return Decision(question=draft.question, told=told.told)


def _finish(draft: Draft) -> Decision:
    new_version = _changes_version(draft)
    if new_version:
        draft = _with_new_version(draft)
    stale_before = _stale(draft.original)
    draft = draft.update(
        conditions=contract_conditions(as_heard(draft)), observed_generation=draft.contract.metadata.generation
    )
    became_stale = not stale_before and _stale(draft.status)
    if became_stale:
        draft = draft.notify(EventReason.STALE_DETECTED, "Nothing has happened for too long", warning=True)
    draft = _with_signs_of_life(_tell_stuck(_tell_outbox(draft)))
    changed = draft.status != draft.original
    return Decision(
        status=draft.status if changed else None,
        notices=draft.notices if changed else (),
        wake_at=None if changed else wake_at(draft),
        delete=not changed and expired(draft),
        became_stale=became_stale,
        told=draft.told,
    )


def _with_signs_of_life(draft: Draft) -> Draft:
    """lastActivityTime rides on other writes, and makes one of its own only when it would be misleading."""
    heard = as_heard(draft)
    misleading = draft.now >= shown_until(draft.spec, draft.status, draft.around.settings)
    rides = draft.status != draft.original
    return heard if rides or (misleading and draft.status.state in WATCHED) else draft


def _tell_stuck(draft: Draft) -> Draft:
    def exceeded(status: ContractStatus) -> bool:
        return any(c.reason == ConditionReason.PROGRESS_DEADLINE_EXCEEDED for c in status.conditions)

    if exceeded(draft.status) and not exceeded(draft.original):
        text = f"Nothing but heartbeats for {draft.spec.progress_deadline_seconds} seconds; look at its supervisor"
        return draft.notify(EventReason.PROGRESS_DEADLINE_EXCEEDED, text, warning=True)
    return draft


def _tell_outbox(draft: Draft) -> Draft:
    def holds(status: ContractStatus) -> bool:
        return any(
            c.type == ConditionType.HISTORY_RECORDED and c.status is ConditionStatus.FALSE for c in status.conditions
        )

    if holds(draft.status) and not holds(draft.original):
        return draft.notify(
            EventReason.OUTBOX_FULL,
            "Postgres is away and the outbox is full: the contract holds",
            warning=True,
        )
    return draft


def _changes_version(draft: Draft) -> bool:
    old, new = draft.original, draft.status
    return (old.state, old.phase, old.deliverables) != (new.state, new.phase, new.deliverables)


def _with_new_version(draft: Draft) -> Draft:
    if draft.reason is None:
        raise AssertionError(f"a change of {draft.original.state}/{draft.original.phase} without a reason")
    old, new = draft.original, draft.status
    transition = Transition(
        version=old.version + 1,
        time=draft.now,
        reason=draft.reason,
        message=draft.message,
        actor=draft.actor,
        from_state=old.state,
        to_state=new.state,
        from_phase=old.phase,
        to_phase=new.phase,
        deliverables=draft.recorded,
        forced=True if draft.forced else None,
    )
    status = new.model_copy(
        update={
            "version": old.version + 1,
            "phase_progress": phase_progress(new.phases, new.phase),
            "phase_start_time": new.phase_start_time if new.phase == old.phase else draft.now,
            "state_changed_time": new.state_changed_time if new.state is old.state else draft.now,
        }
    )
    return replace(draft, status=outbox.append(status, transition, draft.around.recorded_version))


def _stale(status: ContractStatus) -> bool:
    return any(c.type == ConditionType.STALE and c.status is ConditionStatus.TRUE for c in status.conditions)
