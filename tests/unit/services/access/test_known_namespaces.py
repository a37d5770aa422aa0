"""Namespaces that have contracts: one reading for all who ask within a second."""

from __future__ import annotations

import asyncio

import pytest

from makima.errors import HistoryUnavailable
from makima.services.access import known_namespaces
from makima.services.access.known_namespaces import KnownNamespaces


class Store:
    """Postgres that answers when it is let, with what there is then."""

    def __init__(self) -> None:
        self.there, self.readings, self.away = frozenset({"red"}), 0, False
        self.let = asyncio.Event()
        self.let.set()

    async def namespaces(self) -> frozenset[str]:
        self.readings += 1
        await self.let.wait()
        if self.away:
            raise HistoryUnavailable("Postgres: away")
        return self.there


async def test_all_who_ask_within_a_second_share_one_reading_also_while_it_lasts() -> None:
    store = Store()
    known = KnownNamespaces(store.namespaces)
    store.let.clear()
    waiting = [asyncio.create_task(known.get()) for _ in range(10)]
    await asyncio.sleep(0)
    store.let.set()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*waiting) == [frozenset({"red"})] * 10
        assert await known.get() == frozenset({"red"})
    assert store.readings == 1


async def test_a_namespace_that_is_new_is_seen_when_the_second_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    known = KnownNamespaces(store.namespaces)
    await known.get()
    store.there = frozenset({"red", "blue"})
    assert await known.get() == frozenset({"red"})
    monkeypatch.setattr(known_namespaces, "SECONDS", 0.0)
    assert await known.get() == frozenset({"red", "blue"})


async def test_postgres_that_was_away_is_asked_again_at_once() -> None:
    store = Store()
    known = KnownNamespaces(store.namespaces)
    store.away = True
    with pytest.raises(HistoryUnavailable):
        await known.get()
    store.away = False
    assert await known.get() == frozenset({"red"})


async def test_who_goes_away_takes_no_reading_along() -> None:
    store = Store()
    known = KnownNamespaces(store.namespaces)
    store.let.clear()
    gone, stays = asyncio.create_task(known.get()), asyncio.create_task(known.get())
    await asyncio.sleep(0)
    gone.cancel()
    store.let.set()
    async with asyncio.timeout(5):
        assert await stays == frozenset({"red"})
