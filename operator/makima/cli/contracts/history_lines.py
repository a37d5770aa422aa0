"""Events of the history, as `history` writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from makima.cli.contracts.formats import say_data
from makima.cli.contracts.text import Screen, plain
from makima.cli.times import utc

Event = dict[str, Any]


def write(screen: Screen, events: Sequence[Event], form: str) -> None:
    """All of them, in this format. An event's name is its number, which --after takes."""
    if form in ("json", "yaml"):
        say_data(screen, form, events)
    elif form == "name":
        for event in events:
            screen.say(str(event["seq"]))
    elif form == "compact":
        for event in events:
            screen.say(plain(f"{utc(event['at'])} {event['type']} {_what(event)}"))
    else:
        _table(screen, events, wide=form == "wide")


def _table(screen: Screen, events: Sequence[Event], *, wide: bool) -> None:
    headings = ("SEQ", "VERSION", "TIME", "EVENT", "WHAT", "BY")
    rows = [[*_cells(event), *([_payload(event)] if wide else [])] for event in events]
    screen.table((*headings, "PAYLOAD") if wide else headings, rows)


def _cells(event: Event) -> list[object]:
    version, actor = _text(event.get("version")), event.get("actor") or ""
    return [event["seq"], version, utc(event["at"], "milliseconds"), event["type"], _what(event), actor]


def _payload(event: Event) -> str:
    return json.dumps(event.get("payload") or {}, ensure_ascii=False, default=str)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _what(event: Event) -> str:
    payload = event.get("payload") or {}
    for old, new in (("old_phase", "new_phase"), ("old_status", "new_status"), ("old_state", "new_state")):
        if payload.get(old):
            return f"{payload[old]} → {payload[new]}"
    if "deliverable_id" in payload:
        return f"{payload['phase']}/{payload['deliverable_id']} {str(payload.get('digest') or '')[:19]}"
    said = payload.get("new_status") or payload.get("question") or payload.get("task_name") or payload.get("message")
    return str(said or utc(str(payload.get("last_activity") or "")))
