"""How often a supervisor is to be heard, and after how long a silence it is dead: said, or by default.

Both may be left out, and the defaults are the operator's (`[contracts]` of the configuration), which no rule of the API
server can see. So what is filled in gives way to what is said: the timeout is longer than the period in every mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from makima.models.supervisor import SupervisorSettings

Said = TypeVar("Said", bound=SupervisorSettings)


@dataclass(frozen=True, slots=True)
class HeartbeatTimes:
    """Seconds between heartbeats, and the longer time without one after which the supervisor is dead."""

    period_seconds: int = 30
    timeout_seconds: int = 120


PLAN = HeartbeatTimes()
"""What holds where nobody says anything else."""


def heartbeat_times(said: SupervisorSettings, default: HeartbeatTimes = PLAN) -> HeartbeatTimes:
    """What holds for this supervisor.

    A default that does not fit what is said is half of the timeout, or twice the period.
    """
    period, timeout = said.heartbeat_period_seconds, said.heartbeat_timeout_seconds
    if period is None:
        period = default.period_seconds
        if timeout is not None and timeout <= period:
            period = timeout // 2
    if timeout is None:
        timeout = default.timeout_seconds if default.timeout_seconds > period else 2 * period
    return HeartbeatTimes(period, timeout)


def filled_in(said: Said, default: HeartbeatTimes) -> Said:
    """The same settings with both said."""
    times = heartbeat_times(said, default)
    update = {"heartbeat_period_seconds": times.period_seconds, "heartbeat_timeout_seconds": times.timeout_seconds}
    return said.model_copy(update=update)
