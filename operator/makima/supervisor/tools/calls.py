"""What an agent may ask of its wrapper, as it is sent over the socket: one call or answer per line of JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

TOOLS_SOCKET = "MAKIMA_TOOLS_SOCKET"
"""Environment variable of a wrapped program: where its wrapper takes calls."""

CALL_BYTES = 256 * 1024
"""Longest line."""

Name = Annotated[str, Field(min_length=1, max_length=63)]
Line = Annotated[str, Field(max_length=1024)]
Key = Annotated[str, Field(min_length=1, max_length=256)]


class _Call(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AskQuestion(_Call):
    """Ask a person. The same key again, or the same text in the same phase, is the same question."""

    tool: Literal["ask_question"] = "ask_question"
    question: Annotated[str, Field(min_length=1, max_length=1024)]
    options: Annotated[list[Annotated[str, Field(min_length=1, max_length=256)]], Field(max_length=8)] = []
    key: Key | None = None


class SpawnTask(_Call):
    """Begin a task; the same name in the same phase, or the same key, is the same task."""

    tool: Literal["spawn_task"] = "spawn_task"
    name: Name
    template: Name | None = None
    arguments: Annotated[list[Line], Field(max_length=16)] = []
    key: Key | None = None


class CompleteTask(_Call):
    """A task without template ended well."""

    tool: Literal["complete_task"] = "complete_task"
    task_id: Annotated[str, Field(max_length=36)]
    message: Line = ""


class FailTask(_Call):
    """A task without template failed."""

    tool: Literal["fail_task"] = "fail_task"
    task_id: Annotated[str, Field(max_length=36)]
    message: Line = ""


class CompleteDeliverable(_Call):
    """A deliverable is there; without a phase it is one of the current phase."""

    tool: Literal["complete_deliverable"] = "complete_deliverable"
    deliverable: Name
    phase: Name | None = None
    uri: Annotated[str, Field(max_length=512)] | None = None
    digest: Annotated[str, Field(max_length=135)] | None = None


class RequestAdvance(_Call):
    """Move to the next phase, or `Completed`."""

    tool: Literal["request_advance"] = "request_advance"
    to: Name
    reason: Line = ""


class ContractStatus(_Call):
    """How things stand."""

    tool: Literal["contract_status"] = "contract_status"


ToolCall = Annotated[
    AskQuestion | SpawnTask | CompleteTask | FailTask | CompleteDeliverable | RequestAdvance | ContractStatus,
    Field(discriminator="tool"),
]
READ: TypeAdapter[ToolCall] = TypeAdapter(ToolCall)


class ToolAnswer(BaseModel):
    """What came of it.

    Attributes:
        ok: whether it was done.
        text: for the agent to read: what happened, and what to do next.
    """

    ok: bool
    text: str
