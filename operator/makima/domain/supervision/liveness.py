"""Is a supervisor dead? Silence counts only while the ingest was there to hear it (ADR 0006, "Time")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from makima.models.contract import Contract
from makima.models.enums import ContractState
from makima.models.supervision import Span
from makima.models.supervisor import Supervisor

SMALLEST_GAP = timedelta(seconds=10)
"""Gaps in the coverage up to this never matter."""


@dataclass(frozen=True, slots=True)
class Alive:
    """It was heard from recently; if nothing more is heard, look again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Uncovered:
    """It is silent, but the ingest was not there all the time: its timeout counts from `counts_from` at the earliest.

    Attributes:
        counts_from: when the coverage became whole again; `now` while it is not.
        look_at: the earliest moment at which it may be dead.
    """

    counts_from: datetime
    look_at: datetime


@dataclass(frozen=True, slots=True)
class Dead:
    """It was silent for its whole timeout, and the ingest was there. `since` is when it was last heard."""

    since: datetime


Judgement = Alive | Uncovered | Dead


def judge(heard: datetime, timeout: timedelta, spans: Iterable[Span], now: datetime) -> Judgement:
    """Whether a supervisor is dead.

    Args:
        heard: when it gave the last sign of life (`last_sign`).
        timeout: heartbeatTimeoutSeconds.
        spans: coverage of all instances of the ingest, in any order; those that end before `heard` do not matter.
        now: the server's clock.
    """
    if now < heard + timeout:
        return Alive(heard + timeout)
    counts_from = _whole_since(heard, spans, now, allowed_gap(timeout))
    if counts_from + timeout <= now:
        return Dead(heard)
    return Uncovered(counts_from, counts_from + timeout)


def allowed_gap(timeout: timedelta) -> timedelta:
    """The longest gap in the coverage that does not matter: 10 s, or a tenth of the timeout if that is longer."""
    return max(SMALLEST_GAP, timeout / 10)


def _whole_since(heard: datetime, spans: Iterable[Span], now: datetime, allowed: timedelta) -> datetime:
    """The start of the stretch without a long gap that reaches up to `now`, not before `heard`."""
    whole_since = covered_until = heard
    past = (span for span in spans if span.started_at <= now)  # another one is from a clock that is ahead
    for span in sorted(past, key=lambda item: item.started_at):
        if span.started_at - covered_until > allowed:
            whole_since = span.started_at
        covered_until = max(covered_until, span.until_at)
    return now if now - covered_until > allowed else whole_since


def last_sign(*moments: datetime | None) -> datetime | None:
    """The latest of: last heartbeat, registration, start of the pod, end of a pause; None = there is no deadline yet.

    A pod that does not run yet has none: it may wait for a node or an image, and ending it would help nobody.
    """
    return max((moment for moment in moments if moment is not None), default=None)


def is_watched(supervisor: Supervisor, contract: Contract) -> bool:
    """Whether silence means anything: not while suspended, paused or finished, nor before the first life."""
    status = contract.status
    if status is None or supervisor.status is None or not supervisor.status.incarnation:
        return False
    leaving = supervisor.metadata.deleting or contract.metadata.deleting
    still = supervisor.spec.suspend or contract.spec.suspend or status.state not in LISTENED_TO
    return not leaving and not still


LISTENED_TO = frozenset(
    {
        ContractState.CREATED,
        ContractState.ACTIVE,
        ContractState.WAITING_FOR_INPUT,
        ContractState.BLOCKED,
        ContractState.COMPLETING,
    }
)
"""States of a contract in which its supervisor has to be heard from."""
