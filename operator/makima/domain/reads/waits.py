"""What does a contract wait for, since when, and which command unblocks it?

An ordered list of questions about one contract; each that finds something gives a wait. The first is what it waits for
above all, and what `show` says in its first line; `inbox` has those that only a person can end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from makima.domain.reads.wait import LOOK_AT_OPERATOR, TEXT, Case, Kind, Wait, condition, under_way
from makima.domain.reads.waits_by_gate import by_gate, ready_since
from makima.domain.reads.waits_for_supervisor import blocked, restart, stale, start, stuck, supervisor_asks
from makima.domain.reasons import ConditionType
from makima.domain.reconcile.field_owners import answered_time
from makima.domain.reconcile.gates import Ready, phase_readiness
from makima.domain.reconcile.phase_change import destination
from makima.domain.reconcile.states import RUNNING
from makima.models.contract import Contract
from makima.models.enums import ConditionStatus, ContractState
from makima.models.supervisor import Supervisor

S = ContractState


def waits(contract: Contract, supervisor: Supervisor | None, now: datetime) -> tuple[Wait, ...]:
    """Everything that the contract waits for, what matters most first; at least one."""
    if contract.status is None:
        return (_not_accepted(contract),)
    readiness = phase_readiness(contract.metadata.uid, contract.status, None, now)
    case = Case(contract, contract.status, supervisor, readiness)
    found = tuple(wait for question in QUESTIONS for wait in question(case))
    return found or (Wait(Kind.NOTHING, f"nothing: it is {case.status.state}", case.status.state_changed_time),)


def _not_accepted(contract: Contract) -> Wait:
    meta = contract.metadata
    ready = next((item for item in contract.early_conditions if item.type == ConditionType.READY), None)
    if ready is None:
        return Wait(Kind.OPERATOR, "the operator to accept it", meta.creation_timestamp, command=LOOK_AT_OPERATOR)
    mend = ("kubectl", "-n", meta.namespace, "edit", "contract", meta.name)
    what = f"its spec to be mended: {ready.message[:TEXT]}"
    return Wait(Kind.REFUSED, what, ready.last_transition_time, person=True, command=mend)


def _ended(case: Case) -> Iterator[Wait]:
    if case.status.state is S.FAILED:
        why = (case.status.failure_reason or "it failed")[:TEXT]
        retry = ("contracts", "retry", case.key)
        yield Wait(Kind.RETRY, f"a retry, or to be archived: {why}", case.status.state_changed_time, True, retry)


def _paused(case: Case) -> Iterator[Wait]:
    if case.status.state is S.PAUSED or (case.contract.spec.suspend and case.status.state in RUNNING):
        why = f": {case.contract.spec.suspend_reason}"[:TEXT] if case.contract.spec.suspend_reason else ""
        resume = ("contracts", "resume", case.key)
        yield Wait(Kind.RESUME, f"somebody to resume it{why}", case.status.state_changed_time, True, resume)


def _history_full(case: Case) -> Iterator[Wait]:
    found = condition(case, ConditionType.HISTORY_RECORDED, ConditionStatus.FALSE)
    if found is not None:
        what = f"Postgres: {found.message[:TEXT]}"
        yield Wait(Kind.HISTORY, what, found.last_transition_time, command=LOOK_AT_OPERATOR)


def _confirmation(case: Case) -> Iterator[Wait]:
    """Where the state says so; or, with the plan's new states switched off, where the guard alone holds it."""
    status, spec = case.status, case.contract.spec
    if not under_way(case) or not spec.phase_guard or not isinstance(case.readiness, Ready):
        return
    told = (status.waiting_for or "").startswith("confirmation")
    since = status.state_changed_time if told else ready_since(status)
    what = f"a confirmation: {status.phase} → {destination(status)}"
    command = ("contracts", "confirm", case.key, "--expected-version", str(status.version))
    yield Wait(Kind.CONFIRMATION, what, since, True, command)


def _questions(case: Case) -> Iterator[Wait]:
    if not under_way(case) and case.status.state is not S.CREATED:
        return
    given = {answer.question_id for answer in case.contract.spec.answers}
    for question in case.status.questions:
        if question.id in given:
            what = f"the operator to take the answer up: {question.question[:TEXT]}"
            since = answered_time(case.contract.metadata.managed_fields, question.id)
            yield Wait(Kind.OPERATOR, what, since, command=LOOK_AT_OPERATOR)
            continue
        which = ("--question", question.id) if len(case.status.questions) > 1 else ()
        answer = ("contracts", "answer", case.key, *which, _example(question.options))
        what = f"an answer: {question.question[:TEXT]}"
        yield Wait(Kind.ANSWER, what, question.asked_time, True, answer, question.id)


def _example(options: tuple[str, ...]) -> str:
    return options[0] if options else "YOUR ANSWER"


QUESTIONS: tuple[Callable[[Case], Iterator[Wait]], ...] = (
    _ended,
    _paused,
    _history_full,
    _confirmation,
    _questions,
    blocked,
    supervisor_asks,
    stuck,
    restart,
    stale,
    start,
    by_gate,
)
"""In the order in which they matter to whoever looks."""
