"""A history that grows in memory, and clients who watch it: the live monitor without a cluster."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from makima.errors import HistoryUnavailable
from makima.models.history import HistoryEvent, StoredEvent
from makima.models.supervision import LiveBeat
from makima.models.wire.monitor import MonitorFilter
from makima.services.access.identity import Identity
from makima.services.access.rbac import Rbac
from makima.services.access.visibility import Visibility
from makima.services.monitor.monitor import Monitor
from makima.services.monitor.outbox import Ended
from makima.services.monitor.subscription import Subscription
from tests.support.fakes import START, FakeClock
from tests.support.people import FakeReviews, somebody


@dataclass
class FakeStream:
    """`makima.contract_stores.EventStream`."""

    stored: list[StoredEvent] = field(default_factory=list)
    beats: list[LiveBeat] = field(default_factory=list)
    names: dict[UUID, tuple[str, str, str | None]] = field(default_factory=dict)
    words: asyncio.Queue[UUID] = field(default_factory=asyncio.Queue)
    away: bool = False
    silent: bool = False
    pages: int = 0
    replays: int = 0

    def happens(self, contract_id: UUID | None = None, kind: str = "TaskCompleted", **payload: Any) -> int:
        """One more event, committed; its number."""
        seq = len(self.stored) + 1
        namespace = payload.pop("namespace", "ns")
        event = HistoryEvent(uuid4(), contract_id or uuid4(), namespace, "c", None, kind, START, None, payload)
        self.stored.append(StoredEvent(seq, event))
        if not self.silent:
            self.words.put_nowait(event.contract_id)
        return seq

    def _reach(self) -> None:
        if self.away:
            raise HistoryUnavailable("the fake Postgres is away")

    async def last(self) -> int:
        self._reach()
        return len(self.stored)

    async def events_after(self, seq: int, limit: int) -> Sequence[StoredEvent]:
        self._reach()
        self.pages += 1
        await asyncio.sleep(0)
        return self.stored[seq : seq + limit]

    async def replay(
        self, after: int, until: int, contract_ids: Collection[UUID], namespaces: Collection[str] | None, limit: int
    ) -> tuple[Sequence[StoredEvent], int]:
        self._reach()
        self.replays += 1
        await asyncio.sleep(0)
        wanted = [
            one
            for one in self.stored[after:until]
            if (not contract_ids or one.event.contract_id in contract_ids)
            and (namespaces is None or one.event.namespace in namespaces)
        ][:limit]
        return wanted, wanted[-1].seq if len(wanted) == limit else until

    async def committed(self) -> AsyncIterator[UUID]:
        while True:
            yield await self.words.get()

    async def carried(self, contract_ids: Collection[UUID]) -> Mapping[UUID, tuple[str, str, str | None]]:
        self._reach()
        return {key: self.names[key] for key in contract_ids if key in self.names}

    async def heard_since(self, moment: datetime | None) -> tuple[Sequence[LiveBeat], datetime]:
        self._reach()
        return (list(self.beats) if moment is not None else []), START


class Watched:
    """A monitor over fakes, and its clients."""

    def __init__(self, **options: Any) -> None:
        self.stream, self.reviews, self.clock = FakeStream(), FakeReviews(), FakeClock()
        self.ages: list[float] = []
        self.spaces = {"ns"}

        async def known() -> frozenset[str]:
            return frozenset(self.spaces)

        self.visibility = Visibility(Rbac(self.reviews), known)
        self.monitor = Monitor(self.stream, self.visibility, self, self.clock, **options)
        self.grant("ann", "")

    def grant(self, user: str, namespace: str) -> None:
        """May watch there."""
        self.reviews.grant(user, namespace, "watch")

    def told(self, ages: Any) -> None:
        """`MonitorMetrics`."""
        self.ages += ages

    async def place(self, user: str = "ann", within: Collection[str] = ()) -> Subscription:
        """A client that said nothing yet."""

        async def who() -> Identity:
            return somebody(user)

        return await self.monitor.open(who, frozenset(within))

    async def watch(self, user: str = "ann", **wanted: Any) -> Subscription:
        """A client that has said what it wants."""
        found = await self.place(user)
        await found.begin(MonitorFilter(**wanted))
        return found


async def frames(found: Subscription, number: int, seconds: float = 20) -> list[dict[str, Any]]:
    """The next frames of a client."""
    got: list[dict[str, Any]] = []
    async with asyncio.timeout(seconds):
        while len(got) < number:
            got += [json.loads(frame.text) for frame in await found.outbox.take(number - len(got))]
    return got


async def until_ended(found: Subscription, seconds: float = 20) -> list[dict[str, Any]]:
    """Everything that a client still gets."""
    got: list[dict[str, Any]] = []
    async with asyncio.timeout(seconds):
        while True:
            try:
                got += [json.loads(frame.text) for frame in await found.outbox.take(100)]
            except Ended:
                return got
