"""What supervisors, and whoever looks after them, need of Postgres: small protocols, met by `makima.adapters.postgres`.

Every method raises `makima.errors.HistoryUnavailable` when Postgres is away; nothing is then known about a write, and
making the call again is safe.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makima.models.enums import RestorationOutcome, SupervisorState
from makima.models.history import HistoryEvent
from makima.models.supervision import (
    Beat,
    BeatResult,
    Remembered,
    Session,
    Span,
    StoredCommand,
    StoredMessage,
    StoredQuestion,
    StoredTask,
)
from makima.models.wire.memory import AppendMessages, SaveCheckpoint, Saved, SaveState
from makima.models.wire.message import STATE_BYTES


class SupervisorRegistry(Protocol):
    """Who carries which contract. The one place where incarnations come from."""

    async def session(self, contract_id: UUID) -> Session | None:
        """The row of this contract, as committed."""
        ...

    async def sessions(self, contract_ids: Sequence[UUID]) -> Mapping[UUID, Session]:
        """The rows of these contracts, as committed, in one query; contracts without one are left out."""
        ...

    async def allocate(self, session: Session, *, after: int) -> Session:
        """Begin the next life: `after` + 1, unless the current incarnation is another one already.

        Args:
            session: ids and names; the rest is ignored.
            after: the incarnation that the caller believes to be current (0: none yet). Calling again with the same
                value allocates nothing again.

        Returns:
            The row as it is now; compare its incarnation with `after` + 1.
        """
        ...

    async def judge(self, contract_id: UUID, incarnation: int, state: SupervisorState) -> Session:
        """This life is found to be in that state, whatever it said itself last; its next heartbeat says otherwise.

        Returns:
            The row as it is now; unchanged where a newer life has begun.
        """
        ...

    async def set_pod(self, contract_id: UUID, incarnation: int, pod_uid: UUID | None) -> Session:
        """Name the pod whose token may act for this life.

        Raises:
            Superseded: a newer life has begun.
        """
        ...

    async def register(
        self, contract_id: UUID, incarnation: int, registration_id: UUID, host: str, at: datetime
    ) -> Session:
        """The life of this incarnation is there. Repeating it with the same id changes nothing.

        Raises:
            Superseded: a newer life has begun, or another process registered this one.
        """
        ...

    async def record_restoration(
        self, contract_id: UUID, incarnation: int, outcome: RestorationOutcome, text: str, at: datetime
    ) -> None:
        """Remember how this life came back."""
        ...

    async def changed_since(self, moment: datetime | None) -> Sequence[Session]:
        """Rows written since `moment` (None: all), oldest write first; rows may come twice."""
        ...

    def changes(self) -> AsyncIterator[UUID]:
        """Contracts whose supervisor changed state, phase or life, as it happens; may miss some after a reconnect."""
        ...


class HeartbeatStore(Protocol):
    """Every heartbeat of the last 24 hours."""

    async def store(self, beats: Sequence[Beat]) -> Sequence[BeatResult]:
        """Check and store a group in one transaction: one COPY. Results are in the order of `beats`."""
        ...

    async def refresh(
        self, beats: Sequence[Beat], *, announce: Sequence[UUID] = (), steps: Sequence[Beat] = ()
    ) -> None:
        """Bring the rows of `supervisors` up to these heartbeats (at most one each; older ones change nothing).

        Contracts in `announce` are told to `SupervisorRegistry.changes` with the commit. Each change of state is an
        event; `steps` are heartbeats that began a state which `beats` may have left behind already.
        """
        ...

    async def newest(self, lives: Mapping[UUID, int]) -> Mapping[UUID, datetime]:
        """Time of the newest heartbeat of these lives (contract id → incarnation), where there is one."""
        ...

    async def last_sequences(self, lives: Mapping[UUID, int], since: datetime) -> Mapping[UUID, int]:
        """Sequence of the newest heartbeat of these lives (contract id → incarnation) that came after `since`.

        For an ingest that has not seen a life yet, or does not know whether its last group was committed: so that a
        heartbeat that is sent again is recognised.
        """
        ...

    async def recent(self, contract_id: UUID, limit: int) -> Sequence[Beat]:
        """The newest heartbeats, newest first."""
        ...

    async def keep_partitions(self, now: datetime) -> None:
        """Make the hours ahead; drop those older than 24 hours. Safe to be called by many at once."""
        ...


class MemoryStore(Protocol):
    """What a supervisor saves to go on where it was. Every write is fenced in its own transaction."""

    async def save_state(self, contract_id: UUID, call: SaveState, at: datetime) -> Saved:
        """Raises: Superseded; OutOfSequence (revision is not the last + 1)."""
        ...

    async def append_messages(self, contract_id: UUID, call: AppendMessages, at: datetime) -> Saved:
        """Raises: Superseded; OutOfSequence (a gap, or another message has that place)."""
        ...

    async def save_checkpoint(self, contract_id: UUID, call: SaveCheckpoint, at: datetime) -> Saved:
        """Keeps the newest 8. Raises: Superseded; OutOfSequence."""
        ...

    async def remembered(self, contract_id: UUID, messages: int, size: int = STATE_BYTES) -> Remembered:
        """Everything a restoration decides on, read in one snapshot; at most so many messages (bytes) from the end."""
        ...

    async def worked(self, contract_id: UUID) -> datetime | None:
        """When a message or a state was saved last; None = never."""
        ...

    async def messages(
        self, contract_id: UUID, after: int, limit: int, size: int = STATE_BYTES
    ) -> Sequence[StoredMessage]:
        """The conversation after this sequence, oldest first: at most so many messages (bytes), one in any case."""
        ...


class WorkStore(Protocol):
    """Tasks and questions: Postgres has them before the contract's status does (design, "Ordering" 2)."""

    async def spawn_task(self, task: StoredTask) -> StoredTask:
        """Store it unless its id is there; what is stored. Raises: Superseded (by `task.incarnation`)."""
        ...

    async def end_task(self, task: StoredTask) -> StoredTask:
        """Store the end, unless it has one. Raises: Superseded; NotFound."""
        ...

    async def ask(self, question: StoredQuestion) -> StoredQuestion:
        """Store it unless its id is there; what is stored. Raises: Superseded."""
        ...

    async def answer(self, answers: Sequence[StoredQuestion]) -> None:
        """Store answers (first one stays), each with its `answer` command, in one transaction."""
        ...

    async def tasks(self, contract_id: UUID) -> Sequence[StoredTask]:
        """All tasks of the contract, oldest first."""
        ...

    async def questions(self, contract_id: UUID) -> Sequence[StoredQuestion]:
        """All questions of the contract, oldest first."""
        ...


class CommandStore(Protocol):
    """Commands, delivered at least once."""

    async def put(self, commands: Sequence[StoredCommand], events: Sequence[HistoryEvent] = ()) -> None:
        """Store those whose id is not there yet, and announce them."""
        ...

    async def unacknowledged(self, contract_ids: Sequence[UUID] | None) -> Sequence[StoredCommand]:
        """Open commands of these contracts (None: all), oldest first."""
        ...

    async def acknowledge(self, contract_id: UUID, incarnation: int, ids: Sequence[UUID], at: datetime) -> None:
        """They were carried out; unknown ids are ignored. Raises: Superseded."""
        ...

    def announced(self) -> AsyncIterator[UUID]:
        """Contracts that have a new command, as it happens; may miss some after a reconnect."""
        ...


class CoverageStore(Protocol):
    """When the ingest could take heartbeats (ADR 0006, "Time")."""

    async def extend(self, instance: str, span: Span) -> None:
        """This instance's span goes on until `span.until_at`; a new `started_at` begins a new span."""
        ...

    async def spans(self, since: datetime) -> Sequence[Span]:
        """Spans of all instances that end after `since`, by start."""
        ...
