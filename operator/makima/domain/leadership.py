"""Who leads: decided from what a candidate has seen of the Lease, by its own clock only.

Clocks of several machines are never compared. A holder is gone when its Lease has not changed for the whole lease
duration, measured here (as client-go does). Leadership only saves double work: correctness rests on resourceVersions.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The part of a coordination.k8s.io Lease that matters.

    Attributes:
        holder: identity of the leader; "" = given up.
        renewed: renewTime as it stands in the Lease; only compared for being another one.
        duration: leaseDurationSeconds that the holder promised.
        transitions: how often the holder changed.
    """

    holder: str
    renewed: str
    duration: float
    transitions: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """A record and when, on this process's monotonic clock in seconds, it was first seen like this."""

    record: LeaseRecord
    since: float


@dataclass(frozen=True, slots=True)
class Acquire:
    """Take the Lease, with the resourceVersion that was seen as precondition."""


@dataclass(frozen=True, slots=True)
class Renew:
    """It is ours: renew it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody else leads; it may be free after this many seconds."""

    seconds: float


def deaf_for(leading: float | None, seen: float | None, limit: float) -> float | None:
    """For how many seconds a leader has not heard its own renewals over a watch, if that is too long.

    Args:
        leading: seconds since this process leads; None = it does not, and watches nothing.
        seen: seconds since the last event of the watch; None = none came yet.
        limit: how long is too long, in seconds.
    """
    if leading is None:
        return None
    silent = leading if seen is None else min(leading, seen)
    return silent if silent > limit else None


LeaseDecision = Acquire | Renew | Wait


def observe(before: Observation | None, record: LeaseRecord, now: float) -> Observation:
    """What is known after seeing `record` at `now`; a record that did not change keeps its age."""
    if before is not None and before.record == record:
        return before
    return Observation(record, now)


def decide_lease(seen: Observation | None, me: str, now: float) -> LeaseDecision:
    """What a candidate named `me` does; `seen` is None if there is no Lease."""
    if seen is None or not seen.record.holder:
        return Acquire()
    if seen.record.holder == me:
        return Renew()
    left = seen.since + seen.record.duration - now
    return Wait(left) if left > 0 else Acquire()
