"""How each program is told of makima's MCP server: words for its command line, or variables for its environment.

codex takes configuration as `-c key=value` (TOML; JSON strings and lists are TOML too) and gives a server little of its
own environment; opencode takes a piece of configuration in `OPENCODE_CONFIG_CONTENT`; claude takes `--mcp-config JSON`.
A start of the server may take long on a busy machine, and a tool waits until the API service answers: hence the limits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from makima.supervisor.dialects.programs import Program

NAME = "makima"
START_SECONDS, CALL_SECONDS = 120, 300
OPENCODE_CONFIG = "OPENCODE_CONFIG_CONTENT"
PYTHON_PATH = "PYTHONPATH"


@dataclass(frozen=True, slots=True)
class ToolServer:
    """How the server is started.

    Attributes:
        environment: what it needs of the environment, which programs keep from it.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def python_path(environment: Mapping[str, str]) -> dict[str, str]:
    """Where Python finds makima, if it is not installed."""
    return {PYTHON_PATH: environment[PYTHON_PATH]} if environment.get(PYTHON_PATH) else {}


def set_up(
    program: Program, arguments: Sequence[str], environment: Mapping[str, str], server: ToolServer
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Arguments with which the program knows the server, and what its environment needs for that.

    A program that is not known gets neither; one that names a server `makima` itself keeps its own.
    """
    words = tuple(arguments)
    match program.name:
        case "codex" if not any(f"mcp_servers.{NAME}." in word for word in words):
            return _after(words, words.index("exec"), _codex(server)), {}
        case "claude" if not any("mcp-config" in word for word in words):
            first = next((place for place, word in enumerate(words) if word.startswith("-")), 1)
            return _after(words, first - 1, ("--mcp-config", json.dumps({"mcpServers": {NAME: _claude(server)}}))), {}
        case "opencode":
            return words, _opencode(environment.get(OPENCODE_CONFIG), server)
    return words, {}


def _after(words: tuple[str, ...], place: int, more: tuple[str, ...]) -> tuple[str, ...]:
    return (*words[: place + 1], *more, *words[place + 1 :])


def _codex(server: ToolServer) -> tuple[str, ...]:
    """`required`: without it a server that does not start is left out without a word."""
    settings = {
        "command": json.dumps(server.command[0]),
        "args": json.dumps(server.command[1:]),
        "required": "true",
        "startup_timeout_sec": str(START_SECONDS),
        "tool_timeout_sec": str(CALL_SECONDS),
        **{f"env.{name}": json.dumps(value) for name, value in server.environment.items()},
    }
    return tuple(word for key, value in settings.items() for word in ("-c", f"mcp_servers.{NAME}.{key}={value}"))


def _claude(server: ToolServer) -> dict[str, Any]:
    return {"command": server.command[0], "args": server.command[1:], "env": dict(server.environment)}


def _opencode(given: str | None, server: ToolServer) -> dict[str, str]:
    """Beside what the caller's own piece says; one that can't be read is left as it is."""
    try:
        whole = json.loads(given) if given else {}
        servers = {**whole.get("mcp", {})}
    except (ValueError, AttributeError, TypeError):
        return {}
    mine = {
        "type": "local",
        "enabled": True,
        "command": list(server.command),
        "environment": dict(server.environment),
        "timeout": START_SECONDS * 1000,
    }
    return {OPENCODE_CONFIG: json.dumps({**whole, "mcp": {NAME: mine, **servers}})}
