"""Is a contract well? Verdicts with reasons, from what its resource and its supervisor's tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from makima.domain.durations import format_duration
from makima.domain.reads.wait import LOOK_AT_OPERATOR, Command, Kind, Wait
from makima.domain.reads.waits import waits
from makima.domain.reasons import AliveReason
from makima.domain.supervision.heartbeat_times import heartbeat_times
from makima.domain.supervision.supervisor_status import alive
from makima.models.contract import Contract
from makima.models.enums import AdvanceOutcome, ContractState
from makima.models.supervisor import Restart, Supervisor

S = ContractState


class Level(IntEnum):
    """How well; the worst finding decides."""

    HEALTHY = 0
    ATTENTION = 1
    UNHEALTHY = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        reason: one word for programs.
        command: what to do about it.
    """

    level: Level
    reason: str
    text: str
    command: Command | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict on one contract; without findings it is healthy."""

    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        """The worst."""
        return max((finding.level for finding in self.findings), default=Level.HEALTHY)


@dataclass(frozen=True, slots=True)
class Patient:
    """A contract with its supervisor."""

    contract: Contract
    supervisor: Supervisor | None
    now: datetime

    @property
    def key(self) -> str:
        """How commands name it."""
        return f"{self.contract.metadata.namespace}/{self.contract.metadata.name}"


def health(contract: Contract, supervisor: Supervisor | None, now: datetime) -> Health:
    """What is wrong with it, the worst first."""
    patient = Patient(contract, supervisor, now)
    found = [finding for check in CHECKS for finding in check(patient)]
    return Health(tuple(sorted(found, key=lambda finding: -finding.level)))


def _waiting(patient: Patient) -> Iterator[Finding]:
    for wait in waits(patient.contract, patient.supervisor, patient.now):
        level = _for_operator(wait, patient.now) if wait.kind is Kind.OPERATOR else _for_others(wait)
        if level is not None:
            yield Finding(level, REASONS[wait.kind], _text(wait, patient.now), wait.command)


def _for_others(wait: Wait) -> Level | None:
    level = LEVELS.get(wait.kind)
    return level if wait.person or level is not Level.ATTENTION else None


def _for_operator(wait: Wait, now: datetime) -> Level | None:
    """It acts within seconds where it runs. What a person can do as well is no more than worth a look."""
    late = wait.since is not None and now - wait.since > OPERATOR_LATE
    if wait.command == LOOK_AT_OPERATOR:
        return Level.UNHEALTHY if late else Level.ATTENTION
    return Level.ATTENTION if late else None


def _text(wait: Wait, now: datetime) -> str:
    since = f" (for {format_duration(now - wait.since)})" if wait.since is not None else ""
    doubt = ": is it running?" if wait.kind is Kind.OPERATOR else ""
    return f"waits for {wait.what}{since}{doubt}"


def _given_up(patient: Patient) -> Iterator[Finding]:
    found = alive(patient.supervisor.status) if patient.supervisor is not None else None
    if found is not None and found.reason == AliveReason.GIVEN_UP and _matters(patient):
        command = ("contracts", "retry", patient.key)
        yield Finding(Level.UNHEALTHY, "SupervisorGivenUp", f"its supervisor was given up: {found.message}", command)


def _silent(patient: Patient) -> Iterator[Finding]:
    """Heard too long ago, though nobody says that it is dead: the operator or the API service may be away."""
    status = patient.supervisor.status if patient.supervisor is not None else None
    if status is None or patient.supervisor is None or not _matters(patient) or status.last_heartbeat_time is None:
        return
    found = alive(status)
    if found is None or found.reason != AliveReason.HEARTBEATING:
        return
    silent = patient.now - status.last_heartbeat_time
    if silent > timedelta(seconds=heartbeat_times(patient.supervisor.spec).timeout_seconds) + SHOWN_LATE:
        text = (
            f"its supervisor was last heard {format_duration(silent)} ago, and nobody has noticed: is the operator up?"
        )
        yield Finding(Level.UNHEALTHY, "SupervisorSilent", text, LOOK_AT_OPERATOR)


def _restarts(patient: Patient) -> Iterator[Finding]:
    status = patient.supervisor.status if patient.supervisor is not None else None
    if status is None or patient.supervisor is None or not status.restarts or not _matters(patient):
        return
    budget: Restart = patient.supervisor.spec.restart
    if status.restarts * 2 >= budget.max_restarts:
        text = f"its supervisor was restarted {status.restarts} times; after {budget.max_restarts} the contract fails"
        yield Finding(Level.ATTENTION, "ManyRestarts", text, ("contracts", "logs", patient.key, "--previous"))


def _advance(patient: Patient) -> Iterator[Finding]:
    status, wish = patient.contract.status, patient.contract.spec.advance
    if status is None or status.advance is None or wish is None or not _matters(patient):
        return
    told = status.advance
    current = told.expected_version == status.version and wish.expected_version == told.expected_version
    if current and told.outcome is not AdvanceOutcome.SUCCESS:
        yield Finding(Level.ATTENTION, "AdvanceRefused", told.message, ("contracts", "show", patient.key))


def _unseen(patient: Patient) -> Iterator[Finding]:
    status, meta = patient.contract.status, patient.contract.metadata
    if status is not None and status.observed_generation is not None and status.observed_generation < meta.generation:
        text = "the operator has not looked at the last change of its spec yet"
        yield Finding(Level.ATTENTION, "NotObserved", text, LOOK_AT_OPERATOR)


def _worktrees(patient: Patient) -> Iterator[Finding]:
    status = patient.contract.status
    if status is not None and status.workspace is not None and status.workspace.worktrees_failed:
        text = f"{status.workspace.worktrees_failed} worktrees could not be removed"
        command = ("contracts", "cleanup", "--worktrees", "--namespace", patient.contract.metadata.namespace)
        yield Finding(Level.ATTENTION, "WorkspaceNotCleared", text, command)


def _matters(patient: Patient) -> bool:
    """Whether the supervisor of it should be there at all."""
    status = patient.contract.status
    return status is not None and status.state not in {S.COMPLETED, S.FAILED, S.ARCHIVED, S.PAUSED}


CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    _waiting,
    _given_up,
    _silent,
    _restarts,
    _advance,
    _unseen,
    _worktrees,
)

SHOWN_LATE = timedelta(minutes=2)
"""How much older the shown heartbeat may be than the last one: they are written within the fleet's budget."""

