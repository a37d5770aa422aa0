"""Since when a life is to be heard from: whether its silence means anything, and from when on it counts."""

from __future__ import annotations

from datetime import datetime, timedelta

from makima.domain.supervision.heartbeat_times import heartbeat_times
from makima.domain.supervision.liveness import is_watched, last_sign
from makima.domain.supervision.steps import Listen, Seen
from makima.models.contract import Contract
from makima.models.enums import ContractState


def listen_to(seen: Seen) -> Listen | None:
    """None while silence means nothing: paused, finished, or before the first sign of life."""
    if not is_watched(seen.supervisor, seen.contract):
        return None
    heard = last_sign(
        seen.own.last_heartbeat_at if seen.own is not None and seen.own.sequence else None,
        seen.own.registered_at if seen.own is not None else None,
        seen.pod.started_at if seen.pod is not None else None,
    )
    if heard is None:
        return None
    heard = max(heard, _resumed_at(seen.contract) or heard)
    return Listen(seen.incarnation, heard, timedelta(seconds=heartbeat_times(seen.supervisor.spec).timeout_seconds))


def _resumed_at(contract: Contract) -> datetime | None:
    """The end of the pause, if the contract comes from one: deadlines stood still."""
    transitions = contract.status.transitions if contract.status is not None else ()
    moments = [item.time for item in transitions if item.from_state is ContractState.PAUSED]
    return max(moments, default=None)
