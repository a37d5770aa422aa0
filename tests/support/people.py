"""People in front of the API service without a cluster: who they are, what RBAC gives them, what the history has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from makima.errors import ClusterUnavailable, HistoryUnavailable
from makima.models.contract_filter import ContractFilter, ListedContract, ListedPage
from makima.models.history import ContractRow, HistoryEvent, Place, StoredEvent
from makima.models.supervision import StoredQuestion, StoredTask
from makima.services.access.authorization import Authorization
from makima.services.access.identity import Identity
from makima.services.access.rbac import Access, Rbac
from makima.services.access.session_cache import SessionCache
from tests.support.fake_supervision import FakeSupervision
from tests.support.fakes import START


def somebody(name: str) -> Identity:
    """A person of this name."""
    return Identity(name, key=name)


@dataclass
class FakeReviews:
    """RBAC and tokens in sets: (user, verb, resource, namespace) is a grant, "" any namespace; a token is its user."""

    granted: set[tuple[str, str, str, str]] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    asked: list[Access] = field(default_factory=list)
    away: bool = False

    def grant(self, user: str, namespace: str, *verbs: str, resource: str = "contracts") -> None:
        """A role binding."""
        self.users.add(user)
        self.granted |= {(user, verb, resource, namespace) for verb in verbs}

    async def allowed(self, identity: Identity, access: Access) -> bool:
        if self.away:
            raise ClusterUnavailable("away")
        self.asked.append(access)
        places = {access.namespace, ""}
        return any((identity.user, access.verb, access.resource, place) in self.granted for place in places)

    async def review(self, token: str) -> Identity | None:
        if self.away:
            raise ClusterUnavailable("away")
        return somebody(token) if token in self.users else None


def rights(reviews: FakeReviews) -> Authorization:
    """Rights that go by these grants."""
    return Authorization(Rbac(reviews), SessionCache(FakeSupervision()))


def a_row(uid: UUID, name: str, namespace: str = "ns", **fields: object) -> ContractRow:
    """A projection row."""
    row = ContractRow(
        uid=uid,
        namespace=namespace,
        name=name,
        type="simple",
        status="active",
        phase="plan",
        phases=("plan", "execute"),
        version=2,
        resource_version="7",
        generation=1,
        created_at=START,
        updated_at=START,
    )
    return replace(row, **fields)  # type: ignore[arg-type]  # any field


@dataclass
class FakeContractHistory:
    """What the projection has, in dictionaries."""

    rows: dict[UUID, ContractRow] = field(default_factory=dict)
    stored: list[StoredEvent] = field(default_factory=list)
    tasks: list[StoredTask] = field(default_factory=list)
    questions: list[StoredQuestion] = field(default_factory=list)
    away: bool = False

    def _reach(self) -> None:
        if self.away:
            raise HistoryUnavailable("the fake Postgres is away")

    def add(self, row: ContractRow) -> ContractRow:
        """Record a contract."""
        self.rows[row.uid] = row
        return row

    def happened(self, event: HistoryEvent) -> None:
        """Record an event."""
        self.stored.append(StoredEvent(len(self.stored) + 1, event))

    async def contract(self, uid: UUID) -> ContractRow | None:
        self._reach()
        return self.rows.get(uid)

    async def find_contracts(self, namespace: str, name: str) -> Sequence[ContractRow]:
        self._reach()
        named = [row for row in self.rows.values() if (row.namespace, row.name) == (namespace, name)]
        return sorted(named, key=lambda row: row.created_at, reverse=True)

    async def events(self, contract_id: UUID, after: int = 0, limit: int = 100) -> Sequence[StoredEvent]:
        self._reach()
        mine = [item for item in self.stored if item.event.contract_id == contract_id and item.seq > after]
        return mine[:limit]

    async def newest_events(self, contract_id: UUID, before: int, limit: int) -> Sequence[StoredEvent]:
        self._reach()
        mine = [item for item in self.stored if item.event.contract_id == contract_id and item.seq < before]
        return mine[-limit:]

    async def tasks_after(self, contract_id: UUID, place: Place | None, limit: int) -> Sequence[StoredTask]:
        self._reach()
        mine = sorted((t for t in self.tasks if t.contract_id == contract_id), key=lambda t: (t.created_at, t.id))
        return [t for t in mine if place is None or (t.created_at, t.id) > (place.at, place.id)][:limit]

    async def questions_after(
        self, contract_id: UUID, place: Place | None, limit: int, *, only_open: bool
    ) -> Sequence[StoredQuestion]:
        self._reach()
        mine = [q for q in self.questions if q.contract_id == contract_id and not (only_open and q.answer)]
        mine.sort(key=lambda q: (q.asked_at, q.id))
        return [q for q in mine if place is None or (q.asked_at, q.id) > (place.at, place.id)][:limit]

    async def events_after(self, seq: int, limit: int) -> Sequence[StoredEvent]:
        self._reach()
        return [item for item in self.stored if item.seq > seq][:limit]

    async def namespaces(self) -> frozenset[str]:
        self._reach()
        return frozenset(row.namespace for row in self.rows.values())


@dataclass
class FakeContractLists:
    """The list over a `FakeContractHistory`, in Python; `rows` is how many one call looks at."""

    history: FakeContractHistory
    rows: int = 1000
    caught_up: datetime | None = None

    async def page(self, wanted: ContractFilter, after: Place | None, limit: int, now: datetime) -> ListedPage:
        self.history._reach()
        places = sorted(self.history.rows.values(), key=lambda row: (row.created_at, row.uid), reverse=True)
        seen = [row for row in places if wanted.namespaces is None or row.namespace in wanted.namespaces]
        if after is not None:
            seen = [row for row in seen if (row.created_at, row.uid) < (after.at, after.id)]
        looked, rest = seen[: self.rows], seen[self.rows :]
        fits = [row for row in looked if _fits(row, wanted)]
        last = fits[limit - 1] if len(fits) > limit else looked[-1] if rest else None
        page = tuple(ListedContract(row, stale=False) for row in fits[:limit])
        return ListedPage(page, Place(last.created_at, last.uid) if last is not None else None)

    async def caught_up_at(self) -> datetime | None:
        self.history._reach()
        return self.caught_up


def _fits(row: ContractRow, wanted: ContractFilter) -> bool:
    return (
        (row.deleted_at is not None) is wanted.gone
        and (wanted.statuses is None or row.status in wanted.statuses)
        and (not wanted.phases or row.phase in wanted.phases)
        and (not wanted.types or row.type in wanted.types)
        and (wanted.name is None or row.name == wanted.name)
        and wanted.labels.items() <= dict(row.labels).items()
    )
