"""Who gets to see which part of the dashboard, and how old the count of live supervisors may be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from makima.domain.settings import Settings
from makima.errors import HistoryUnavailable
from makima.models.dashboard import Crew, Look, Seen
from makima.services.access.rbac import Rbac
from makima.services.access.visibility import Visibility
from makima.services.reads import dashboard as module
from makima.services.reads.dashboard import Dashboards, LiveSupervisors
from tests.support.fakes import START, FakeClock
from tests.support.people import FakeReviews, somebody


@dataclass
class FakeStore:
    """Remembers what it was asked."""

    looks: list[Look] = field(default_factory=list)
    counts: int = 0
    since: datetime | None = None
    away: bool = False
    held: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)

    async def look(self, look: Look) -> Seen:
        self.looks.append(look)
        self.asked.append("look began")
        await asyncio.sleep(0)
        self.asked.append("look ended")
        return Seen((), (), (), (), None, None)

    async def crews(self, since: datetime) -> Sequence[Crew]:
        self.asked.append("count")
        if self.held is not None:
            await self.held.wait()
        if self.away:
            raise HistoryUnavailable("away")
        self.counts, self.since = self.counts + 1, since
        return [Crew("a", "node-1", self.counts), Crew("b", "node-2", 10)]


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def dashboards(store: FakeStore, reviews: FakeReviews) -> Dashboards:
    async def namespaces() -> frozenset[str]:
        return frozenset({"a", "b"})

    visibility = Visibility(Rbac(reviews), namespaces)
    return Dashboards(store, visibility, FakeClock(), Settings(), timedelta(seconds=120))


async def test_who_may_list_everything_is_answered_for_everything(store: FakeStore) -> None:
    reviews = FakeReviews()
    reviews.grant("admin", "", "list")
    found = await dashboards(store, reviews).dashboard(somebody("admin"))
    assert store.looks[0].namespaces is None
    assert (found.resource_usage.active_supervisors, found.resource_usage.active_daemons) == (11, 2)


@pytest.mark.parametrize(
    ("wanted", "seen", "supervisors"), [((), ("a",), 1), (("a", "b"), ("a",), 1), (("b",), (), 0), (("c",), (), 0)]
)
async def test_nobody_is_told_of_namespaces_that_they_may_not_list(
    store: FakeStore, wanted: tuple[str, ...], seen: tuple[str, ...], supervisors: int
) -> None:
    reviews = FakeReviews()
    reviews.grant("half", "a", "list")
    found = await dashboards(store, reviews).dashboard(somebody("half"), frozenset(wanted))
    assert store.looks[0].namespaces == seen
    assert found.resource_usage.active_supervisors == supervisors


async def test_supervisors_are_live_if_they_were_heard_within_the_timeout(store: FakeStore) -> None:
    await LiveSupervisors(store, FakeClock(), timedelta(seconds=120)).usage()
    assert store.since == START - timedelta(seconds=120)


async def test_many_who_look_at_once_have_it_counted_once(store: FakeStore) -> None:
    live = LiveSupervisors(store, FakeClock(), timedelta(seconds=120))
    await asyncio.gather(*(live.usage() for _ in range(20)))
    assert store.counts == 1


async def test_an_older_count_is_given_at_once_and_made_anew_meanwhile(
    store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveSupervisors(store, FakeClock(), timedelta(seconds=120))
    assert (await live.usage()).supervisors == 11
    monkeypatch.setattr(module, "COUNTED_SECONDS", 0.0)
    store.held = asyncio.Event()
    assert (await live.usage()).supervisors == 11  # does not wait
    store.held.set()
    async with asyncio.timeout(30):
        while (await live.usage()).supervisors == 11:
            await asyncio.sleep(0)


async def test_a_count_that_is_due_does_not_run_beside_the_look_that_finds_it_due(
    store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews = FakeReviews()
    reviews.grant("admin", "", "list")
    served = dashboards(store, reviews)
    await served.dashboard(somebody("admin"))
    monkeypatch.setattr(module, "COUNTED_SECONDS", 0.0)
    store.asked.clear()
    await served.dashboard(somebody("admin"))
    assert store.asked == ["look began", "look ended"]
    async with asyncio.timeout(30):
        while "count" not in store.asked:
            await asyncio.sleep(0)
    assert store.asked == ["look began", "look ended", "count"]


async def test_a_count_that_is_too_old_is_waited_for(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveSupervisors(store, FakeClock(), timedelta(seconds=120))
    await live.usage()
    monkeypatch.setattr(module, "COUNTED_SECONDS", 0.0)
    monkeypatch.setattr(module, "STALE_SECONDS", 0.0)
    assert (await live.usage()).supervisors == 12
    store.away = True
    with pytest.raises(HistoryUnavailable):
        await live.usage()
    store.away = False
    assert (await live.usage()).supervisors == 13
