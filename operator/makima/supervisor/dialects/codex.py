"""`codex exec --json`.

Lines: `thread.started` with the conversation's id before any answer; `item.started` and `item.completed`, whose item is
a message, a command or a tool call; `turn.completed`, or `error` and then `turn.failed`. A signal ends it without a
closing line. An item of type `error` about the model's metadata comes with each run and is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from makima.supervisor.dialects.events import (
    Conversation,
    Doing,
    Events,
    Said,
    ToolClosed,
    ToolOpened,
    Trouble,
    TurnEnded,
)
from makima.supervisor.dialects.json_line import described, id_at, object_of, one_line, text_at

Line = Mapping[str, Any]

SPEECH = "agent_message"
NO_TOOLS = frozenset({SPEECH, "reasoning", "error", "todo_list"})


def parse(line: bytes) -> Events | None:
    """What the line says; nothing that matters: (); not a line of this program: None."""
    found = object_of(line)
    if found is None:
        return None
    kind = found.get("type")
    if not isinstance(kind, str):
        return None
    read = LINES.get(kind)
    return read(found) if read is not None else ()


def _thread(found: Line) -> Events:
    thread = id_at(found, "thread_id")
    return (Conversation(thread),) if thread else ()


def _failed(found: Line) -> Events:
    return (TurnEnded(ok=False, text=text_at(found, "error", "message", limit=1024)),)


def _opened(item: object) -> Events:
    kind = text_at(item, "type", limit=64)
    call = id_at(item, "id")
    if not isinstance(item, Mapping) or not call or not kind or kind in NO_TOOLS:
        return ()
    return (ToolOpened(call, _tool(kind, item)),)


def _closed(item: object) -> Events:
    kind = text_at(item, "type", limit=64)
    if kind == SPEECH:
        text = text_at(item, "text")
        return (Said(text),) if text else ()
    if kind == "reasoning":
        return (Doing(one_line(text_at(item, "text", limit=1024))),)
    call = id_at(item, "id")
    return (ToolClosed(call),) if call and kind not in NO_TOOLS else ()


def _tool(kind: str, item: Mapping[str, Any]) -> str:
    match kind:
        case "command_execution":
            return one_line(text_at(item, "command", limit=1024)) or kind
        case "mcp_tool_call":
            name = f"{text_at(item, 'server', limit=64)}.{text_at(item, 'tool', limit=64)}"
            return described(name, item.get("arguments"))
        case "web_search":
            return described(kind, item.get("query"))
        case _:
            return one_line(kind)


LINES: dict[str, Callable[[Line], Events]] = {
    "thread.started": _thread,
    "item.started": lambda found: _opened(found.get("item")),
    "item.completed": lambda found: _closed(found.get("item")),
    "turn.completed": lambda _: (TurnEnded(ok=True),),
    "turn.failed": _failed,
    "error": lambda found: (Trouble(text_at(found, "message", limit=1024)),),
}
