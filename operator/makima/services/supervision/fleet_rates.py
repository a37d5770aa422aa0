"""What all supervisors share: the rate of restarts, and the budget of writes that only show something."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from makima.domain.supervision.restart import STORM, storm_delay
from makima.domain.token_bucket import Bucket, Rate, take
from makima.services.supervision.supervisor_cache import Carrier


@dataclass(frozen=True, slots=True)
class FleetLimits:
    """Limits of a fleet.

    Attributes:
        restarts: lives that follow another, over all supervisors.
        writes: status writes that only show activity, progress and heartbeats.
        refresh: least time between two of those to one supervisor.
    """

    restarts: Rate = STORM
    writes: Rate = field(default_factory=lambda: Rate(50.0, 50.0))
    refresh: timedelta = timedelta(seconds=30)


class FleetRates:
    """Hands out moments. Who got one keeps it, however often it is looked at before."""

    def __init__(self, limits: FleetLimits, now: datetime) -> None:
        self._limits = limits
        self._restarts = Bucket(limits.restarts.burst, now)
        self._writes = Bucket(limits.writes.burst, now)

    def restart_at(self, carrier: Carrier, after: int, now: datetime) -> datetime:
        """When the life after this one may begin."""
        if carrier.slot is None or carrier.slot[0] != after:
            self._restarts, moment = storm_delay(self._restarts, now, self._limits.restarts)
            carrier.slot = (after, moment)
        return carrier.slot[1]

    def write_at(self, carrier: Carrier, now: datetime) -> datetime:
        """When a write that only shows something may be made: at the earliest `refresh` after the one before.

        With more supervisors than the budget has writes for, the oldest is (supervisors / writes a second) old.
        """
        fresh_until = carrier.shown_at + self._limits.refresh if carrier.shown_at is not None else now
        if fresh_until > now:
            return fresh_until
        if carrier.budgeted is None:
            self._writes, carrier.budgeted = take(self._writes, self._limits.writes, now)
        return carrier.budgeted
