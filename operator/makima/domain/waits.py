"""What does a contract wait for, since when, and which command unblocks it?

An ordered list of questions about one contract; each that finds something gives a wait. The first is what it waits for
above all, and what `show` says in its first line; `inbox` has those that only a person can end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from makima.domain.gates import NoGate, NotReady, Readiness, Ready, current_phase, next_phase, phase_readiness
from makima.domain.phase_change import destination
from makima.domain.reasons import AliveReason, ConditionReason, ConditionType
from makima.domain.rest import SUPERVISOR_WAITS
from makima.domain.states import RUNNING
from makima.domain.supervisor_status import alive
from makima.domain.task_list import ENDED
from makima.models.condition import Condition
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.models.enums import ConditionStatus, ContractState, Priority, SupervisorState
from makima.models.supervisor import Supervisor

S = ContractState
TEXT = 200
"""Characters of somebody else's words in a wait."""

Command = tuple[str, ...]
"""Words of a command line. The first is the program; `contracts` stands for makima contracts, kubectl contracts."""


class Kind(StrEnum):
    """What is waited for."""

    ANSWER = "answer"
    CONFIRMATION = "confirmation"
    ADVANCE = "advance"
    RESUME = "resume"
    RETRY = "retry"
    BLOCKED = "blocked"
    SUPERVISOR_ASKS = "supervisor-asks"
    STUCK = "stuck"
    STALE = "stale"
    REFUSED = "refused"
    START = "start"
    WORK = "work"
    VALIDATION = "validation"
    RESTART = "restart"
    OPERATOR = "operator"
    HISTORY = "history"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that a contract waits for.

    Attributes:
        what: in a few words for people.
        since: when it began to; None where nothing tells.
        person: only a person ends it.
        command: what ends it, or the first thing to do about it; None where there is nothing to do.
        question_id: of an open question.
    """

    kind: Kind
    what: str
    since: datetime | None
    person: bool = False
    command: Command | None = None
    question_id: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A contract and what is around it."""

    contract: Contract
    status: ContractStatus
    supervisor: Supervisor | None
    readiness: Readiness

    @property
    def key(self) -> str:
        """How commands name it."""
        return f"{self.contract.metadata.namespace}/{self.contract.metadata.name}"


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
        look = ("kubectl", "-n", "makima-system", "get", "pods")
        return Wait(Kind.OPERATOR, "the operator to accept it", meta.creation_timestamp, command=look)
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
    found = _condition(case, ConditionType.HISTORY_RECORDED, ConditionStatus.FALSE)
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
    if not _under_way(case) or not spec.phase_guard or not isinstance(case.readiness, Ready):
        return
    told = (status.waiting_for or "").startswith("confirmation")
    since = status.state_changed_time if told else _ready_since(status)
    what = f"a confirmation: {status.phase} → {destination(status)}"
    command = ("contracts", "confirm", case.key, "--expected-version", str(status.version))
    yield Wait(Kind.CONFIRMATION, what, since, True, command)


def _questions(case: Case) -> Iterator[Wait]:
    if not _under_way(case) and case.status.state is not S.CREATED:
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
    found = _condition(case, ConditionType.PROGRESSING, ConditionStatus.FALSE)
    if _under_way(case) and found is not None and found.reason == ConditionReason.PROGRESS_DEADLINE_EXCEEDED:
        command = ("contracts", "restart-supervisor", case.key)
        yield Wait(
            Kind.STUCK, "its supervisor, which is alive and gets nowhere", found.last_transition_time, True, command
        )


def _stale(case: Case) -> Iterator[Wait]:
    found = _condition(case, ConditionType.STALE, ConditionStatus.TRUE)
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
    if not _under_way(case) or found is None or found.reason not in DEAD:
        return
    what = f"its supervisor to come back: {found.message[:TEXT]}"
    yield Wait(Kind.RESTART, what, found.last_transition_time, command=("contracts", "logs", case.key))


def _by_gate(case: Case) -> Iterator[Wait]:
    """What the current phase still lacks, or who moves it on."""
    if case.status.state is S.COMPLETING:
        yield Wait(Kind.VALIDATION, "the last gate, which is checked once more", case.status.state_changed_time)
        return
    if not _under_way(case):
        return
    advance = ("contracts", "advance", case.key)
    match case.readiness:
        case NotReady(missing):
            yield Wait(Kind.WORK, ", ".join(missing)[:TEXT], case.status.phase_start_time)
        case NoGate():
            yield from _by_hand(case, advance)
        case Ready() if not _moves_itself(case):
            yield Wait(
                Kind.ADVANCE,
                f"somebody to move it to {destination(case.status)}",
                _ready_since(case.status),
                True,
                advance,
            )
        case Ready():
            since = _ready_since(case.status)
            yield Wait(Kind.OPERATOR, f"the operator to move it to {destination(case.status)}", since, command=advance)
        case _:
            yield Wait(Kind.VALIDATION, f"the validator of {case.status.phase}", case.status.phase_start_time)


def _by_hand(case: Case, advance: Command) -> Iterator[Wait]:
    """A phase without a gate: nobody knows when it is done, but while there is work it is not."""
    what, since = f"somebody to move it to {destination(case.status)}", case.status.phase_start_time
    told = case.supervisor.status.state if case.supervisor is not None and case.supervisor.status is not None else None
    busy = told in WORKING or any(task.state not in ENDED for task in case.status.tasks)
    phase = current_phase(case.status)
    there = {item.id for item in case.status.deliverables if item.phase == phase.name}
    lacking = [item.id for item in phase.deliverables if item.priority is Priority.REQUIRED and item.id not in there]
    if lacking:
        yield Wait(Kind.WORK, ", ".join(f"Deliverable: {item}" for item in lacking)[:TEXT], since, command=advance)
        return
    yield Wait(Kind.ADVANCE, what, since, not busy, advance)


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
    _by_gate,
)
"""In the order in which they matter to whoever looks."""

DEAD = frozenset({AliveReason.EXITED, AliveReason.VANISHED, AliveReason.TIMED_OUT, AliveReason.DISRUPTED})
"""Reasons why a life is over that nobody wanted."""

WORKING = frozenset({SupervisorState.WORKING, SupervisorState.WAITING_FOR_TASKS, SupervisorState.INITIALIZING})


def _under_way(case: Case) -> bool:
    return case.status.state in RUNNING and not case.contract.spec.suspend


def _moves_itself(case: Case) -> bool:
    gate = current_phase(case.status).gate
    if next_phase(case.status) is None:
        return case.contract.spec.auto_complete
    return gate is not None and gate.auto_advance


def _ready_since(status: ContractStatus) -> datetime | None:
    """When the last deliverable or task of the phase came, as nothing says when the gate was ready."""
    moments = [item.completed_time for item in status.deliverables if item.phase == status.phase]
    moments += [task.completion_time for task in status.tasks if task.phase == status.phase and task.completion_time]
    return max(moments, default=status.phase_start_time)


def _condition(case: Case, kind: ConditionType, wanted: ConditionStatus) -> Condition | None:
    return next((item for item in case.status.conditions if item.type == kind and item.status is wanted), None)
