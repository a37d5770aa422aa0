"""Lists of contracts on a real Postgres: the right contracts, once each, at any depth, by an index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from makima.adapters.postgres.contract_lists import PostgresContractLists
from makima.adapters.postgres.history import PostgresHistory
from makima.errors import ValuesRefused
from makima.models.contract_filter import ContractFilter
from makima.models.history import ContractRow, HistoryBatch, Place
from tests.support.fakes import START
from tests.support.people import a_row

STATES = ["created", "active", "waiting_for_input", "paused", "completed", "failed", "archived"]
NAMESPACES = ["red", "green", "blue"]
NOW = START + timedelta(hours=10)
EVERY = ContractFilter(usual_threshold_seconds=1800)


def rows(count: int) -> list[ContractRow]:
    """Four contracts in each second, over all states, namespaces and phases."""
    return [
        a_row(
            UUID(int=number + 1),
            f"c{number % 10}",
            NAMESPACES[number % 3],
            created_at=START + timedelta(seconds=number // 4),
            status=STATES[number % len(STATES)],
            phase="plan" if number % 2 else "execute",
            type="simple" if number % 5 else "execute",
            labels={"team": "blue", "n": str(number % 4)} if number % 4 == 0 else {},
            idle_since=START + timedelta(minutes=number) if number % 7 < 3 else None,
            stale_after_seconds=60 if number % 11 == 0 else None,
        )
        for number in range(count)
    ]


@pytest.fixture
async def recorded(history: PostgresHistory) -> AsyncIterator[PostgresHistory]:
    """200 contracts, every 13th of them gone."""
    found = rows(200)
    await history.record(HistoryBatch(rows=tuple(found)))
    await history.mark_deleted([row.uid for row in found[::13]], NOW)
    yield history
    await asyncio.sleep(0)


async def every(lists: PostgresContractLists, wanted: ContractFilter, limit: int = 7) -> list[ContractRow]:
    """All pages."""
    found: list[ContractRow] = []
    place: Place | None = None
    while True:
        page = await lists.page(wanted, place, limit, NOW)
        assert len(page.contracts) <= limit
        found += [one.row for one in page.contracts]
        if page.next is None:
            return found
        assert place is None or (page.next.at, page.next.id) < (place.at, place.id), "it goes on"
        place = page.next


def stale(row: ContractRow, threshold: float | None = None) -> bool:
    usual = 1800 if row.stale_after_seconds is None else row.stale_after_seconds
    limit = timedelta(seconds=usual if threshold is None else threshold)
    return row.idle_since is not None and row.idle_since <= NOW - limit


FILTERS = {
    "all": (EVERY, lambda row: True),
    "one status": (replace(EVERY, statuses=("failed",)), lambda row: row.status == "failed"),
    "two statuses": (replace(EVERY, statuses=("failed", "active")), lambda row: row.status in ("failed", "active")),
    "no status": (replace(EVERY, statuses=()), lambda row: False),
    "phase": (replace(EVERY, phases=("plan", "review")), lambda row: row.phase == "plan"),
    "type": (replace(EVERY, types=("execute",)), lambda row: row.type == "execute"),
    "name": (replace(EVERY, name="c3"), lambda row: row.name == "c3"),
    "labels": (replace(EVERY, labels={"team": "blue", "n": "0"}), lambda row: row.labels.get("n") == "0"),
    "one namespace": (replace(EVERY, namespaces=frozenset({"red"})), lambda row: row.namespace == "red"),
    "two namespaces": (
        replace(EVERY, namespaces=frozenset({"red", "blue", "never"}), statuses=("active",)),
        lambda row: row.namespace != "green" and row.status == "active",
    ),
    "stale": (replace(EVERY, stale=True), stale),
    "stale by a threshold": (
        replace(EVERY, stale=True, threshold_seconds=7.5 * 3600),
        lambda row: stale(row, 7.5 * 3600),
    ),
    "everything at once": (
        replace(
            EVERY, namespaces=frozenset(NAMESPACES), statuses=("active", "created"), phases=("plan",), types=("simple",)
        ),
        lambda row: row.status in ("active", "created") and row.phase == "plan" and row.type == "simple",
    ),
}


@pytest.mark.parametrize("looked_at", [3, 50, 2500])
async def test_every_contract_that_fits_is_on_exactly_one_page(recorded: PostgresHistory, looked_at: int) -> None:
    there = [row for number, row in enumerate(rows(200)) if number % 13]
    for what, (wanted, fits) in FILTERS.items():
        found = await every(PostgresContractLists(recorded.database, looked_at), wanted)
        expected = [row.uid for row in there if fits(row)]
        assert [row.uid for row in found] == sorted(expected, key=lambda uid: (_created(uid), uid), reverse=True), what


def _created(uid: UUID) -> int:
    return (uid.int - 1) // 4


@pytest.mark.parametrize("namespaces", [None, frozenset({"red", "green"})])
async def test_those_that_are_gone_are_a_list_of_their_own(
    recorded: PostgresHistory, namespaces: frozenset[str] | None
) -> None:
    wanted = replace(EVERY, gone=True, namespaces=namespaces)
    found = await every(PostgresContractLists(recorded.database, 20), wanted)
    expected = {row.uid for row in rows(200)[::13] if namespaces is None or row.namespace in namespaces}
    assert {row.uid for row in found} == expected and len(found) == len(expected)
    assert all(row.deleted_at is not None for row in found)


async def test_a_page_says_which_are_stale(recorded: PostgresHistory) -> None:
    page = await PostgresContractLists(recorded.database).page(EVERY, None, 500, NOW)
    silent = {row.uid for number, row in enumerate(rows(200)) if number % 13 and stale(row)}
    assert {one.row.uid for one in page.contracts if one.stale} == silent
    assert any(one.stale for one in page.contracts) and not all(one.stale for one in page.contracts)


async def test_a_heartbeat_after_it_ends_the_silence(recorded: PostgresHistory, database_url: str) -> None:
    lists, wanted = PostgresContractLists(recorded.database), replace(EVERY, stale=True)
    silent = (await every(lists, wanted))[0]
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO supervisors (contract_id, task_id, namespace, name, last_heartbeat_at) "
            "VALUES (%s, %s, %s, %s, %s)",
            (silent.uid, uuid4(), silent.namespace, silent.name, NOW),
        )
    assert silent.uid not in {row.uid for row in await every(lists, wanted)}


async def test_contracts_that_are_made_meanwhile_neither_repeat_nor_hide_others(recorded: PostgresHistory) -> None:
    lists = PostgresContractLists(recorded.database, 10)
    first = await lists.page(EVERY, None, 5, NOW)
    newer = a_row(UUID(int=9999), "newest", created_at=NOW)
    await recorded.record(HistoryBatch(rows=(newer,)))
    seen = [one.row.uid for one in first.contracts]
    place = first.next
    while place is not None:
        page = await lists.page(EVERY, place, 5, NOW)
        seen += [one.row.uid for one in page.contracts]
        place = page.next
    assert len(seen) == len(set(seen)) == 184


async def test_how_new_the_list_is(recorded: PostgresHistory) -> None:
    lists = PostgresContractLists(recorded.database)
    assert await lists.caught_up_at() is None
    await recorded.mark_caught_up()
    assert await lists.caught_up_at() is not None


NUL = {"name": "a\0b", "phases": ("\0",), "types": ("\0",), "labels": {"team": "\0"}, "namespaces": frozenset({"\0"})}


@pytest.mark.parametrize("name", NUL)
async def test_what_postgres_can_not_look_for_is_the_callers_mistake(history: PostgresHistory, name: str) -> None:
    lists = PostgresContractLists(history.database)
    with pytest.raises(ValuesRefused):
        await lists.page(replace(EVERY, **{name: NUL[name]}), None, 10, NOW)


async def test_what_is_read_by_one_query_is_refused_alike(history: PostgresHistory) -> None:
    with pytest.raises(ValuesRefused, match="NUL"):
        await history.find_contracts("red", "a\0b")
