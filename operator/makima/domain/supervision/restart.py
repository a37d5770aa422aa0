"""What follows the end of a supervisor's life: another one, at once or after a wait, or the end of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from makima.domain.jitter import jitter
from makima.domain.token_bucket import Bucket, Rate, take
from makima.models.enums import RestartAction, RuleOperator
from makima.models.supervisor import Backoff, Restart, RestartRule

JITTER = 0.2
"""A wait is longer by up to this part of it, so that those who died together do not come back together."""

STORM = Rate(per_second=20.0, burst=50.0)
"""How fast a fleet's supervisors are restarted: below what a service account may ask of the API server."""


class EndKind(Enum):
    """How a life ended."""

    EXITED = "exited"
    VANISHED = "vanished"
    """Its pod is gone, and nobody saw how it ended."""
    TIMED_OUT = "timed out"
    DISRUPTED = "disrupted"
    """Evicted, preempted, drained: Kubernetes ended it, not the supervisor."""
    ASKED = "asked"
    """spec.restartSupervisor named this life."""


@dataclass(frozen=True, slots=True)
class LifeEnd:
    """The end of one life.

    Attributes:
        exit_code: of the first container; None = not known.
        lived: seconds from its start to its end.
        detail: what else is known, for people (OOMKilled, silent since ...).
    """

    kind: EndKind
    exit_code: int | None = None
    lived: float = 0.0
    detail: str = ""

    def __str__(self) -> str:
        shown = f"exit code {self.exit_code}" if self.exit_code is not None else self.kind.value
        return f"{shown} ({self.detail})" if self.detail else shown


@dataclass(frozen=True, slots=True)
class RestartCounted:
    """Begin the next life; `restarts` are counted against the budget with this one."""

    restarts: int


@dataclass(frozen=True, slots=True)
class RestartUncounted:
    """Begin the next life; it was nothing that the budget is for. `restarts` is what was counted before."""

    restarts: int


@dataclass(frozen=True, slots=True)
class Fail:
    """No further life: the contract fails."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeaveEnded:
    """It ended as it should, and nothing is to be done before the contract goes on."""


AfterEnd = RestartCounted | RestartUncounted | Fail | LeaveEnded


def after_end(end: LifeEnd, settings: Restart, restarts: int, *, work_left: bool = True) -> AfterEnd:
    """What follows.

    Args:
        settings: budget and rules; the first rule that matches the exit code decides.
        restarts: counted against the budget so far.
        work_left: False while the contract is finished, or waits for a person whom it has already asked: then a
            supervisor may end with exit code 0.
    """
    if end.exit_code == 0 and end.kind is EndKind.EXITED and not work_left:
        return LeaveEnded()
    before = 0 if end.lived >= settings.reset_after_seconds else restarts
    match _action(end, settings):
        case RestartAction.FAIL_CONTRACT:
            return Fail(f"the supervisor ended with {end}, and a restart rule says that the contract fails with it")
        case RestartAction.IGNORE:
            return RestartUncounted(before)
        case RestartAction.RESTART if before >= settings.max_restarts:
            return Fail(_spent(end, settings))
        case RestartAction.RESTART:
            return RestartCounted(before + 1)


def _action(end: LifeEnd, settings: Restart) -> RestartAction:
    if end.kind in (EndKind.DISRUPTED, EndKind.ASKED):
        return RestartAction.IGNORE
    return next((rule.action for rule in settings.rules if _matches(rule, end.exit_code)), RestartAction.RESTART)


def _matches(rule: RestartRule, exit_code: int | None) -> bool:
    """As in a Job's podFailurePolicy, a rule says nothing about an end without an exit code."""
    if exit_code is None:
        return False
    return (exit_code in rule.exit_codes) is (rule.operator is RuleOperator.IN)


def _spent(end: LifeEnd, settings: Restart) -> str:
    last = f"the last life ended with {end}"
    return f"restart budget spent: {settings.max_restarts} restarts; {last}; spec.retry takes the contract up again"


def restart_delay(settings: Backoff, restarts: int, uid: str, incarnation: int) -> float:
    """Seconds from the end of a life to the start of the next: exponential, capped, with jitter on top.

    Args:
        restarts: counted against the budget; 0 and 1 wait the same.
        uid: of the supervisor; with `incarnation`, of the life that ended, it gives the jitter.
    """
    exponent = min(max(restarts - 1, 0), 64)
    wait = min(float(settings.cap_seconds), settings.seconds * float(settings.factor) ** exponent)
    return wait * (1 + JITTER * jitter(uid, incarnation))


def storm_delay(bucket: Bucket, now: datetime, rate: Rate = STORM) -> tuple[Bucket, datetime]:
    """When the next of many may start: thousands that died at once come back one after the other.

    Returns:
        The bucket for the next one, and the moment from which on this one may start.
    """
    return take(bucket, rate, now)
