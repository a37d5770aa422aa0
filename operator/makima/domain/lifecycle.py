"""What to do about a contract: one look, one decision, at most one write.

`decide` is the heart of the operator. It reads like a table of contents: the steps run in order on a draft, and
`_finish` turns the draft into the next status. It is called again with the written object until nothing changes any
more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from makima.domain import outbox
from makima.domain.acceptance import Refused, accept
from makima.domain.activity import WATCHED, expires_at, heard_status, shown_until, stale_at, stale_look
from makima.domain.conditions import contract_conditions, merge
from makima.domain.draft import Draft, Surroundings
from makima.domain.gates import asked_again_at, completion_held_until
from makima.domain.lost_supervisor import fail_with_supervisor
from makima.domain.notices import Notice
from makima.domain.progress import auto_advance, complete, detect_completion, start
from makima.domain.reasons import ConditionReason, ConditionType, EventReason, TransitionReason
from makima.domain.reports import follow_supervisor, invalid_deliverables, take_answers, take_deliverables
from makima.domain.requests import follow_advance, follow_archive, follow_retry, follow_suspend
from makima.domain.rest import settle
from makima.domain.states import FINISHED
from makima.domain.stuck import stuck_at
from makima.domain.take_told import take_told
from makima.domain.told import Outcome, RefusedReport
from makima.domain.validation import Question
from makima.models.condition import Condition
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus, Transition
from makima.models.enums import ConditionStatus, ContractState
from makima.models.gate import Phase
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


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do.

    Attributes:
        status: the next accepted status, to be written with a resourceVersion precondition; None = no write.
        refusal: conditions of a contract that can't be accepted, to be written instead; None = no write.
        notices: Events to send after the write.
        question: ask this first, then decide again with the verdict.
        wake_at: look again then, if nothing happens before.
        delete: the time to live is over and the history is recorded.
        became_stale: this write is the rising edge of staleness.
        told: what became of each of the reports, in their order; those that were taken are in `status`.
    """

    status: ContractStatus | None = None
    refusal: tuple[Condition, ...] | None = None
    notices: tuple[Notice, ...] = ()
    question: Question | None = None
    wake_at: datetime | None = None
    delete: bool = False
    became_stale: bool = False
    told: tuple[Outcome, ...] = ()


def decide(contract: Contract, around: Surroundings) -> Decision:
    """The one next thing to do about `contract`, given what is known around it."""
    if contract.metadata.deleting:
        return Decision(told=_untold(around, Code.CONTRACT_NOT_FOUND, "the contract is being deleted"))
    if contract.status is None:
        decision = _decide_acceptance(contract, around)
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


def _decide_acceptance(contract: Contract, around: Surroundings) -> Decision:
    answer = accept(contract, around.contract_type)
    if isinstance(answer, Refused):
        return _refuse(contract, answer, around.now)
    return _first_status(contract, answer.phases, around)


def _refuse(contract: Contract, refused: Refused, now: datetime) -> Decision:
    finding = (ConditionType.READY, ConditionStatus.FALSE, refused.reason, refused.message)
    conditions = merge(contract.early_conditions, [finding], contract.metadata.generation, now)
    if conditions == contract.early_conditions:
        return Decision()
    return Decision(refusal=conditions, notices=(Notice(EventReason.REFUSED, refused.message, warning=True),))


def _first_status(contract: Contract, phases: tuple[Phase, ...], around: Surroundings) -> Decision:
    now, first = around.now, phases[0].name
    transition = Transition(
        version=1,
        time=now,
        reason=TransitionReason.ACCEPTED,
        to_state=S.CREATED,
        to_phase=first,
        message="Accepted",
    )
    status = ContractStatus(
        state=S.CREATED,
        phase=first,
        version=1,
        phase_progress=_progress(phases, first),
        phases=phases,
        phase_start_time=now,
        state_changed_time=now,
        last_activity_time=now,
        transitions=(transition,),
        observed_generation=contract.metadata.generation,
        conditions=contract.early_conditions,
    )
    draft = Draft(contract, around, status, status)
    status = status.model_copy(update={"conditions": contract_conditions(draft)})
    notices = tuple(
        Notice(EventReason.INVALID_DELIVERABLE, f"INVALID_DELIVERABLE: {wrong}", warning=True)
        for wrong in invalid_deliverables(draft)
    )
    return Decision(status=status, notices=notices)


def _finish(draft: Draft) -> Decision:
    new_version = _changes_version(draft)
    if new_version:
        draft = _with_new_version(draft)
    stale_before = _stale(draft.original)
    draft = draft.update(
        conditions=contract_conditions(_as_heard(draft)), observed_generation=draft.contract.metadata.generation
    )
    became_stale = not stale_before and _stale(draft.status)
    if became_stale:
        draft = draft.notify(EventReason.STALE_DETECTED, "Nothing has happened for too long", warning=True)
    draft = _with_signs_of_life(_tell_stuck(_tell_outbox(draft)))
    changed = draft.status != draft.original
    return Decision(
        status=draft.status if changed else None,
        notices=draft.notices if changed else (),
        wake_at=None if changed else _wake_at(draft),
        delete=not changed and _expired(draft),
        became_stale=became_stale,
        told=draft.told,
    )


def _as_heard(draft: Draft) -> Draft:
    """The draft as if the resource had every heartbeat."""
    signs = (draft.around.heard, draft.around.worked)
    return replace(draft, status=heard_status(draft.status, signs, draft.now))


def _with_signs_of_life(draft: Draft) -> Draft:
    """lastActivityTime rides on other writes, and makes one of its own only when it would be misleading."""
    heard = _as_heard(draft)
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
            "phase_progress": _progress(new.phases, new.phase),
            "phase_start_time": new.phase_start_time if new.phase == old.phase else draft.now,
            "state_changed_time": new.state_changed_time if new.state is old.state else draft.now,
        }
    )
    return replace(draft, status=outbox.append(status, transition, draft.around.recorded_version))


def _progress(phases: tuple[Phase, ...], current: str) -> str:
    number = [phase.name for phase in phases].index(current) + 1
    return f"{number}/{len(phases)}"


def _stale(status: ContractStatus) -> bool:
    return any(c.type == ConditionType.STALE and c.status is ConditionStatus.TRUE for c in status.conditions)


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


def _wake_at(draft: Draft) -> datetime | None:
    """The next moment at which time alone may change the decision."""
    validator = asked_again_at(draft.contract.metadata.uid, draft.status, draft.around.verdict, draft.now)
    moments = [validator, expires_at(draft.spec, draft.status)]
    held = completion_held_until(draft.status)
    if held is not None and held > draft.now:
        moments.append(held)
    stuck = stuck_at(draft)
    if stuck is not None and stuck > draft.now:
        moments.append(stuck)
    heard, shown = _as_heard(draft).status, shown_until(draft.spec, draft.status, draft.around.settings)
    if heard != draft.status and shown > draft.now and draft.status.state in WATCHED:
        moments.append(shown)
    stale = stale_at(draft.spec, heard, draft.around.settings)
    if stale is not None and stale > draft.now:
        moments.append(stale_look(stale, draft.around.settings))
    return min((moment for moment in moments if moment is not None), default=None)


def _expired(draft: Draft) -> bool:
    """Deleted only once every version is in Postgres: a deleted contract takes its outbox with it."""
    moment = expires_at(draft.spec, draft.status)
    recorded = outbox.watermark(draft.status, draft.around.recorded_version)
    return (
        moment is not None
        and draft.now >= moment
        and recorded >= draft.status.version
        and draft.status.state in FINISHED
    )
