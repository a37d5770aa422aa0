"""What is read of contracts in Postgres: one, many, and what happens; met by `makima.adapters.postgres`.

Every method raises `makima.errors.HistoryUnavailable` when Postgres is away.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makima.models.contract_filter import ContractFilter, ListedPage
from makima.models.history import ContractRow, Place, StoredEvent
from makima.models.supervision import LiveBeat, StoredQuestion, StoredTask


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
