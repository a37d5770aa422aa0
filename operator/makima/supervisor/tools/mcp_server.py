"""An MCP server over stdio: each tool is a call on the wrapper's socket. Needs the extra `agents`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from makima.supervisor.tools.calls import CALL_BYTES, ToolAnswer

INSTRUCTIONS = """You carry a contract. contract_status says its phase. Report each deliverable of the phase with
complete_deliverable, then ask for the next phase with request_advance (`Completed` after the last one). Where a
decision is not yours, use ask_question and end your turn: you are started again with the answer."""

Options = Annotated[list[str] | None, Field(description="What can be answered; default: any text.")]
Template = Annotated[str | None, Field(description="One of the contract's task templates: the task runs as a Job.")]
Arguments = Annotated[list[str] | None, Field(description="For the Job.")]
Key = Annotated[
    str | None, Field(description="A name of yours; the same again is the same, and nothing is done twice.")
]
TaskId = Annotated[str, Field(description="As spawn_task gave it.")]
Message = Annotated[str, Field(description="What came of it, in a line.")]


def server(socket: Path) -> MCPServer:
    """The server; it connects when a tool is called. What the arguments may be is said by the wrapper, not here."""
    found: MCPServer = MCPServer("makima", instructions=INSTRUCTIONS)
    for tool in (_questions, _tasks, _results):
        tool(found, socket)
    return found


def _questions(found: MCPServer, socket: Path) -> None:
    @found.tool(structured_output=False)
    async def ask_question(question: str, options: Options = None, key: Key = None) -> str:
        """Ask a person. The answer comes with your next turn, so end this one after asking."""
        return await call(socket, "ask_question", question=question, options=options, key=key)

    @found.tool(structured_output=False)
    async def contract_status() -> str:
        """How things stand: phase, open questions and their answers, tasks that are waited for."""
        return await call(socket, "contract_status")


def _tasks(found: MCPServer, socket: Path) -> None:
    @found.tool(structured_output=False)
    async def spawn_task(name: str, template: Template = None, arguments: Arguments = None, key: Key = None) -> str:
        """Begin a task of the current phase; without a template you run it yourself."""
        return await call(socket, "spawn_task", name=name, template=template, arguments=arguments, key=key)

    @found.tool(structured_output=False)
    async def complete_task(task_id: TaskId, message: Message = "") -> str:
        """A task that you ran yourself is done."""
        return await call(socket, "complete_task", task_id=task_id, message=message)

    @found.tool(structured_output=False)
    async def fail_task(task_id: TaskId, message: Message = "") -> str:
        """A task that you ran yourself failed."""
        return await call(socket, "fail_task", task_id=task_id, message=message)


def _results(found: MCPServer, socket: Path) -> None:
    @found.tool(structured_output=False)
    async def complete_deliverable(
        deliverable: Annotated[str, Field(description="Its id.")],
        phase: Annotated[str | None, Field(description="Its phase; default: the current one.")] = None,
        uri: Annotated[str | None, Field(description="Where it is.")] = None,
        digest: Annotated[str | None, Field(description="sha256:… of its content.")] = None,
    ) -> str:
        """A deliverable is there."""
        place = {"phase": phase, "uri": uri, "digest": digest}
        return await call(socket, "complete_deliverable", deliverable=deliverable, **place)

    @found.tool(structured_output=False)
    async def request_advance(
        to: Annotated[str, Field(description="The next phase, or Completed after the last one.")], reason: str = ""
    ) -> str:
        """Ask for the next phase. A person may have to confirm: then end your turn."""
        return await call(socket, "request_advance", to=to, reason=reason)


async def call(socket: Path, tool: str, **arguments: object) -> str:
    """Make one call.

    Raises:
        ToolError: it was not done; says why, for the agent to read.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    line = await _exchanged(socket, json.dumps({"tool": tool, **given}).encode())
    if not line:
        raise ToolError("the wrapper of this agent ended; nothing is known about the call, it may be made again")
    answer = ToolAnswer.model_validate_json(line)
    if not answer.ok:
        raise ToolError(answer.text)
    return answer.text


async def _exchanged(socket: Path, said: bytes) -> bytes:
    try:
        reader, writer = await asyncio.open_unix_connection(socket, limit=CALL_BYTES)
        try:
            writer.write(said + b"\n")
            await writer.drain()
            return await reader.readline()
        finally:
            writer.close()
    except OSError as error:
        raise ToolError(f"the wrapper of this agent does not answer: {error.strerror}") from None
