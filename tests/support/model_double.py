"""A language model's API on loopback, for agent programs: streams of responses (codex), chat completions (opencode) and
messages (claude).

The model has two habits: told `RUN[command]`, it runs that with the shell tool of the program; told `CALL[tool {…}]`,
it calls the MCP tool of that name with these arguments. Once that ran, or when it is told anything else, it says what
it was told last.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support import model_messages

RUN = re.compile(r"RUN\[([^\]]*)\]")
CALL = re.compile(r"CALL\[(\w+) (\{.*?\})\]")
SHELLS = ("exec_command", "shell_command", "shell", "bash", "local_shell", "Bash")

OPTIONAL = {"description": "as told", "timeout": 600_000, "timeout_ms": 600_000, "yield_time_ms": 600_000}
"""Arguments of shell tools: what the programs call a time limit, in milliseconds."""

Said = list[tuple[str, str]]
"""(role, text) of what a request holds: user, assistant, call, tool."""


@dataclass
class ModelDouble:
    """Everything that it was asked.

    Attributes:
        asked: one entry per request of an agent: its conversation as sent.
        url: base URL, with /v1.
    """

    asked: list[Said] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[ModelDouble]:
        """Listen on loopback."""
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_post("/v1/responses", self._responses)
        app.router.add_post("/v1/chat/completions", self._completions)
        app.router.add_post("/v1/messages", self._messages)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _responses(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        said = [found for item in body["input"] if (found := _response_item(item))]
        self.asked.append(said)
        tools = _named(body.get("tools", ()))
        wanted, text = _next(said)
        number = len(self.asked)
        if wanted is not None:
            item = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", **_call(tools, wanted)}
        else:
            content = [{"type": "output_text", "text": text, "annotations": []}]
            item = {"type": "message", "role": "assistant", "id": f"msg_{number}", "content": content}
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        usage_details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        ended = {"id": f"resp_{number}", "usage": {**usage, **usage_details}}
        events = [
            {"type": "response.created", "response": {"id": f"resp_{number}"}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": ended},
        ]
        return await _stream(request, [(event["type"], event) for event in events])

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        said = [found for message in body["messages"] if (found := _chat_message(message))]
        tools = {tool["function"]["name"]: tool["function"] for tool in body.get("tools", ())}
        if tools:  # without: a title, a summary
            self.asked.append(said)
        wanted, text = _next(said) if tools else (None, "a title")
        number = len(self.bodies)
        if wanted is not None:
            function = _call(tools, wanted)
            delta: dict[str, Any] = {
                "role": "assistant",
                "tool_calls": [{"index": 0, "id": f"call_{number}", "type": "function", "function": function}],
            }
        else:
            delta = {"role": "assistant", "content": text}
        reason = "tool_calls" if wanted is not None else "stop"
        base = {"id": f"chat_{number}", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        chunks: list[dict[str, Any]] = [
            {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
            {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage},
        ]
        return await _stream(request, [(None, chunk) for chunk in chunks], end=b"data: [DONE]\n\n")

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        tools = model_messages.tools(body)
        found = model_messages.said(body)
        if tools:  # without: a title, a summary
            self.asked.append(found)
        wanted, text = _next(found) if tools else (None, "a title")
        call = _call(tools, wanted) if wanted is not None else None
        events = model_messages.events(body["model"], len(self.bodies), call, text)
        return await _stream(request, [(event["type"], event) for event in events])


Wanted = tuple[str, str]
"""A tool and what it is called with: ("", command) for the shell, (tool, JSON) for another."""


def _next(said: Said) -> tuple[Wanted | None, str]:
    role, text = next(((role, text) for role, text in reversed(said) if role in {"user", "tool"}), ("user", ""))
    if role == "user" and (found := RUN.search(text)):
        return ("", found[1]), ""
    if role == "user" and (found := CALL.search(text.replace('\\"', '"'))):  # opencode quotes a prompt as shells do
        return (found[1], found[2]), ""
    return None, f"done: {text.strip().splitlines()[0][:80] if text.strip() else 'nothing'}"


def _named(tools: Any) -> dict[str, Any]:
    """By name; those of an MCP server may come together, under its name."""
    found = {tool.get("name", ""): tool for tool in tools if "tools" not in tool}
    for group in tools:
        found |= {tool["name"]: {**tool, "namespace": group["name"]} for tool in group.get("tools", ())}
    return found


def _call(tools: dict[str, Any], wanted: Wanted) -> dict[str, str]:
    tool, command = wanted
    if tool:
        name = next(name for name in tools if name.endswith(tool))
        space = {"namespace": tools[name]["namespace"]} if "namespace" in tools[name] else {}
        return {"name": name, "arguments": command, **space}
    name = next(name for name in SHELLS if name in tools)
    properties = tools[name]["parameters"]["properties"]
    key = next(key for key in ("cmd", "command") if key in properties)
    as_list = properties[key].get("type") == "array"
    arguments: dict[str, Any] = {key: ["sh", "-c", command] if as_list else command}
    arguments |= {wanted: value for wanted, value in OPTIONAL.items() if wanted in properties}
    return {"name": name, "arguments": json.dumps(arguments)}


def _response_item(item: dict[str, Any]) -> tuple[str, str] | None:
    match item.get("type", "message"):
        case "message" if item.get("role") in {"user", "assistant"}:
            content = item["content"]
            return item["role"], content if isinstance(content, str) else "".join(p.get("text", "") for p in content)
        case "function_call" | "custom_tool_call" | "local_shell_call":
            return "call", json.dumps(item)
        case "function_call_output" | "custom_tool_call_output":
            return "tool", json.dumps(item.get("output"))
        case _:
            return None


def _chat_message(message: dict[str, Any]) -> tuple[str, str] | None:
    content = message.get("content") or ""
    text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    if message.get("tool_calls"):
        return "call", json.dumps(message["tool_calls"])
    return (message["role"], text) if message["role"] in {"user", "assistant", "tool"} else None


async def _stream(
    request: web.Request, events: list[tuple[str | None, dict[str, Any]]], end: bytes = b""
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for name, event in events:
        head = f"event: {name}\n" if name else ""
        await response.write(f"{head}data: {json.dumps(event)}\n\n".encode())
    await response.write(end)
    return response
