"""What `makima doctor` thinks of what it has seen: findings, each with what to do next. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from makima.models.history_schema import SchemaStatus

OLDEST_KUBERNETES = (1, 32)
"""The first with selectable fields of custom resources."""

CLOCKS_MAY_DIFFER = timedelta(seconds=5)
"""Far below a heartbeat's timeout and a Lease's duration; the API server tells its time in whole seconds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        about: what it is.
        well: whether it is as it has to be.
        text: what was seen.
        next: what to do where it is not well.
    """

    about: str
    well: bool
    text: str
    next: str = ""


def judge_version(major: int, minor: int) -> Finding:
    """The cluster's version."""
    text = f"Kubernetes {major}.{minor}"
    needed = ".".join(map(str, OLDEST_KUBERNETES))
    return Finding("cluster", (major, minor) >= OLDEST_KUBERNETES, text, f"makima needs Kubernetes {needed} or newer")


def judge_rights(account: str, missing: Sequence[str]) -> Finding:
    """What an account may not do although its code does it."""
    if not missing:
        return Finding(f"rights of {account}", True, "everything that it calls is allowed")
    text = f"not allowed: {'; '.join(missing)}"
    return Finding(f"rights of {account}", False, text, "bind its roles again: helm upgrade, or makima install")


def judge_schema(status: SchemaStatus) -> Finding:
    """The schema of the history."""
    text = f"the schema is at {status.current or 'nothing'}, this makima needs {status.head}"
    if status.newer:
        return Finding("database", False, text, "a newer makima has migrated it: use that one, or migrate down with it")
    if status.pending:
        return Finding("database", False, text, "makima migrate up")
    return Finding("database", True, text)


def judge_lease(holder: str, renewed: datetime | None, duration: float, now: datetime) -> Finding:
    """Whether an operator leads; `now` is the API server's time."""
    if not holder or renewed is None:
        return Finding("lease", False, "no operator leads", "start an operator; its log says why it does not lead")
    age = (now - renewed).total_seconds()
    if age > duration:
        text = f"{holder} held it, and has not renewed it for {age:.0f} s"
        return Finding("lease", False, text, "no other operator takes over: look at their logs")
    return Finding("lease", True, f"{holder} leads")


def judge_clocks(offsets: Mapping[str, timedelta]) -> Finding:
    """How far the clocks of others are from this process's."""
    told = ", ".join(f"{who} {offset.total_seconds():+.1f} s" for who, offset in offsets.items())
    well = all(abs(offset) <= CLOCKS_MAY_DIFFER for offset in offsets.values())
    text = f"against this one: {told or 'no other clock could be read'}"
    return Finding("clock", well, text, "set the clocks (NTP): heartbeats and restarts go by them")
