"""Tasks, questions, deliverables and moves: what a supervisor reports about its contract."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from makima.models.bounds import Digest, Label, Line, Uri
from makima.models.wire.message import Fenced, Message, Plain, Stamped

TaskWord = Literal["pending", "running", "completed", "failed"]
OutcomeWord = Literal["success", "version_conflict", "requires_confirmation", "validation_failed", "unauthorized"]
"""`TaskState` and `AdvanceOutcome` as plain words: agents' programs compare them. A test holds them to the enums."""


class SpawnTask(Fenced):
    """A new task in the current phase; one with a `template` runs as a Job, another is run by the supervisor itself."""

    id: UUID = Field(description="Made by the client; spawning it again spawns nothing.")
    name: Label
    template: Label | None = None
    arguments: Annotated[tuple[Annotated[str, Field(max_length=1024), Plain], ...], Field(max_length=16)] = ()


class EndTask(Fenced):
    """The task came to its end."""

    message: Annotated[Line, Plain] = ""


class TaskReport(Message):
    """A task as it is."""

    id: UUID
    name: Label
    phase: Label
    state: TaskWord
    template: Label | None = None
    message: str | None = None
    created_at: datetime
    completed_at: datetime | None = None


class AskQuestion(Fenced):
    """A question to a person."""

    id: UUID = Field(description="Made by the client; asking it again asks nothing.")
    text: Annotated[str, Field(min_length=1, max_length=1024), Plain]
    options: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=256), Plain], ...], Field(max_length=8)] = ()


class AskedQuestion(Message):
    """A question as it stands."""

    id: UUID
    text: str
    options: tuple[str, ...] = ()
    asked_at: datetime
    answer: str | None = None
    answered_at: datetime | None = None


class CompleteDeliverable(Fenced):
    """The deliverable is there."""

    phase: Label
    id: Label
    uri: Uri | None = None
    digest: Digest | None = None


class AskAdvance(Fenced):
    """Move to the next phase, or `Completed`, from exactly this version."""

    to: Label | Literal["Completed"]
    expected_version: int = Field(ge=1, strict=True)
    reason: Annotated[Line, Plain] = ""


class Advanced(Stamped):
    """What became of it (plan 1.2): an outcome that is not `success` is no error, but an answer."""

    outcome: OutcomeWord
    message: str = ""
    phase: Label
    version: int = Field(ge=1)
    deliverables: tuple[str, ...] = Field((), description="What a person has to look at before confirming.")
    missing: tuple[str, ...] = Field((), description="What the gate misses.")


class Accepted(Stamped):
    """It is in Postgres and in the contract's status."""

    contract_version: int = Field(ge=1)
    duplicate: bool = Field(False, description="It was there already; nothing happened again.")
