"""Who gets what of the live monitor: filters as values, and an index that finds the takers of an event.

Subscribers with the same interest are one audience, decided once; audiences are found by the contracts or namespaces
that they name, so an event is compared only with those that could want it (ADR 0011).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from makima.domain.monitor.frames import HEARTBEAT, STALE_DETECTED, Subject, shown_status
from makima.models.wire.monitor import MonitorFilter

Member = TypeVar("Member")


@dataclass(frozen=True, slots=True)
class Interest:
    """What one subscriber wants and may see.

    Attributes:
        namespaces: those that it may see and asked for; None = all.
        contract_ids: only these; empty = all.
        statuses: only of contracts in these states, in snake_case; empty = all.
    """

    namespaces: frozenset[str] | None = None
    contract_ids: frozenset[UUID] = frozenset()
    statuses: frozenset[str] = frozenset()
    include_stale: bool = True
    include_heartbeats: bool = False

    def admits(self, subject: Subject) -> bool:
        """Whether the subscriber gets this. What nobody knows the state of passes: better too much than too little."""
        if self.namespaces is not None and subject.namespace not in self.namespaces:
            return False
        if self.contract_ids and subject.contract_id not in self.contract_ids:
            return False
        if subject.type == HEARTBEAT and not self.include_heartbeats:
            return False
        if subject.type == STALE_DETECTED and not self.include_stale:
            return False
        return not self.statuses or not subject.statuses or not self.statuses.isdisjoint(subject.statuses)


def interest(wanted: MonitorFilter, seen: frozenset[str] | None, *, enhanced: bool = True) -> Interest:
    """The filter's interest within what its owner may see.

    Args:
        seen: namespaces that the owner may see, of those that the filter names; None = all.
        enhanced: False = the three old statuses (flag `enhanced_contract_status`).
    """
    return Interest(
        seen,
        frozenset(wanted.contract_ids),
        frozenset(shown_status(state.snake, enhanced=enhanced) for state in wanted.statuses),
        wanted.include_stale,
        wanted.include_heartbeats,
    )


@dataclass(slots=True)
class Audience(Generic[Member]):
    """Everybody with one interest."""

    interest: Interest
    members: dict[Member, None] = field(default_factory=dict)


class Audiences(Generic[Member]):
    """All subscribers, each with one interest."""

    def __init__(self) -> None:
        self._all: dict[Interest, Audience[Member]] = {}
        self._of: dict[Member, Audience[Member]] = {}
        self._by_contract: dict[UUID, dict[Interest, Audience[Member]]] = {}
        self._by_namespace: dict[str, dict[Interest, Audience[Member]]] = {}
        self._rest: dict[Interest, Audience[Member]] = {}
        self._hearing = 0
        self._hearing_of: Counter[UUID] = Counter()
        self._hearing_of_any = 0

    def __len__(self) -> int:
        return len(self._of)

    @property
    def want_heartbeats(self) -> bool:
        """Whether anybody does."""
        return self._hearing > 0

    def may_hear(self, contract_id: UUID) -> bool:
        """Whether anybody may want this contract's heartbeats."""
        return self._hearing_of_any > 0 or contract_id in self._hearing_of

    def place(self, member: Member, interest: Interest) -> None:
        """This is the member's interest now, and no other."""
        self.drop(member)
        found = self._all.get(interest)
        if found is None:
            found = self._all[interest] = Audience(interest)
            for shelf in self._shelves(interest):
                shelf[interest] = found
        found.members[member] = None
        self._of[member] = found
        self._count_hearing(interest, 1)

    def drop(self, member: Member) -> None:
        """The member gets nothing more."""
        found = self._of.pop(member, None)
        if found is None:
            return
        del found.members[member]
        self._count_hearing(found.interest, -1)
        if not found.members:
            del self._all[found.interest]
            self._unshelve(found.interest)

    def takers(self, subject: Subject) -> Iterator[Member]:
        """Who gets this."""
        for shelf in (
            self._by_contract.get(subject.contract_id),
            self._by_namespace.get(subject.namespace),
            self._rest,
        ):
            if shelf:
                for audience in shelf.values():
                    if audience.interest.admits(subject):
                        yield from audience.members

    def _count_hearing(self, interest: Interest, by: int) -> None:
        if not interest.include_heartbeats:
            return
        self._hearing += by
        if not interest.contract_ids:
            self._hearing_of_any += by
        for contract_id in interest.contract_ids:
            self._hearing_of[contract_id] += by
            if not self._hearing_of[contract_id]:
                del self._hearing_of[contract_id]

    def _shelves(self, interest: Interest) -> Iterator[dict[Interest, Audience[Member]]]:
        """Exactly one kind of shelf for each interest, so that no event finds it twice."""
        if interest.contract_ids:
            yield from (self._by_contract.setdefault(key, {}) for key in interest.contract_ids)
        elif interest.namespaces is not None:
            yield from (self._by_namespace.setdefault(name, {}) for name in interest.namespaces)
        else:
            yield self._rest

    def _unshelve(self, interest: Interest) -> None:
        for shelf in list(self._shelves(interest)):
            shelf.pop(interest, None)
        for key in interest.contract_ids:
            if not self._by_contract.get(key, True):
                del self._by_contract[key]
        for name in interest.namespaces or ():
            if not self._by_namespace.get(name, True):
                del self._by_namespace[name]
