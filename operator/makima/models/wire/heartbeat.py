"""Heartbeats and their answers (plan 3.2), one at a time, in batches, and as frames of a stream."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from makima.models.bounds import Label
from makima.models.wire.commands import Command
from makima.models.wire.message import (
    Activity,
    CommandIds,
    Fenced,
    Instant,
    Message,
    Sequence,
    Stamped,
    TaskIds,
    WireState,
)
from makima.models.wire.problem import Problem

BATCH = 1000
"""Most heartbeats in one call or frame."""

FUTURE_SECONDS = 300
"""How far a supervisor's clock may be ahead of the server's."""


class Heartbeat(Fenced):
    """ "I live, and this is what I do." `sequence` counts a life's heartbeats from 1; gaps are allowed."""

    contract_id: UUID
    task_id: UUID = Field(description="UID of the Supervisor.")
    sequence: Sequence
    state: WireState
    phase: Label
    current_activity: Activity = ""
    progress: int = Field(0, ge=0, le=100, strict=True, description="Percent of the phase.")
    pending_task_ids: TaskIds = ()
    timestamp: Instant | None = Field(None, description="The supervisor's own clock; kept, never trusted.")
    acknowledged: CommandIds = Field((), description="Commands that were carried out since the last heartbeat.")


class HeartbeatAnswer(Stamped):
    """The heartbeat is stored; commands that wait come along."""

    result: Literal["stored", "duplicate"]
    sequence: Sequence
    commands: tuple[Command, ...] = ()


class HeartbeatBatch(Message):
    """Heartbeats of many supervisors. One bad entry costs only itself: entries are parsed one by one."""

    heartbeats: Annotated[tuple[dict[str, object], ...], Field(min_length=1, max_length=BATCH)]


class WholeBatch(Message):
    """The same call with every entry right: read in one go, which costs a third of reading them one by one."""

    heartbeats: Annotated[tuple[Heartbeat, ...], Field(min_length=1, max_length=BATCH)]


class BatchEntry(Message):
    """What became of the entry at `index`; exactly one of `result` and `error` is there."""

    index: int = Field(ge=0)
    contract_id: str | None = Field(None, description="As the entry had it, where it had one.")
    result: Literal["stored", "duplicate"] | None = None
    error: Problem | None = None
    commands: tuple[Command, ...] = ()


class BatchAnswer(Stamped):
    """`entries` holds what is not plainly stored: errors, duplicates, and entries with commands."""

    stored: int = Field(ge=0)
    refused: int = Field(ge=0)
    entries: tuple[BatchEntry, ...] = ()


class StreamFrame(HeartbeatBatch):
    """A frame from the client: heartbeats, and a number that the answer repeats."""

    frame: int = Field(ge=1, le=2**53)


class WholeFrame(WholeBatch):
    """The same frame with every entry right."""

    frame: int = Field(ge=1, le=2**53)


class StreamAnswer(BatchAnswer):
    """The answer to the frame with this number; frame 0 pushes commands that nobody asked for."""

    frame: int = Field(ge=0)
