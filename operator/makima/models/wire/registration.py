"""Registering a life of a supervisor, and what it gets back to go on where it was (plan 3.4)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from makima.models.bounds import Label, Line, ObjectName
from makima.models.wire.commands import Command
from makima.models.wire.memory import ConversationMessage, SavedState
from makima.models.wire.message import Incarnation, Message, Plain, Stamped, WireOutcome
from makima.models.wire.work import AskedQuestion, TaskReport


class Register(Message):
    """The call with which a life begins.

    A pod says the incarnation that it was started with. An external supervisor leaves it out and gets the next one;
    while another external supervisor lives, that needs `take_over`.
    """

    namespace: Label
    name: ObjectName
    registration_id: UUID = Field(description="Made by the client for this life; the same again gets the same answer.")
    incarnation: Incarnation | None = None
    take_over: bool = Field(False, strict=True)
    host: Annotated[Line, Plain] = ""


class RestoredMessage(ConversationMessage):
    """A message with its place in the conversation."""

    sequence: int = Field(ge=1)


class Restoration(Message):
    """How to go on.

    Attributes:
        outcome: the branch that was taken (plan 3.4).
        reason: why, in a sentence; names what was wrong with what was not used.
        state: the state to go on from; None = start afresh.
        revision: last revision saved; the next save has this + 1.
        message_sequence: last message stored; the next append begins at this + 1.
        messages: the end of the conversation, oldest first; `GET S/messages` has the rest.
        checkpoint: number of the newest checkpoint; the next has this + 1.
        questions: asked by a life before and not answered yet; open again for people, not to be asked again. An answer
            that came meanwhile is among the commands.
        waiting_on: tasks that were waited for, with what became of them.
        spawned_since: tasks that a life before spawned and that `state` does not know of; not to be spawned again.
    """

    outcome: WireOutcome
    reason: str
    state: SavedState | None = None
    revision: int = Field(0, ge=0)
    message_sequence: int = Field(0, ge=0)
    messages: tuple[RestoredMessage, ...] = ()
    checkpoint: int = Field(0, ge=0)
    questions: tuple[AskedQuestion, ...] = ()
    waiting_on: tuple[TaskReport, ...] = ()
    spawned_since: tuple[TaskReport, ...] = ()


class ConversationPage(Message):
    """Messages of a conversation, oldest first; ask again with `after` = the last sequence until none comes."""

    messages: tuple[RestoredMessage, ...] = ()


class Registered(Stamped):
    """The caller carries the contract; `incarnation` goes into every further call."""

    contract_id: UUID
    task_id: UUID
    incarnation: Incarnation
    phase: Label
    contract_version: int = Field(ge=1)
    heartbeat_interval_seconds: float
    heartbeat_timeout_seconds: float
    restoration: Restoration
    commands: tuple[Command, ...] = ()
