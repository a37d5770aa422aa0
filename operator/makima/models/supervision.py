"""What Postgres keeps about supervisors, as plain values; stored by `makima.adapters.postgres`.

All times are UTC; states are the enums, spelled in snake_case only inside the adapter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from makima.models.enums import CommandKind, RestorationOutcome, SupervisorState, TaskState


@dataclass(frozen=True, slots=True)
class Session:
    """Who carries a contract now, and how it is: one row of `supervisors`.

    Attributes:
        task_id: UID of the Supervisor.
        incarnation: the current life; 0 before the first.
        registration_id: of the call that registered this life; None until it registered.
        pod_uid: only this pod's token may act; None = an external supervisor, or a pod that is still being made.
        sequence: of the newest heartbeat of this life that the row shows.
        last_heartbeat_at: server's clock; some seconds behind the heartbeats themselves at most.
    """

    contract_id: UUID
    task_id: UUID
    namespace: str
    name: str
    incarnation: int
    registration_id: UUID | None = None
    registered_at: datetime | None = None
    pod_uid: UUID | None = None
    host: str | None = None
    state: SupervisorState = SupervisorState.INITIALIZING
    phase: str | None = None
    current_activity: str = ""
    progress: int = 0
    pending_task_ids: tuple[UUID, ...] = ()
    error_message: str | None = None
    sequence: int = 0
    last_heartbeat_at: datetime | None = None
    restoration: RestorationOutcome | None = None
    restoration_text: str | None = None
    restored_at: datetime | None = None
    updated_at: datetime | None = None


class Beat(NamedTuple):
    """A heartbeat on its way into Postgres. A tuple, since thousands are made each second.

    Attributes:
        received_at: server's clock.
        sent_at: supervisor's clock, where it said so.
    """

    contract_id: UUID
    task_id: UUID
    incarnation: int
    sequence: int
    state: SupervisorState
    phase: str
    current_activity: str
    progress: int
    pending_task_ids: tuple[UUID, ...]
    received_at: datetime
    sent_at: datetime | None = None


class BeatOutcome(Enum):
    """What became of a heartbeat."""

    STORED = "stored"
    SUPERSEDED = "superseded"
    UNKNOWN = "unknown"
    """There is no such supervisor, or it has another task_id."""


@dataclass(frozen=True, slots=True)
class BeatResult:
    """The outcome, and the incarnation that is current."""

    outcome: BeatOutcome
    current: int = 0


@dataclass(frozen=True, slots=True)
class LiveBeat:
    """A heartbeat as those who watch get it.

    Attributes:
        status: state of the contract in snake_case; None = nobody knows it yet.
        at: server's clock.
    """

    contract_id: UUID
    namespace: str
    name: str
    status: str | None
    incarnation: int
    sequence: int
    state: SupervisorState
    phase: str | None
    current_activity: str
    progress: int
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredState:
    """The state that was saved last; `payload` is untrusted text until the restoration has read it."""

    incarnation: int
    revision: int
    payload: str
    checksum: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A state to go back to."""

    number: int
    incarnation: int
    message_sequence: int
    payload: str
    checksum: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message of a conversation."""

    sequence: int
    id: UUID
    role: str
    content: str
    incarnation: int
    sent_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """A question, answered or not."""

    id: UUID
    contract_id: UUID
    incarnation: int
    phase: str
    text: str
    options: tuple[str, ...]
    asked_at: datetime
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A task, running or finished; `incarnation` is who spawned it.

    Attributes:
        arguments: what the pod of a task with a template gets behind the template's own arguments.
    """

    id: UUID
    contract_id: UUID
    phase: str
    name: str
    state: TaskState
    created_at: datetime
    template: str | None = None
    message: str | None = None
    completed_at: datetime | None = None
    incarnation: int | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remembered:
    """Everything that a restoration decides on.

    Attributes:
        checkpoints: newest first.
        messages: the end of the conversation, oldest first; `last_message` is the highest sequence stored.
        tasks: all of the contract.
        questions: all that are not answered.
        answered: ids of those that are; a saved state may still name them.
    """

    state: StoredState | None = None
    checkpoints: tuple[StoredCheckpoint, ...] = ()
    messages: tuple[StoredMessage, ...] = ()
    last_message: int = 0
    tasks: tuple[StoredTask, ...] = ()
    questions: tuple[StoredQuestion, ...] = ()
    answered: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class StoredCommand:
    """A command that is not acknowledged."""

    id: UUID
    contract_id: UUID
    kind: CommandKind
    created_at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which one instance of the ingest could take heartbeats, without a gap."""

    started_at: datetime
    until_at: datetime
