"""Events of what supervisors do: made by whoever stores it first, once, in the order in which it was stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from makima.adapters.postgres.history import PostgresHistory
from makima.adapters.postgres.record import SQL
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.models.enums import SupervisorState, TaskState
from makima.models.history import HistoryBatch, StoredEvent, TaskRow
from makima.models.supervision import Session, StoredTask
from tests.support.history_values import contract
from tests.support.own_postgres import open_stores
from tests.support.supervision_values import NOW, beat, question, somebody, task

S = SupervisorState


@pytest.fixture
async def two(database_url: str) -> AsyncIterator[tuple[PostgresSupervision, PostgresSupervision]]:
    """Two processes' stores over one database."""
    async with open_stores(database_url) as first, open_stores(database_url) as second:
        yield first, second


async def _carried(store: PostgresSupervision) -> Session:
    return await store.registry.allocate(somebody(), after=0)


async def _events(history: PostgresHistory, kind: str) -> list[StoredEvent]:
    found = await history.events_after(0, 10_000)
    assert [one.seq for one in found] == list(range(1, len(found) + 1))
    return [one for one in found if one.event.type == kind]


async def _changes(history: PostgresHistory) -> list[tuple[str, str]]:
    payloads = [one.event.payload for one in await _events(history, "SupervisorStateChanged")]
    return [(payload["old_state"], payload["new_state"]) for payload in payloads]


def _row(stored: StoredTask, state: str) -> TaskRow:
    return TaskRow(stored.id, stored.contract_id, stored.phase, stored.name, state, NOW, completed_at=NOW, message="m")


async def test_a_task_ends_once_whoever_stores_its_end_and_however_often(
    two: tuple[PostgresSupervision, PostgresSupervision], history: PostgresHistory
) -> None:
    who = await _carried(two[0])
    tasks = [await two[0].work.spawn_task(task(who)) for _ in range(8)]
    ended = [replace(one, state=TaskState.COMPLETED, completed_at=NOW, message="done") for one in tasks]
    row = contract(who.contract_id, 1, namespace=who.namespace, name=who.name)
    batch = HistoryBatch(rows=(row,), tasks=tuple(_row(one, "completed") for one in tasks))
    await asyncio.gather(
        *(two[n % 2].work.end_task(one) for n, one in enumerate([*ended, *reversed(ended)])),
        *(history.record(batch) for _ in range(3)),
    )
    found = await _events(history, "TaskCompleted")
    assert sorted(str(one.event.payload["task_id"]) for one in found) == sorted(str(one.id) for one in tasks)
    assert {(one.event.namespace, one.event.contract_name) for one in found} == {(who.namespace, who.name)}
    assert {one.event.payload["success"] for one in found} == {True}


async def test_a_task_that_only_the_contract_knows_ends_as_an_event_too(history: PostgresHistory) -> None:
    row = contract(status="blocked")
    stored = task(somebody(contract_id=row.uid))
    await history.record(HistoryBatch(rows=(row,), tasks=(_row(stored, "running"),)))
    assert await _events(history, "TaskCompleted") == []
    for _ in range(2):
        await history.record(HistoryBatch(rows=(row,), tasks=(_row(stored, "failed"),)))
    [found] = await _events(history, "TaskCompleted")
    assert (found.event.payload["success"], found.event.payload["message"]) == (False, "m")
    assert found.event.payload["contract_status"] == "blocked"


@pytest.mark.parametrize(("options", "kind"), [((), "text"), (("yes", "no"), "choice")])
async def test_a_question_is_asked_once(
    two: tuple[PostgresSupervision, PostgresSupervision],
    history: PostgresHistory,
    options: tuple[str, ...],
    kind: str,
) -> None:
    who = await _carried(two[0])
    asked = question(who, options=options)
    await asyncio.gather(*(store.work.ask(asked) for store in two * 3))
    await two[0].work.answer([replace(asked, answer="yes", answered_by="alice", answered_at=NOW)])
    [found] = await _events(history, "QuestionAsked")
    payload = found.event.payload
    assert (payload["question_id"], payload["question"]) == (str(asked.id), asked.text)
    assert (payload["question_type"], payload["options"]) == (kind, list(options))


