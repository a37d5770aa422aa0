"""From rows to history values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from makima.models.history import ContractRow, HistoryEvent, StoredEvent, TaskRow


def contract_row(row: Mapping[str, Any]) -> ContractRow:
    """A row of `contracts`; columns that an old row has no value for get the plan's defaults."""
    values = dict(row)
    values["phases"] = tuple(values["phases"])
    values["resource_version"] = str(values["resource_version"])
    values["auto_complete_enabled"] = values["auto_complete_enabled"] is not False
    return ContractRow(**values)


def task_row(row: Mapping[str, Any]) -> TaskRow:
    """A row of `tasks`."""
    return TaskRow(**row)


def stored_event(row: Mapping[str, Any]) -> StoredEvent:
    """A row of `events`."""
    values = dict(row)
    return StoredEvent(values.pop("seq"), HistoryEvent(**values))
