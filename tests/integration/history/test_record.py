"""Storing batches: what is stored, what wins, what repeating does, and what bad entries do to the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from makima.adapters.postgres.history import PostgresHistory
from makima.errors import HistoryEntriesRefused
from makima.models.history import HistoryBatch
from tests.support.history_values import START, contract, event, task, versions_of

LATER = START + timedelta(hours=1)

pytestmark = pytest.mark.asyncio


async def test_what_is_recorded_comes_back(history: PostgresHistory) -> None:
    row = contract(
        version=3,
        description="Zeilen\nüber 🦀",
        auto_complete_enabled=False,
        waiting_for="an answer",
        blocked_reason="no disk",
        failure_reason="gave up",
        completion_detected_at=LATER,
        labels={"a/b": "c", "quote": 'x"y'},
    )
    happened = event(
        row.uid, 3, payload={"deliverables": ["plan-document"], "forced": True, "n": 1.5, "contract_status": row.status}
    )
    work = task(row.uid, "completed", template="tests", completed_at=LATER, message="42 passed")
    await history.record(HistoryBatch((row,), (happened,), (work,)))
    assert await history.contract(row.uid) == row
    found = [stored.event for stored in await history.events(row.uid)]
    assert happened in found and [each.type for each in found if each != happened] == ["TaskCompleted"]
    assert await history.tasks(row.uid) == [work]


async def test_an_unknown_contract_is_none(history: PostgresHistory) -> None:
    assert await history.contract(uuid4()) is None
    assert await history.find_contracts("team-a", "nobody") == []


async def test_an_empty_batch_is_fine(history: PostgresHistory) -> None:
    await history.record(HistoryBatch())


async def test_recording_again_stores_nothing_and_uses_no_number(history: PostgresHistory) -> None:
    row = contract()
    batch = HistoryBatch((row,), (event(row.uid, 1),), (task(row.uid),))
    for _ in range(3):
        await history.record(batch)
    await history.record(HistoryBatch(events=(event(row.uid, 1), event(row.uid, 2), event(row.uid, 2))))
    assert [stored.seq for stored in await history.events_after(0, 10)] == [1, 2]
    assert len(await history.tasks(row.uid)) == 1


async def test_an_older_row_does_not_replace_a_newer_one(history: PostgresHistory) -> None:
    newest = contract(version=5, resource_version=1000, phase="execute")
    await history.record(HistoryBatch((newest,)))
    for version, resource_version in ((4, 2000), (5, 999), (5, 1000)):
        await history.record(HistoryBatch((contract(newest.uid, version, resource_version, phase="old"),)))
    assert await history.contract(newest.uid) == newest


async def test_a_newer_resource_version_of_the_same_version_wins_as_a_number(history: PostgresHistory) -> None:
    row = contract(resource_version=99)
    await history.record(HistoryBatch((row,)))
    await history.record(HistoryBatch((replace(row, resource_version="100", waiting_for="you"),)))
    found = await history.contract(row.uid)
    assert found is not None
    assert (found.resource_version, found.waiting_for) == ("100", "you")


async def test_the_last_activity_never_goes_back(history: PostgresHistory) -> None:
    row = contract(last_activity_at=LATER)
    await history.record(HistoryBatch((row,)))
    await history.record(HistoryBatch((contract(row.uid, 2, last_activity_at=START),)))
    found = await history.contract(row.uid)
    assert found is not None
    assert (found.version, found.last_activity_at) == (2, LATER)


@pytest.mark.parametrize(
    ("first", "then", "kept"),
    [
        ("pending", "running", "running"),
        ("running", "pending", "running"),
        ("running", "failed", "failed"),
        ("completed", "running", "completed"),
        ("completed", "failed", "completed"),
        ("failed", "completed", "failed"),
    ],
)
async def test_a_task_only_goes_forward_and_its_first_end_stays(
    history: PostgresHistory, first: str, then: str, kept: str
) -> None:
    work = task(uuid4(), first)
    await history.record(HistoryBatch(tasks=(work,)))
    await history.record(HistoryBatch(tasks=(replace(work, state=then),)))
    assert [found.state for found in await history.tasks(work.contract_id)] == [kept]


async def test_versions_gaps_and_watermarks(history: PostgresHistory) -> None:
    row = contract(version=6)
    events = (*(event(row.uid, version) for version in (1, 2, 4)), replace(event(row.uid, 9), version=None))
    await history.record(HistoryBatch((row,), events))
    assert await history.versions(row.uid) == [1, 2, 4]
    assert await history.missing_versions(row.uid) == [3, 5, 6]
    assert await history.recorded_versions() == {str(row.uid): 4}


async def test_contracts_of_one_name_are_found_newest_first_gone_ones_too(history: PostgresHistory) -> None:
    old, new = contract(), contract(created_at=LATER)
    await history.record(HistoryBatch((old, new, contract(name="other"))))
    await history.mark_deleted([old.uid], LATER)
    found = await history.find_contracts("team-a", "move-invoices")
    assert [(row.uid, row.deleted_at) for row in found] == [(new.uid, None), (old.uid, LATER)]


async def test_a_deletion_is_an_event_exactly_once(history: PostgresHistory) -> None:
    row = contract()
    await history.record(HistoryBatch((row,), (event(row.uid, 1),)))
    for at in (LATER, LATER + timedelta(days=1)):
        await history.mark_deleted([str(row.uid), str(uuid4())], at)
    types = [(stored.event.type, stored.event.at) for stored in await history.events(row.uid)]
    assert types == [("PhaseAdvanced", START), ("ContractDeleted", LATER)]
    assert await history.live_uids() == []
    assert await history.recorded_versions() == {}


async def test_an_older_write_does_not_bring_a_deleted_contract_back(history: PostgresHistory) -> None:
    row = contract(version=2)
    await history.record(HistoryBatch((row,)))
    await history.mark_deleted([row.uid], LATER)
    await history.record(HistoryBatch((row, contract(row.uid, 1, 1000))))
    assert await history.live_uids() == []


async def test_a_newer_write_shows_that_it_was_not_gone(history: PostgresHistory) -> None:
    row = contract()
    await history.record(HistoryBatch((row,)))
    await history.mark_deleted([row.uid], LATER)
    await history.record(HistoryBatch((contract(row.uid, 2),)))
    assert await history.live_uids() == [(str(row.uid), "team-a", "move-invoices")]


async def test_text_that_postgres_cannot_store_is_replaced(history: PostgresHistory) -> None:
    row = contract(description="a\x00b", waiting_for="\ud800", labels={"k\x00": "v\x00"}, phases=("p\x00",))
    happened = event(row.uid, 1, actor="\x00", payload={"deep": [{"\x00": "\udfff", "n": float("nan")}]})
    await history.record(HistoryBatch((row,), (happened,), (task(row.uid, name="t\x00"),)))
    found = await history.contract(row.uid)
    assert found is not None
    assert (found.description, found.waiting_for, found.labels) == ("a\ufffdb", "\ufffd", {"k\ufffd": "v\ufffd"})
    stored = (await history.events(row.uid))[0].event
    assert stored.payload == {"deep": [{"\ufffd": "\ufffd", "n": "nan"}], "contract_status": "active"}


async def test_one_bad_entry_is_named_and_the_rest_is_stored(history: PostgresHistory) -> None:
    uids = [uuid4() for _ in range(50)]
    rows = tuple(contract(uid) for uid in uids)
    events = tuple(event(uid, 2**70 if uid == uids[17] else 1) for uid in uids)
    with pytest.raises(HistoryEntriesRefused, match="1 history entries can't be stored: event PhaseAdvanced") as caught:
        await history.record(HistoryBatch(rows, events))
    assert len(caught.value.refused) == 1
    assert "version 1180591620717411303424 of team-a/move-invoices" in caught.value.refused[0][0]
    stored = await history.events_after(0, 100)
    assert [found.event.contract_id for found in stored] == [uid for uid in uids if uid != uids[17]]
    assert [found.seq for found in stored] == list(range(1, 50))
    assert len(await history.live_uids()) == 50


@pytest.mark.parametrize(
    "change",
    [
        {"type": None},
        {"at": "the day before yesterday"},
        {"contract_id": "no uuid"},
    ],
    ids=["missing", "no-time", "no-uuid"],
)
async def test_each_kind_of_bad_entry_is_refused_alone(history: PostgresHistory, change: dict[str, Any]) -> None:
    uid = uuid4()
    with pytest.raises(HistoryEntriesRefused) as caught:
        await history.record(HistoryBatch(events=(event(uid, 1), event(uid, 2, **change), event(uid, 3))))
    assert len(caught.value.refused) == 1
    assert await history.versions(uid) == [1, 3]


async def test_a_name_too_long_for_an_index_is_refused_alone(history: PostgresHistory) -> None:
    good = contract()
    long = contract(name="".join(str(uuid4()) for _ in range(500)))
    with pytest.raises(HistoryEntriesRefused, match="index row"):
        await history.record(HistoryBatch((good, long)))
    assert [uid for uid, _, _ in await history.live_uids()] == [str(good.uid)]


async def test_a_megabyte_of_description_and_deeply_nested_json_are_stored(history: PostgresHistory) -> None:
    nested: dict[str, Any] = {}
    for _ in range(200):
        nested = {"n": nested}
    row = contract(description="x" * 1_000_000)
    await history.record(HistoryBatch((row,), (event(row.uid, 1, payload=nested),)))
    assert await history.contract(row.uid) == row


async def test_a_thousand_contracts_and_events_fit_into_one_batch(history: PostgresHistory) -> None:
    uids = [uuid4() for _ in range(1000)]
    await history.record(HistoryBatch(tuple(map(contract, uids)), tuple(event(uid, 1) for uid in uids)))
    assert [stored.event.contract_id for stored in await history.events_after(0, 2000)] == uids


async def test_events_are_read_page_by_page(history: PostgresHistory) -> None:
    uid, other = uuid4(), uuid4()
    await history.record(versions_of(other, 1, 3))
    await history.record(versions_of(uid, 1, 5))
    first = await history.events(uid, limit=2)
    second = await history.events(uid, after=first[-1].seq, limit=10)
    assert [stored.event.version for stored in (*first, *second)] == [1, 2, 3, 4, 5]
    last = await history.newest_events(uid, 2**53, limit=2)
    before = await history.newest_events(uid, last[0].seq, limit=10)
    assert [stored.event.version for stored in (*before, *last)] == [1, 2, 3, 4, 5]


async def test_the_schema_is_checked(history: PostgresHistory) -> None:
    await history.ping()
    await history.check_schema()
