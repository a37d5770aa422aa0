"""What does a contract wait for, since when, and which command unblocks it?

An ordered list of questions about one contract; each that finds something gives a wait. The first is what it waits for
above all, and what `show` says in its first line; `inbox` has those that only a person can end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from makima.domain.reads.wait import LOOK_AT_OPERATOR, TEXT, Case, Kind, Wait, condition, under_way
from makima.domain.reads.waits_by_gate import by_gate, ready_since
from makima.domain.reasons import AliveReason, ConditionReason, ConditionType
from makima.domain.reconcile.gates import Ready, phase_readiness
from makima.domain.reconcile.phase_change import destination
from makima.domain.reconcile.rest import SUPERVISOR_WAITS
from makima.domain.reconcile.states import RUNNING
from makima.domain.supervision.supervisor_status import alive
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
        yield Wait(Kind.HISTORY, f"Postgres: {found.message[:TEXT]}", found.last_transition_time)


def _blocked(case: Case) -> Iterator[Wait]:
    if case.status.state is S.BLOCKED:
        what = f"what blocks it: {(case.status.blocked_reason or 'its supervisor is blocked')[:TEXT]}"
        look = ("contracts", "logs", case.key)
        yield Wait(Kind.BLOCKED, what, case.status.state_changed_time, True, look)


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
            yield Wait(Kind.OPERATOR, f"the operator to take the answer up: {question.question[:TEXT]}", None)
            continue
        which = ("--question", question.id) if len(case.status.questions) > 1 else ()
        answer = ("contracts", "answer", case.key, *which, _example(question.options))
        what = f"an answer: {question.question[:TEXT]}"
        yield Wait(Kind.ANSWER, what, question.asked_time, True, answer, question.id)


def _example(options: tuple[str, ...]) -> str:
    return options[0] if options else "YOUR ANSWER"


def _supervisor_asks(case: Case) -> Iterator[Wait]:
    if case.status.state is S.WAITING_FOR_INPUT and case.status.waiting_for == SUPERVISOR_WAITS:
        look = ("contracts", "logs", case.key)
        yield Wait(Kind.SUPERVISOR_ASKS, SUPERVISOR_WAITS, case.status.state_changed_time, True, look)


def _stuck(case: Case) -> Iterator[Wait]:
    found = condition(case, ConditionType.PROGRESSING, ConditionStatus.FALSE)
    if under_way(case) and found is not None and found.reason == ConditionReason.PROGRESS_DEADLINE_EXCEEDED:
        command = ("contracts", "restart-supervisor", case.key)
        yield Wait(
            Kind.STUCK, "its supervisor, which is alive and gets nowhere", found.last_transition_time, True, command
        )


def _stale(case: Case) -> Iterator[Wait]:
    found = condition(case, ConditionType.STALE, ConditionStatus.TRUE)
    if found is None or case.status.state not in {*RUNNING, S.CREATED}:
        return
    carried = case.status.supervisor_ref is not None
    command = ("contracts", "restart-supervisor" if carried else "show", case.key)
    yield Wait(Kind.STALE, "a sign of life: nothing has happened", case.status.last_activity_time, True, command)


def _start(case: Case) -> Iterator[Wait]:
    if case.status.state is not S.CREATED:
        return
    since, settings = case.status.state_changed_time, case.contract.spec.supervisor
    if settings is not None and settings.template is not None:
        look = ("contracts", "logs", case.key)
        yield Wait(Kind.START, "its supervisor's pod to start and register", since, command=look)
        return
    command = ("makima", "supervise", "--contract", case.key, "--", "COMMAND")
    yield Wait(Kind.START, "a supervisor to register", since, True, command)


def _restart(case: Case) -> Iterator[Wait]:
    found = alive(case.supervisor.status) if case.supervisor is not None else None
    if not under_way(case) or found is None or found.reason not in DEAD:
        return
    what = f"its supervisor to come back: {found.message[:TEXT]}"
    yield Wait(Kind.RESTART, what, found.last_transition_time, command=("contracts", "logs", case.key))


QUESTIONS: tuple[Callable[[Case], Iterator[Wait]], ...] = (
    _ended,
    _paused,
    _history_full,
    _confirmation,
    _questions,
    _blocked,
    _supervisor_asks,
    _stuck,
    _restart,
    _stale,
    _start,
    by_gate,
)
"""In the order in which they matter to whoever looks."""

DEAD = frozenset({AliveReason.EXITED, AliveReason.VANISHED, AliveReason.TIMED_OUT, AliveReason.DISRUPTED})
"""Reasons why a life is over that nobody wanted."""
