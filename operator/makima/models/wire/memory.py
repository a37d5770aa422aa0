"""What a supervisor saves: its state, its conversation, its checkpoints (plan 3.3)."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from makima.models.bounds import Label
from makima.models.wire.message import Activity, Fenced, Instant, Message, Plain, Sequence, Stamped, TaskIds, WireState

MESSAGES = 200
"""Most messages in one call."""

CONTENT = 1024 * 1024
"""Characters of one message."""

SCHEMA = 1
"""Version of `SavedState`; one from the future is invalid, and the last checkpoint that can be read is used."""


class SavedState(Message):
    """The plan's SupervisorPersistentState without its conversation, which is appended to message by message.

    Saved as text: `SaveState.payload` is this model's JSON, so that the checksum is over what was sent, not over what a
    server made of it.
    """

    schema_version: int = Field(SCHEMA, ge=1)
    state: WireState
    phase: Label
    current_activity: Activity = ""
    progress: int = Field(0, ge=0, le=100)
    message_sequence: int = Field(0, ge=0, description="Last message of the conversation that this state has seen.")
    pending_question_ids: tuple[UUID, ...] = Field((), max_length=64)
    spawned_task_ids: Annotated[tuple[UUID, ...], Field(max_length=4096)] = ()
    waiting_on_task_ids: TaskIds = ()
    open_tool_call: str | None = Field(None, max_length=1024, description="Tool call in whose middle this was saved.")
    error: Annotated[str, Field(max_length=8192), Plain] | None = None
    agent: dict[str, Any] = Field(
        default_factory=dict, description="The agent's own: conversation id, program, host, working directory, …"
    )
    saved_at: Instant


def checksum(payload: str) -> str:
    """SHA-256 of the text in UTF-8, as lower-case hex."""
    return hashlib.sha256(payload.encode()).hexdigest()


class SaveState(Fenced):
    """Save this state; `revision` is the one before + 1 (the first is 1)."""

    task_id: UUID
    revision: Sequence
    payload: Annotated[str, Field(max_length=CONTENT), Plain]
    checksum: str = Field(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")


class ConversationMessage(Message):
    """One message of the conversation; `content` is text, or JSON as text."""

    id: UUID = Field(description="Made by the client; appending it again is recognised.")
    role: Annotated[str, Field(min_length=1, max_length=32), Plain]
    content: Annotated[str, Field(max_length=CONTENT), Plain]
    timestamp: Instant | None = None


class AppendMessages(Fenced):
    """Append; the first one gets `first_sequence`, which is the last one there + 1."""

    first_sequence: Sequence
    messages: Annotated[tuple[ConversationMessage, ...], Field(min_length=1, max_length=MESSAGES)]


class SaveCheckpoint(Fenced):
    """A state to go back to, together with the conversation up to `message_sequence`."""

    number: Sequence
    message_sequence: int = Field(ge=0, strict=True)
    payload: Annotated[str, Field(max_length=CONTENT), Plain]
    checksum: str = Field(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")


class Saved(Stamped):
    """It is committed. `last` is the revision, message sequence or checkpoint number that is newest now."""

    last: int = Field(ge=0)
    duplicate: bool = Field(False, description="It was there already; nothing was stored again.")
