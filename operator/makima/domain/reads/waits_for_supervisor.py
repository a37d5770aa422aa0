"""What a contract waits for where its supervisor is what holds it, and the command that gives it one that works."""

from __future__ import annotations

from collections.abc import Iterator

from makima.domain.reads.wait import TEXT, Case, Command, Kind, Wait, condition, under_way
from makima.domain.reasons import AliveReason, ConditionReason, ConditionType
from makima.domain.reconcile.rest import SUPERVISOR_WAITS
from makima.domain.reconcile.states import RUNNING
from makima.domain.supervision.supervisor_status import alive
from makima.models.condition import Condition
from makima.models.enums import ConditionStatus, ContractState

S = ContractState


def blocked(case: Case) -> Iterator[Wait]:
    """Its supervisor says that it can't go on."""
    if case.status.state is S.BLOCKED:
        what = f"what blocks it: {(case.status.blocked_reason or 'its supervisor is blocked')[:TEXT]}"
        yield Wait(Kind.BLOCKED, what, case.status.state_changed_time, True, _another_life(case))


def supervisor_asks(case: Case) -> Iterator[Wait]:
    """Its supervisor says that it waits for a person, and puts no question that could be answered."""
    if case.status.state is S.WAITING_FOR_INPUT and case.status.waiting_for == SUPERVISOR_WAITS:
        what = "a person: its supervisor waits, and has put no question"
        yield Wait(Kind.SUPERVISOR_ASKS, what, case.status.state_changed_time, True, _another_life(case))


def stuck(case: Case) -> Iterator[Wait]:
    """It sends heartbeats, and nothing comes of it."""
    found = condition(case, ConditionType.PROGRESSING, ConditionStatus.FALSE)
    if under_way(case) and found is not None and found.reason == ConditionReason.PROGRESS_DEADLINE_EXCEEDED:
        what = "its supervisor, which is alive and gets nowhere"
        yield Wait(Kind.STUCK, what, found.last_transition_time, True, _another_life(case))


def restart(case: Case) -> Iterator[Wait]:
    """It died: a pod is made anew by the operator, an external one only by a person."""
    found = _dead(case)
    if not under_way(case) or found is None:
        return
    what = f"its supervisor to come back: {found.message[:TEXT]}"
    command = _supervise(case) if _external(case) else ("contracts", "logs", case.key)
    yield Wait(Kind.RESTART, what, found.last_transition_time, _external(case), command)


def stale(case: Case) -> Iterator[Wait]:
    """Nothing has happened for too long, by the operator's own finding."""
    found = condition(case, ConditionType.STALE, ConditionStatus.TRUE)
    if found is not None and case.status.state in {*RUNNING, S.CREATED}:
        what = "a sign of life: nothing has happened"
        yield Wait(Kind.STALE, what, case.status.last_activity_time, True, _another_life(case))


def start(case: Case) -> Iterator[Wait]:
    """No supervisor has registered yet."""
    if case.status.state is not S.CREATED:
        return
    since = case.status.state_changed_time
    if _external(case):
        yield Wait(Kind.START, "a supervisor to register", since, True, _supervise(case))
        return
    look = ("contracts", "logs", case.key)
    yield Wait(Kind.START, "its supervisor's pod to start and register", since, command=look)


def _another_life(case: Case) -> Command:
    """What begins the next life of its supervisor; where the operator can't begin one, why its pod is not there."""
    meta = case.contract.metadata
    if _external(case) and (case.status.supervisor_ref is None or _dead(case) is not None):
        return _supervise(case)
    if case.status.supervisor_ref is not None:
        return ("contracts", "restart-supervisor", case.key)
    return ("kubectl", "-n", meta.namespace, "events", "--for", f"contract/{meta.name}")


def _external(case: Case) -> bool:
    """Whether its supervisor has no pod: it runs where a person has started it."""
    settings = case.supervisor.spec if case.supervisor is not None else case.contract.spec.supervisor
    return settings is None or settings.template is None


def _supervise(case: Case) -> Command:
    return ("makima", "supervise", "--contract", case.key, "--", "COMMAND")


def _dead(case: Case) -> Condition | None:
    found = alive(case.supervisor.status) if case.supervisor is not None else None
    return found if found is not None and found.reason in DEAD else None


DEAD = frozenset({AliveReason.EXITED, AliveReason.VANISHED, AliveReason.TIMED_OUT, AliveReason.DISRUPTED})
"""Reasons why a life is over that nobody wanted."""
