"""Contracts, events and tasks as the history takes them, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from makima.models.history import ContractRow, HistoryBatch, HistoryEvent, TaskRow, transition_event_id

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def contract(uid: UUID | None = None, version: int = 1, resource_version: int = 0, **changes: Any) -> ContractRow:
    """A contract that has just been accepted."""
    row = ContractRow(
        uid=uid or uuid4(),
        namespace="team-a",
        name="move-invoices",
        type="simple",
        status="active",
        phase="plan",
        phases=("plan", "execute"),
        version=version,
        resource_version=str(resource_version or version * 10),
        generation=1,
        created_at=START,
        updated_at=START,
        status_changed_at=START,
        last_activity_at=START,
        labels={"team": "a"},
    )
    return replace(row, **changes)


def event(uid: UUID, version: int, **changes: Any) -> HistoryEvent:
    """The event of one version."""
    made = HistoryEvent(
        id=transition_event_id(uid, version),
        contract_id=uid,
        namespace="team-a",
        contract_name="move-invoices",
        version=version,
        type="PhaseAdvanced",
        at=START,
        actor="alice",
        payload={"from": "plan", "to": "execute"},
    )
    return replace(made, **changes)


def task(contract_id: UUID, state: str = "running", **changes: Any) -> TaskRow:
    """A task that its supervisor runs."""
    made = TaskRow(uuid4(), contract_id, "plan", "read-the-ledger", state, START)
    return replace(made, **changes)


def versions_of(uid: UUID, first: int, last: int) -> HistoryBatch:
    """What a recorder sends for one contract: its newest row, and the events of versions `first` to `last`."""
    events = tuple(event(uid, version) for version in range(first, last + 1))
    return HistoryBatch(rows=(contract(uid, last),), events=events)