OPERATOR_LATE = timedelta(minutes=2)
"""How long a change may wait for the operator: a new leader takes over within a minute, and has a backlog then."""

LEVELS = {
    Kind.REFUSED: Level.UNHEALTHY,
    Kind.RETRY: Level.UNHEALTHY,
    Kind.BLOCKED: Level.UNHEALTHY,
    Kind.STUCK: Level.UNHEALTHY,
    Kind.STALE: Level.UNHEALTHY,
    Kind.RESTART: Level.UNHEALTHY,
    Kind.HISTORY: Level.UNHEALTHY,
    Kind.ANSWER: Level.ATTENTION,
    Kind.CONFIRMATION: Level.ATTENTION,
    Kind.ADVANCE: Level.ATTENTION,
    Kind.RESUME: Level.ATTENTION,
    Kind.SUPERVISOR_ASKS: Level.ATTENTION,
    Kind.START: Level.ATTENTION,
}
"""How bad a wait is; those that are not here are the usual course of things, or depend on how long it waits."""

REASONS = {
    Kind.REFUSED: "NotAccepted",
    Kind.RETRY: "Failed",
    Kind.BLOCKED: "Blocked",
    Kind.STUCK: "ProgressDeadlineExceeded",
    Kind.STALE: "Stale",
    Kind.RESTART: "SupervisorDead",
    Kind.HISTORY: "HistoryOutboxFull",
    Kind.ANSWER: "WaitingForAnswer",
    Kind.CONFIRMATION: "WaitingForConfirmation",
    Kind.ADVANCE: "WaitingForAdvance",
    Kind.RESUME: "Paused",
    Kind.SUPERVISOR_ASKS: "SupervisorWaits",
    Kind.START: "NotStarted",
    Kind.OPERATOR: "WaitingForOperator",
}
