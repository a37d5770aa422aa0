"""What the dashboard is made of, as Postgres has it: plain values, read by `makima.services.reads.dashboard`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from makima.models.history import StoredEvent


@dataclass(frozen=True, slots=True)
class Tally:
    """Contracts of one status in one phase; both as in the projection."""

    status: str
    phase: str
    contracts: int
    running_tasks: int
    pending_tasks: int
    worktrees: int


@dataclass(frozen=True, slots=True)
class Silent:
    """A contract that is stale.

    Attributes:
        last_activity_at: the newest of what the projection and its supervisor's row say.
        idle_since: the same, later by what a pause took after it.
    """

    id: UUID
    namespace: str
    name: str
    last_activity_at: datetime
    idle_since: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A contract that waits for a person; `question` is the oldest open one of its supervisor, where there is one."""

    id: UUID
    namespace: str
    name: str
    since: datetime
    waiting_for: str | None
    question_id: UUID | None
    question: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked of the projection.

    Attributes:
        namespaces: only these; None = all.
        stale_threshold: for contracts that have none of their own.
        most: entries of each list.
    """

    namespaces: tuple[str, ...] | None
    now: datetime
    stale_threshold: timedelta
    most: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the projection answers.

    Attributes:
        silent, waiting: longest first; events: newest first.
        caught_up_at: the projection is at least as new as this; None = nobody has recorded for a week.
        lag: how long ago that is, by the clock of Postgres.
    """

    tallies: tuple[Tally, ...]
    silent: tuple[Silent, ...]
    waiting: tuple[Waiting, ...]
    events: tuple[StoredEvent, ...]
    caught_up_at: datetime | None
    lag: timedelta | None


@dataclass(frozen=True, slots=True)
class Crew:
    """Live supervisors of one namespace on one host."""

    namespace: str
    host: str
    supervisors: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Live supervisors, counted at one moment.

    Attributes:
        supervisors, hosts: of all namespaces; `by_namespace` has the same for each.
    """

    supervisors: int
    hosts: int
    by_namespace: Mapping[str, tuple[int, frozenset[str]]]
