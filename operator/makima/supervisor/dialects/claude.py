"""`claude -p --output-format stream-json --verbose`.

Lines: `system`/`init` with the conversation's id; `assistant` and `user` messages, whose content holds text, tool calls
and their results; a final `result`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from makima.supervisor.dialects.events import Conversation, Event, Events, Said, ToolClosed, ToolOpened, TurnEnded
from makima.supervisor.dialects.json_line import described, id_at, object_of, text_at


def parse(line: bytes) -> Events | None:
    """What the line says; nothing that matters: (); not a line of this program: None."""
    found = object_of(line)
    if found is None:
        return None
    match found.get("type"):
        case "system":
            session = id_at(found, "session_id") if found.get("subtype") == "init" else ""
            return (Conversation(session),) if session else ()
        case "assistant" | "user":
            return tuple(_of_blocks(found))
        case "result":
            ok = found.get("subtype") == "success" and found.get("is_error") is not True
            return (TurnEnded(ok, text_at(found, "result")),)
        case str():
            return ()
        case _:
            return None


def _of_blocks(found: Mapping[str, Any]) -> Iterator[Event]:
    message = found.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    blocks = content if isinstance(content, list) else ()
    for block in blocks:
        yield from _of_block(block, speaks=found["type"] == "assistant")


def _of_block(block: object, *, speaks: bool) -> Iterator[Event]:
    kind = text_at(block, "type", limit=32)
    if speaks and kind == "text" and (text := text_at(block, "text")):
        yield Said(text)
    elif speaks and kind == "tool_use" and (call := id_at(block, "id")):
        assert isinstance(block, Mapping)
        yield ToolOpened(call, described(text_at(block, "name", limit=64) or "tool", block.get("input")))
    elif not speaks and kind == "tool_result" and (call := id_at(block, "tool_use_id")):
        yield ToolClosed(call)
