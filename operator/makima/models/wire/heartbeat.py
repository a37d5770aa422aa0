"""Heartbeats and their answers (plan 3.2), one at a time, in batches, and as frames of a stream."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict  # pydantic takes the one of `typing` from Python 3.12 on

from makima.models.bounds import Label
from makima.models.enums import SupervisorState
from makima.models.wire.commands import Command
from makima.models.wire.message import (
    Activity,
    CommandIds,
    Fenced,
    Incarnation,
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


class WholeHeartbeat(TypedDict):
    """A `Heartbeat` that is right, as a dict: read in half the time, since nothing here is Python code.

    Takes nothing that `Heartbeat` refuses. What it refuses is read again entry by entry, so that the bad one is named.
    """

    incarnation: Incarnation
    contract_id: UUID
    task_id: UUID
    sequence: Sequence
    state: Annotated[str, Field(pattern=f"^({'|'.join(state.snake for state in SupervisorState)})$")]
    phase: Label
    current_activity: Annotated[str, Field("", max_length=1024, pattern=r"^[^\x00]*$")]
    progress: Annotated[int, Field(0, ge=0, le=100, strict=True)]
    pending_task_ids: Annotated[TaskIds, Field(())]
    timestamp: Annotated[Instant | None, Field(None)]
    acknowledged: Annotated[CommandIds, Field(())]


class WholeBatch(TypedDict):
    """A `HeartbeatBatch` with every entry right: read in one go."""

    heartbeats: Annotated[list[WholeHeartbeat], Field(min_length=1, max_length=BATCH)]


WHOLE_BATCH = TypeAdapter(WholeBatch)


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
    """A `StreamFrame` with every entry right."""

    frame: Annotated[int, Field(ge=1, le=2**53)]


WHOLE_FRAME = TypeAdapter(WholeFrame)


class StreamAnswer(BatchAnswer):
    """The answer to the frame with this number; frame 0 pushes commands that nobody asked for."""

    frame: int = Field(ge=0)
