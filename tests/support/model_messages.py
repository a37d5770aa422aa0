"""The `messages` API of a model, as claude speaks it: what a request says, and the events of an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

REMINDER = "<system-reminder>"
"""What claude adds to the words of its user by itself begins so."""


def said(body: dict[str, Any]) -> list[tuple[str, str]]:
    """(role, text) of the conversation, as `model_double.Said`."""
    return [found for message in body["messages"] for found in _of_message(message)]


def _of_message(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for block in blocks:
        match block["type"]:
            case "text" if not block["text"].lstrip().startswith(REMINDER):
                yield message["role"], block["text"]
            case "tool_use":
                yield "call", json.dumps(block)
            case "tool_result":
                yield "tool", json.dumps(block.get("content"))


def tools(body: dict[str, Any]) -> dict[str, Any]:
    """The tools offered, by name, in the form of the other APIs."""
    return {tool["name"]: {**tool, "parameters": tool.get("input_schema", {})} for tool in body.get("tools", ())}


def events(model: str, number: int, call: dict[str, str] | None, text: str) -> list[dict[str, Any]]:
    """An answer that is one call of a tool (name, arguments as JSON), or this text."""
    message = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    if call is None:
        block: dict[str, Any] = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": text}
    else:
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": call["name"], "input": {}}
        delta = {"type": "input_json_delta", "partial_json": call["arguments"]}
    reason = "end_turn" if call is None else "tool_use"
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": 1},
        },
        {"type": "message_stop"},
    ]
