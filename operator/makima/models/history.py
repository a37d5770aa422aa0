"""What goes into the history and comes back: plain values, stored by `makima.adapters.postgres`.

All times are UTC with a time zone; `status` and task `state` are the snake_case spellings (design, "Names").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

STATUS_KEY = "contract_status"
"""Where an event's payload has the state, in snake_case, that its contract was in. Whoever makes the event and knows it
says so; else the projection's state is put there when the event is stored (ADR 0011)."""

CONTRACT_DELETED = "ContractDeleted"
"""Type of the event that says that a contract no longer exists; there is at most one for a contract."""


def transition_event_id(contract_id: UUID, version: int, ordinal: int = 0) -> UUID:
    """Id of the `ordinal`-th event of one version: recording it again finds it already there.

    Source: design, "Ordering" 1.
    """
    return uuid5(contract_id, f"{version}:{ordinal}")


def deletion_event_id(contract_id: UUID) -> UUID:
    """Id of the one event that says that the contract is gone."""
    return uuid5(contract_id, "deleted")


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One thing that happened to a contract.

    Attributes:
        id: made by the caller, so that storing it twice stores it once (`transition_event_id`).
        contract_id: UID of the Contract; it may be gone meanwhile.
        version: version of the contract that this event is about; None for events that change no version.
        type: one word for programs.
        at: when it happened (not when it was stored).
        actor: who caused it, where known.
        payload: JSON; what Postgres can't store in it (NUL, lone surrogates, NaN) is replaced, not refused.
    """

    id: UUID
    contract_id: UUID
    namespace: str
    contract_name: str
    version: int | None
    type: str
    at: datetime
    actor: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event and its place in the stream: `seq` rises in commit order, so `after=seq` misses nothing."""

    seq: int
    event: HistoryEvent


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a list ended: the time by which the list is ordered, and the id that parts equal ones."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A contract as the projection has it; the newest of several is the one with the higher
    (`version`, `resource_version` as a number).

    Attributes:
        status: the state in snake_case; the plan's three old values are derived from it by readers.
        phases: names, in order.
        updated_at: when the contract was last written, by the writer's clock.
        suspended: whether its spec says so.
        running_tasks, pending_tasks: tasks that have not ended.
        worktrees: known in its workspace: those that the last clearing left, and those of tasks listed since.
        idle_since: its last activity, later by what a pause took after it; None: it can't become stale.
        stale_after_seconds: threshold of its spec; None: the configured one.
        stale_at: `idle_since` plus that threshold, where there are both.
        deleted_at: when it was found to be gone; set by the history itself, ignored when recording.
    """

    uid: UUID
    namespace: str
    name: str
    type: str
    status: str
    phase: str
    phases: tuple[str, ...]
    version: int
    resource_version: str
    generation: int
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    auto_complete_enabled: bool = True
    status_changed_at: datetime | None = None
    last_activity_at: datetime | None = None
    waiting_for: str | None = None
    blocked_reason: str | None = None
    failure_reason: str | None = None
    completion_detected_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    suspended: bool = False
    running_tasks: int = 0
    pending_tasks: int = 0
    worktrees: int = 0
    idle_since: datetime | None = None
    stale_after_seconds: int | None = None
    stale_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unversioned:
    """What a contract's row says that can change without a new version; see `ContractRow`."""

    suspended: bool = False
    running_tasks: int = 0
    pending_tasks: int = 0
    worktrees: int = 0
    waiting_for: str | None = None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task of a contract, running or finished; the first end that is recorded stays.

    Attributes:
        id: made by the client that spawned it.
        state: pending, running, completed or failed.
        template: task template it runs from; None = its supervisor runs it.
        message: what it said at its end.
    """

    id: UUID
    contract_id: UUID
    phase: str
    name: str
    state: str
    created_at: datetime
    template: str | None = None
    completed_at: datetime | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryBatch:
    """What is stored in one transaction; events get their sequence numbers in this order."""

    rows: tuple[ContractRow, ...] = ()
    events: tuple[HistoryEvent, ...] = ()
    tasks: tuple[TaskRow, ...] = ()

    def __len__(self) -> int:
        return len(self.rows) + len(self.events) + len(self.tasks)