async def test_a_question_that_postgres_lost_is_an_event_with_its_answer(
    two: tuple[PostgresSupervision, PostgresSupervision], history: PostgresHistory
) -> None:
    who = await _carried(two[0])
    answered = question(who, answer="yes", answered_by="alice", answered_at=NOW)
    for store in two:
        await store.work.answer([answered])
    [found] = await _events(history, "QuestionAsked")
    assert found.event.payload["question_id"] == str(answered.id)


async def test_states_follow_each_other_without_a_gap_though_two_processes_tell_them(
    two: tuple[PostgresSupervision, PostgresSupervision], history: PostgresHistory
) -> None:
    who = await _carried(two[0])
    states = [S.WORKING, S.WAITING_FOR_TASKS, S.WORKING, S.BLOCKED, S.IDLE, S.WORKING] * 5
    beats = [beat(who, number, state=state) for number, state in enumerate(states, 1)]
    await asyncio.gather(
        *(two[n % 2].heartbeats.refresh([beats[n]], steps=beats[max(0, n - 3) : n]) for n in range(len(beats)))
    )
    await two[0].heartbeats.refresh([beats[-1]], steps=beats)
    chain = await _changes(history)
    assert chain[0][0] == "initializing"
    assert chain[-1][1] == "working"
    assert all(before[1] == after[0] and after[0] != after[1] for before, after in pairwise(chain))
    ids = [one.event.id for one in await _events(history, "SupervisorStateChanged")]
    assert len(set(ids)) == len(ids)


async def test_a_state_that_was_left_at_once_is_an_event_too(
    two: tuple[PostgresSupervision, PostgresSupervision], history: PostgresHistory
) -> None:
    who = await _carried(two[0])
    steps = [beat(who, 1), beat(who, 2, state=S.BLOCKED), beat(who, 3)]
    await two[0].heartbeats.refresh([beat(who, 4, progress=20)], steps=steps)
    assert await _changes(history) == [("initializing", "working"), ("working", "blocked"), ("blocked", "working")]


async def test_heartbeats_that_change_no_state_neither_make_events_nor_wait_for_who_does(
    two: tuple[PostgresSupervision, PostgresSupervision], history: PostgresHistory, database_url: str
) -> None:
    who = await _carried(two[0])
    await two[0].heartbeats.refresh([beat(who, 1)])
    async with await psycopg.AsyncConnection.connect(database_url) as slow:
        await slow.execute(SQL["lock_counter"])
        async with asyncio.timeout(60):
            await two[0].heartbeats.refresh([beat(who, 2, progress=50)], announce=[who.contract_id])
            await two[0].heartbeats.store([beat(who, 3)])
        await slow.rollback()
    row = await two[0].registry.session(who.contract_id)
    assert row is not None
    assert row.progress == 50
    assert len(await _events(history, "SupervisorStateChanged")) == 1


async def test_what_the_operator_finds_and_what_a_heartbeat_says_against_it_are_changes(
    two: tuple[PostgresSupervision, PostgresSupervision], history: PostgresHistory
) -> None:
    who = await _carried(two[0])
    await two[0].heartbeats.refresh([beat(who, 1)])
    for store in two:
        found = await store.registry.judge(who.contract_id, 1, S.INTERRUPTED)
        assert found.state is S.INTERRUPTED
    await two[0].heartbeats.refresh([beat(who, 2)])  # it lives after all
    await two[0].registry.judge(who.contract_id, 1, S.FAILED)
    for store in two:
        await store.registry.allocate(who, after=1)
    late = await two[0].registry.judge(who.contract_id, 1, S.INTERRUPTED)
    assert (late.incarnation, late.state) == (2, S.INITIALIZING)
    assert await _changes(history) == [
        ("initializing", "working"),
        ("working", "interrupted"),
        ("interrupted", "working"),
        ("working", "failed"),
        ("failed", "initializing"),
    ]


async def test_an_event_says_in_which_state_its_contract_was(
    two: tuple[PostgresSupervision, PostgresSupervision], history: PostgresHistory
) -> None:
    who = await _carried(two[0])

    async def told(version: int, status: str, **said: Any) -> str | None:
        row = contract(who.contract_id, version, status=status)
        await history.record(HistoryBatch(rows=(row,)))
        await two[0].work.ask(question(who, **said))
        events = await _events(history, "QuestionAsked")
        found: str | None = events[-1].event.payload.get("contract_status")
        return found

    assert [await told(1, "active"), await told(2, "waiting_for_input")] == ["active", "waiting_for_input"]
