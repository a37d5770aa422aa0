"""From what the history has to what the live monitor sends: one frame for each event, and what filters look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from makima.domain.reconcile.states import legacy_status
from makima.models.enums import ContractState
from makima.models.history import STATUS_KEY, HistoryEvent, StoredEvent
from makima.models.wire import monitor as wire

HEARTBEAT, STALE_DETECTED, STATUS_CHANGED = "Heartbeat", "StaleDetected", "StatusChanged"

FRAMES: Mapping[str, type[wire.StoredFrame]] = {
    model.model_fields["type"].default: model for model in wire.PLANNED if issubclass(model, wire.StoredFrame)
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What filters look at.

    Attributes:
        statuses: states that count as the contract's, in snake_case; empty where nobody knows it.
    """

    type: str
    contract_id: UUID
    namespace: str
    statuses: frozenset[str]


def subject_of(stored: StoredEvent, *, enhanced: bool = True) -> Subject:
    """Who may want to hear of this event. A change of state concerns those who watch either side of it.

    Args:
        enhanced: False = states are the three old ones (flag `enhanced_contract_status`).
    """
    event = stored.event
    keys = ("old_status", "new_status") if event.type == STATUS_CHANGED else (STATUS_KEY,)
    known = [word for key in keys if isinstance(word := event.payload.get(key), str)]
    return Subject(
        event.type,
        event.contract_id,
        event.namespace,
        frozenset(shown_status(word, enhanced=enhanced) for word in known),
    )


def shown_status(word: str, *, enhanced: bool) -> str:
    """The state as clients see it: itself, or the old status that stands for it. Words that are none stay."""
    if enhanced:
        return word
    try:
        state = ContractState.from_snake(word)
    except ValueError:
        return word
    assert isinstance(state, ContractState)
    return legacy_status(state).snake


def frame_of(stored: StoredEvent, *, enhanced: bool = True) -> wire.StoredFrame:
    """The frame that says it; an event whose payload lacks what its type needs is sent as it is."""
    event = stored.event
    fields = {**_payload(event, enhanced=enhanced), **_envelope(stored)}
    model = FRAMES.get(event.type)
    if model is not None:
        try:
            return model.model_validate(fields)
        except ValidationError:  # written by an older version: better than nothing
            pass
    return wire.HistoryFrame.model_validate(fields)


def _envelope(stored: StoredEvent) -> dict[str, Any]:
    event = stored.event
    return {
        "type": event.type,
        "seq": stored.seq,
        "version": event.version,
        "at": event.at,
        "contract_id": event.contract_id,
        "namespace": event.namespace,
        "name": event.contract_name,
        "actor": event.actor,
    }


def shown_payload(event: HistoryEvent, *, enhanced: bool) -> dict[str, Any]:
    """What the history keeps of the event, with statuses as clients see them."""
    fields = dict(event.payload)
    for key in ("old_status", "new_status", STATUS_KEY):
        if isinstance(fields.get(key), str):
            fields[key] = shown_status(fields[key], enhanced=enhanced)
    return fields


def _payload(event: HistoryEvent, *, enhanced: bool) -> dict[str, Any]:
    fields = shown_payload(event, enhanced=enhanced)
    if not isinstance(fields.get(STATUS_KEY), str):
        fields.pop(STATUS_KEY, None)
    if event.type == STALE_DETECTED and "stale_duration" not in fields:
        fields["stale_duration"] = _since(fields.get("last_activity"), event.at)
    return fields


def _since(last_activity: object, at: datetime) -> float | None:
    try:
        return max(timedelta(), at - datetime.fromisoformat(str(last_activity))).total_seconds()
    except (ValueError, TypeError):
        return None
