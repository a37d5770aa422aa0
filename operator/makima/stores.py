"""What the API service and supervision need of Postgres: small protocols, met by `makima.adapters.postgres`.

Every method raises `makima.errors.HistoryUnavailable` when Postgres is away; nothing is then known about a write, and
making the call again is safe.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makima.models.contract_filter import ContractFilter, ListedPage
from makima.models.enums import RestorationOutcome, SupervisorState
from makima.models.history import ContractRow, HistoryEvent, Place, StoredEvent
from makima.models.supervision import (
    Beat,
    BeatResult,
    LiveBeat,
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


class ContractHistory(Protocol):
    """What is read of contracts, also of those that are gone."""

    async def contract(self, uid: UUID) -> ContractRow | None:
        """The contract as last recorded."""
        ...

    async def find_contracts(self, namespace: str, name: str) -> Sequence[ContractRow]:
        """Every contract that ever had this name, newest first."""
        ...

    async def events(self, contract_id: UUID, after: int = 0, limit: int = 100) -> Sequence[StoredEvent]:
        """The next events of one contract after a sequence number, oldest first."""
        ...

    async def newest_events(self, contract_id: UUID, before: int, limit: int) -> Sequence[StoredEvent]:
        """The last events of one contract before a sequence number, oldest first."""
        ...

    async def tasks_after(self, contract_id: UUID, place: Place | None, limit: int) -> Sequence[StoredTask]:
        """The next tasks of a contract, oldest first; None = from the beginning."""
        ...

    async def questions_after(
        self, contract_id: UUID, place: Place | None, limit: int, *, only_open: bool
    ) -> Sequence[StoredQuestion]:
        """The next questions of a contract, oldest first; None = from the beginning."""
        ...

    async def events_after(self, seq: int, limit: int) -> Sequence[StoredEvent]:
        """The next events of all contracts; nothing with a lower number ever appears later."""
        ...

    async def namespaces(self) -> frozenset[str]:
        """Every namespace that has, or had, a contract."""
        ...


class ContractLists(Protocol):
    """Pages of the projection, each at a bounded price."""

    async def page(self, wanted: ContractFilter, after: Place | None, limit: int, now: datetime) -> ListedPage:
        """The next contracts that fit, newest first; and where to go on."""
        ...

    async def caught_up_at(self) -> datetime | None:
        """The moment up to which the projection has everything that every operator knew; None: none ever said so."""
        ...


class EventStream(Protocol):
    """The history as it grows, for those who watch it."""

    async def last(self) -> int:
        """The highest number that was committed."""
        ...

    async def events_after(self, seq: int, limit: int) -> Sequence[StoredEvent]:
        """The next events of all contracts; nothing with a lower number ever appears later."""
        ...

    async def replay(
        self, after: int, until: int, contract_ids: Collection[UUID], namespaces: Collection[str] | None, limit: int
    ) -> tuple[Sequence[StoredEvent], int]:
        """Events of these contracts (none = all) in these namespaces (None = all), and how far was looked."""
        ...

    def committed(self) -> AsyncIterator[UUID]:
        """Something was committed, whatever the value; may miss some after a reconnect."""
        ...

    async def carried(self, contract_ids: Collection[UUID]) -> Mapping[UUID, tuple[str, str, str | None]]:
        """Namespace, name and state of contracts that have a supervisor."""
        ...

    async def heard_since(self, moment: datetime | None) -> tuple[Sequence[LiveBeat], datetime]:
        """The newest heartbeats of supervisors whose rows were written since (None: none), and the moment to ask with
        next; some come again."""
        ...


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
