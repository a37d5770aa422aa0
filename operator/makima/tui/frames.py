"""Frames of the monitor stream, and entries of the history, as events of the monitor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from makima.tui.source import Happening

OWN = frozenset({"type", "seq", "at", "contract_id", "namespace", "name", "version", "payload"})
"""Fields that every event has; what is left are the plan's fields of its type."""


def happening_of(frame: Mapping[str, Any]) -> Happening | None:
    """The event; None where it is none (a frame of a later version, without what every event has)."""
    try:
        at = datetime.fromisoformat(str(frame["at"]))
        kind, seq, version = str(frame["type"]), frame.get("seq"), frame.get("version")
        key = (str(frame["namespace"]), str(frame["name"]))
        fields = {name: value for name, value in frame.items() if name not in OWN}
    except (KeyError, ValueError):
        return None
    payload = frame.get("payload")
    return Happening(
        type=kind,
        at=at if at.tzinfo is not None else at.astimezone(),
        key=key,
        contract_id=str(frame.get("contract_id", "")),
        seq=seq if isinstance(seq, int) else None,
        version=version if isinstance(version, int) else None,
        fields={**payload, **fields} if isinstance(payload, Mapping) else fields,
    )


def missed_text(frame: Mapping[str, Any]) -> str:
    """What the stream left out, for people."""
    first, last, beats = frame.get("from_seq"), frame.get("to_seq"), frame.get("heartbeats")
    events = f"events {first} to {last}" if first is not None else ""
    left_out = " and ".join(part for part in (events, f"{beats} heartbeats" if beats else "") if part) or "events"
    return f"this terminal was too slow: {left_out} were left out; {frame.get('hint') or 'details have the history'}"
