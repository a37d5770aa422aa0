"""What the server tells a supervisor; delivered at least once, acknowledged by id."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from makima.models.wire.message import CommandIds, Fenced, Message, WireCommand


class Command(Message):
    """One thing to do or to know.

    `payload` by kind: `phase_changed` {from, to, version}; `pause` {reason}; `answer` {question_id, answer};
    `task_finished` {task_id, state, message}; `stop` {reason, state}: how the contract ended;
    `restart` {reason, incarnation}: a later life has nothing to do; `resume` and `sync` {}.
    """

    id: UUID
    kind: WireCommand
    payload: dict[str, Any] = Field(default_factory=dict)
    created_at: datetime


class CommandList(Message):
    """Commands that are not acknowledged yet, oldest first."""

    commands: tuple[Command, ...] = ()


class Acknowledge(Fenced):
    """These were carried out."""

    command_ids: CommandIds = Field(min_length=1)
