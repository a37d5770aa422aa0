"""`opencode run --format json`.

Every line carries the conversation's id. A tool is told of only once it has ended, so this program never shows an open
tool call; killed before its first line, it has not told its conversation either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from makima.supervisor.dialects.events import Conversation, Doing, Events, Said, Trouble, TurnEnded
from makima.supervisor.dialects.json_line import described, id_at, object_of, text_at

FINAL = "stop"
"""Reason of the step that ends the turn; `tool-calls` and others go on."""


def parse(line: bytes) -> Events | None:
    """What the line says; nothing that matters: (); not a line of this program: None."""
    found = object_of(line)
    if found is None or not isinstance(found.get("type"), str):
        return None
    session = id_at(found, "sessionID")
    known: Events = (Conversation(session),) if session else ()
    return known + _of(found)


def _of(found: Mapping[str, Any]) -> Events:
    part = found.get("part")
    match found["type"]:
        case "text" if text := text_at(part, "text"):
            return (Said(text),)
        case "tool_use" if isinstance(part, Mapping):
            state = part.get("state")
            tool = text_at(part, "tool", limit=64) or "tool"
            return (Doing(described(tool, state.get("input") if isinstance(state, Mapping) else None)),)
        case "step_finish" if text_at(part, "reason", limit=64) == FINAL:
            return (TurnEnded(ok=True),)
        case "error":
            name = text_at(found, "error", "name", limit=64)
            message = text_at(found, "error", "data", "message", limit=1024)
            return (Trouble(": ".join(word for word in (name, message) if word)),)
        case _:
            return ()
