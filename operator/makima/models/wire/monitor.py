"""Frames of the live monitor (plan 5.1): JSON objects, the same over WebSocket and as Server-Sent Events.

What happened is stored, and has a sequence number; a Heartbeat is not, and has none. `docs/reference/events.md` is made
from these models.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field

from makima.models.bounds import Label
from makima.models.enums import ContractState
from makima.models.wire.message import InSnake, Message, WireState

CONTRACT_IDS, STATUSES, NAMESPACES = 500, 16, 100
"""Most of each in one filter."""

FILTER_BYTES = 64 * 1024
"""Longest message of a client; the largest permitted filter has a third of it."""


def _status(value: object) -> object:
    """Either spelling: `WaitingForInput` and `waiting_for_input`."""
    return ContractState(value) if isinstance(value, str) and value in set(ContractState) else value


WireStatus = Annotated[ContractState, InSnake(ContractState), BeforeValidator(_status)]
"""A contract's state in snake_case; read in either spelling."""

SeqNumber = Annotated[int, Field(ge=0, le=2**53, strict=True)]


class MonitorFilter(Message):
    """What a client wants to get. Each message takes the place of the one before; an empty list leaves nothing out."""

    model_config = ConfigDict(extra="forbid")

    contract_ids: Annotated[tuple[UUID, ...], Field(max_length=CONTRACT_IDS)] = ()
    statuses: Annotated[tuple[WireStatus, ...], Field(max_length=STATUSES)] = Field(
        (), description="Only of contracts in one of these states when it happened, and changes from and to them."
    )
    namespaces: Annotated[tuple[Label, ...], Field(max_length=NAMESPACES)] = ()
    include_stale: bool = Field(True, strict=True, description="StaleDetected, too.")
    include_heartbeats: bool = Field(False, strict=True, description="Heartbeat, too.")
    after: SeqNumber | None = Field(
        None, description="Begin after this sequence number. Without it: where the connection is, at first its begin."
    )


class MonitorFrame(Message):
    """A frame from the server; `type` says which."""

    type: str


class ContractFrame(MonitorFrame):
    """Something about a contract."""

    at: datetime = Field(description="When it happened.")
    contract_id: UUID
    namespace: str
    name: str
    contract_status: str | None = Field(
        None, description="State of the contract when it happened, in snake_case; filters by status look at it."
    )


class StoredFrame(ContractFrame):
    """Something that happened, is stored, and comes again when asked for with `after`."""

    seq: int = Field(ge=1, description="Rises in the order of commits; `after` this number nothing is missed.")
    version: int | None = Field(None, description="Version of the contract that it made, where it made one.")
    actor: str | None = Field(None, description="Who caused it, where that is known.")


class StatusChanged(StoredFrame):
    """The contract's state changed."""

    type: Literal["StatusChanged"] = "StatusChanged"
    old_status: str
    new_status: str
    reason: str = ""
    message: str = ""
    old_legacy_status: str | None = Field(None, description="One of the three statuses that old clients know.")
    new_legacy_status: str | None = None
    forced: bool | None = None


class PhaseChanged(StoredFrame):
    """The contract moved to another phase."""

    type: Literal["PhaseChanged"] = "PhaseChanged"
    old_phase: str
    new_phase: str
    reason: str = ""
    message: str = ""
    forced: bool | None = None


class SupervisorStateChanged(StoredFrame):
    """The supervisor says, or the operator found, that it is in another state."""

    type: Literal["SupervisorStateChanged"] = "SupervisorStateChanged"
    supervisor_task_id: UUID
    old_state: str
    new_state: str
    incarnation: int | None = None


class StaleDetected(StoredFrame):
    """Nothing has happened for too long; once for each silence."""

    type: Literal["StaleDetected"] = "StaleDetected"
    last_activity: datetime
    stale_duration: float = Field(ge=0, description="Seconds.")


class TaskCompleted(StoredFrame):
    """A task came to its end, good or bad."""

    type: Literal["TaskCompleted"] = "TaskCompleted"
    task_id: UUID
    task_name: str
    success: bool
    phase: str | None = None
    message: str | None = None


class DeliverableCompleted(StoredFrame):
    """A deliverable is there."""

    type: Literal["DeliverableCompleted"] = "DeliverableCompleted"
    phase: str
    deliverable_id: str
    uri: str | None = None
    digest: str | None = None


class QuestionAsked(StoredFrame):
    """The supervisor asks a person."""

    type: Literal["QuestionAsked"] = "QuestionAsked"
    question_id: UUID
    question: str
    question_type: Literal["text", "choice"] = Field(description="`choice` where there are options to choose from.")
    options: tuple[str, ...] = ()
    phase: str | None = None


class HistoryFrame(StoredFrame):
    """Anything else in the history (ContractCreated, ContractDeleted, …), with its own type and fields."""

    model_config = ConfigDict(extra="allow")


class HeartbeatFrame(ContractFrame):
    """A heartbeat came. Not stored with the events: what was missed does not come again."""

    type: Literal["Heartbeat"] = "Heartbeat"
    state: WireState
    activity: str = ""
    progress: int = 0
    phase: str | None = None
    incarnation: int | None = None


class Subscribed(MonitorFrame):
    """From here on the filter holds; the first frame, and one after each filter that was taken."""

    type: Literal["Subscribed"] = "Subscribed"
    seq: int = Field(ge=0, description="What is delivered next has a higher number.")
    filter: MonitorFilter


class Missed(MonitorFrame):
    """The client was too slow. Every stored event that it did not get is within these numbers, both included."""

    type: Literal["Missed"] = "Missed"
    from_seq: int | None = Field(None, description="None: only heartbeats were missed.")
    to_seq: int | None = None
    heartbeats: int = Field(0, ge=0, description="So many heartbeats as well.")
    hint: str


PLANNED: tuple[type[ContractFrame], ...] = (
    StatusChanged,
    PhaseChanged,
    SupervisorStateChanged,
    HeartbeatFrame,
    StaleDetected,
    TaskCompleted,
    DeliverableCompleted,
    QuestionAsked,
)
"""The plan's eight types, in its order."""

CONTROL: tuple[type[MonitorFrame], ...] = (Subscribed, Missed)
