"""When something last happened, and which deadlines follow from it. A pause makes every deadline stand still."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from makima.domain.settings import Settings
from makima.models.contract_spec import ContractSpec
from makima.models.contract_status import ContractStatus
from makima.models.enums import ContractState

WATCHED = frozenset(
    {
        ContractState.CREATED,
        ContractState.ACTIVE,
        ContractState.WAITING_FOR_INPUT,
        ContractState.BLOCKED,
        ContractState.COMPLETING,
    }
)
"""States in which a contract can be stale: not finished, and not paused by a person."""


def with_activity(status: ContractStatus, at: datetime) -> ContractStatus:
    """The status after something happened at `at` (plan 1.5). Time never runs backwards."""
    if at <= status.last_activity_time:
        return status
    return status.model_copy(update={"last_activity_time": at, "paused_seconds": None})


def with_pause_counted(status: ContractStatus, now: datetime) -> ContractStatus:
    """The status at the end of a pause: the pause, or its part since the last activity, is not counted as idle."""
    since = max(status.state_changed_time, status.last_activity_time)
    seconds = max(0, round((now - since).total_seconds()))
    return status.model_copy(update={"paused_seconds": (status.paused_seconds or 0) + seconds})


def heard_status(status: ContractStatus, signs: Iterable[datetime | None], now: datetime) -> ContractStatus:
    """The status as if the signs of life that only Postgres has were written into it."""
    for sign in signs:
        if sign is not None:
            status = with_activity(status, min(sign, now))
    return status


def shown_until(spec: ContractSpec, status: ContractStatus, settings: Settings) -> datetime:
    """Until when lastActivityTime stands for the heartbeats after it: a quarter of the stale threshold.

    A heartbeat alone is no reason to write; a resource that seems to be asleep for long is.
    """
    return status.last_activity_time + stale_threshold(spec, settings) / 4


def stale_threshold(spec: ContractSpec, settings: Settings) -> timedelta:
    """After how long without activity this contract is stale."""
    if spec.stale_after_seconds is None:
        return settings.stale_threshold
    return timedelta(seconds=spec.stale_after_seconds)


def stale_at(spec: ContractSpec, status: ContractStatus, settings: Settings) -> datetime | None:
    """When the contract becomes stale if nothing happens; None if it can't (paused, finished, flag off)."""
    if not settings.monitoring or status.state not in WATCHED or (spec.suspend and not settings.enhanced_status):
        return None
    paused = timedelta(seconds=status.paused_seconds or 0)
    return status.last_activity_time + paused + stale_threshold(spec, settings)


def idle_since(spec: ContractSpec, status: ContractStatus) -> datetime | None:
    """Since when nothing has happened, later by what a pause took after it; None if it can't become stale.

    For the projection, which outlives settings: whether a contract is stale follows from this and a threshold.
    """
    if status.state not in WATCHED or spec.suspend:
        return None
    return status.last_activity_time + timedelta(seconds=status.paused_seconds or 0)


def is_stale(spec: ContractSpec, status: ContractStatus, settings: Settings, now: datetime) -> bool:
    """Whether nothing has happened for too long."""
    deadline = stale_at(spec, status, settings)
    return deadline is not None and now >= deadline


def stale_look(deadline: datetime, settings: Settings) -> datetime:
    """The first regular look at or after `deadline` (`stale_detection_interval_seconds`), on a grid common to all."""
    step = settings.stale_interval.total_seconds()
    since_epoch = deadline.timestamp()
    return datetime.fromtimestamp(-(-since_epoch // step) * step, tz=deadline.tzinfo)


def expires_at(spec: ContractSpec, status: ContractStatus) -> datetime | None:
    """When a finished contract is deleted (spec.ttlSecondsAfterFinished); None = never."""
    if spec.ttl_seconds_after_finished is None or status.finished_time is None:
        return None
    return status.finished_time + timedelta(seconds=spec.ttl_seconds_after_finished)
