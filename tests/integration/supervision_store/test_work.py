"""Tasks and questions are stored once by their ids; an answer comes with its command, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

import pytest

from makima.adapters.postgres.history import PostgresHistory
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.errors import HistoryUnavailable, NotFound, ValuesRefused
from makima.models.enums import CommandKind, TaskState
from makima.models.history import HistoryBatch, TaskRow
from makima.models.supervision import Session
from tests.support.supervision_values import NOW, question, somebody, task

LATER = NOW + timedelta(minutes=5)


async def test_a_task_is_spawned_once(stores: PostgresSupervision, life: Session) -> None:
    wanted = task(life, template="migrate", arguments=("--ledger", "2026 🦊"))
    spawned = await asyncio.gather(*(stores.work.spawn_task(wanted) for _ in range(8)))
    assert spawned == [wanted] * 8
    again = await stores.work.spawn_task(replace(wanted, name="another", created_at=LATER))
    assert again == wanted
    assert await stores.work.tasks(life.contract_id) == [wanted]


async def test_a_task_that_the_recorder_stored_first_gets_its_life(
    stores: PostgresSupervision, history: PostgresHistory, life: Session
) -> None:
    wanted = task(life)
    row = TaskRow(wanted.id, wanted.contract_id, wanted.phase, wanted.name, "running", NOW)
    await history.record(HistoryBatch(tasks=(row,)))
    assert await stores.work.spawn_task(wanted) == wanted


@pytest.mark.parametrize("fenced", [True, False], ids=["by its supervisor", "by the operator"])
async def test_the_first_end_stays(stores: PostgresSupervision, life: Session, fenced: bool) -> None:
    spawned = await stores.work.spawn_task(task(life))
    caller = 1 if fenced else None
    end = replace(spawned, state=TaskState.COMPLETED, message="done", completed_at=LATER, incarnation=caller)
    ended = await stores.work.end_task(end)
    assert ended == replace(end, incarnation=1)
    assert await stores.work.end_task(replace(end, state=TaskState.FAILED, message="no")) == ended
    assert await stores.work.tasks(life.contract_id) == [ended]


async def test_a_task_is_ended_by_a_later_life_too(stores: PostgresSupervision, life: Session) -> None:
    spawned = await stores.work.spawn_task(task(life))
    await stores.registry.allocate(life, after=1)
    ended = await stores.work.end_task(replace(spawned, state=TaskState.FAILED, completed_at=LATER, incarnation=2))
    assert (ended.state, ended.incarnation) == (TaskState.FAILED, 1)


async def test_ids_of_another_contract_are_refused(stores: PostgresSupervision, life: Session) -> None:
    stranger = await stores.registry.allocate(somebody(), after=0)
    spawned, asked = await stores.work.spawn_task(task(life)), await stores.work.ask(question(life))
    with pytest.raises(ValuesRefused, match="belongs to another contract"):
        await stores.work.spawn_task(task(stranger, id=spawned.id))
    with pytest.raises(ValuesRefused, match="belongs to another contract"):
        await stores.work.ask(question(stranger, id=asked.id))
    with pytest.raises(NotFound, match="has no task"):
        await stores.work.end_task(task(stranger, id=spawned.id, state=TaskState.FAILED))
    assert await stores.work.tasks(life.contract_id) == [spawned]


async def test_an_unknown_task_has_no_end(stores: PostgresSupervision, life: Session) -> None:
    with pytest.raises(NotFound, match="spawn it first"):
        await stores.work.end_task(task(life, state=TaskState.COMPLETED))


async def test_a_question_is_asked_once(stores: PostgresSupervision, life: Session) -> None:
    asked = question(life)
    assert await asyncio.gather(*(stores.work.ask(asked) for _ in range(8))) == [asked] * 8
    assert await stores.work.ask(replace(asked, text="Or?")) == asked
    assert await stores.work.questions(life.contract_id) == [asked]


async def test_texts_that_are_no_unicode_are_refused(stores: PostgresSupervision, life: Session) -> None:
    with pytest.raises(ValuesRefused, match="not Unicode"):
        await stores.work.ask(question(life, text="half \ud83e"))
    with pytest.raises(ValuesRefused, match="NUL"):
        await stores.work.spawn_task(task(life, message="\0"))
    assert await stores.work.questions(life.contract_id) == []
    assert await stores.work.tasks(life.contract_id) == []


async def test_the_first_answer_stays_and_has_one_command(stores: PostgresSupervision, life: Session) -> None:
    asked = await stores.work.ask(question(life))
    first = replace(asked, answer="2026", answered_by="ann", answered_at=LATER)
    await stores.work.answer([first, replace(first, answer="2025")])
    await stores.work.answer([first])
    await stores.work.answer([replace(first, answer="2025", answered_by="bob")])
    assert await stores.work.questions(life.contract_id) == [first]
    commands = await stores.commands.unacknowledged([life.contract_id])
    assert [(item.id, item.kind, item.created_at) for item in commands] == [
        (uuid5(asked.id, "answer"), CommandKind.ANSWER, LATER)
    ]
    assert commands[0].payload == {"question_id": str(asked.id), "answer": "2026"}
    assert await stores.work.ask(asked) == first  # asked again after it was answered


async def test_many_answers_at_once_in_any_order(stores: PostgresSupervision, life: Session) -> None:
    asked = [await stores.work.ask(question(life)) for _ in range(20)]
    answers = [replace(item, answer="yes", answered_by="ann", answered_at=LATER) for item in asked]
    await asyncio.gather(*(stores.work.answer(answers[:: (-1) ** number]) for number in range(12)))
    commands = await stores.commands.unacknowledged(None)
    assert {item.id for item in commands} == {uuid5(item.id, "answer") for item in asked}


async def test_an_answer_to_a_question_that_postgres_lost_brings_it_back(
    stores: PostgresSupervision, life: Session
) -> None:
    lost = question(life, answer="2026 \ud800", answered_by="ann", answered_at=LATER)
    await stores.work.answer([lost, question(life)])  # and one without an answer changes nothing
    found = await stores.work.questions(life.contract_id)
    assert found == [replace(lost, answer="2026 \N{REPLACEMENT CHARACTER}")]


async def answered_and_told(stores: PostgresSupervision, question_id: UUID) -> tuple[int, int]:
    row = (
        await stores.database.rows(
            b"SELECT (SELECT count(*) FROM questions WHERE id = %(id)s AND answer IS NOT NULL) AS answers,"
            b" (SELECT count(*) FROM commands WHERE kind = 'answer') AS commands",
            {"id": question_id},
        )
    )[0]
    return row["answers"], row["commands"]


async def test_without_its_command_there_is_no_answer(stores: PostgresSupervision, life: Session) -> None:
    asked = await stores.work.ask(question(life))
    answer = replace(asked, answer="2026", answered_by="ann", answered_at=LATER)
    async with stores.database.connection() as connection:
        await connection.execute(b"ALTER TABLE commands RENAME TO gone")
    with pytest.raises(HistoryUnavailable):
        await stores.work.answer([answer])
    async with stores.database.connection() as connection:
        await connection.execute(b"ALTER TABLE gone RENAME TO commands")
    assert await answered_and_told(stores, asked.id) == (0, 0)
    await stores.work.answer([answer])
    assert await answered_and_told(stores, asked.id) == (1, 1)


async def test_questions_and_tasks_of_nobody(stores: PostgresSupervision) -> None:
    assert await stores.work.tasks(uuid4()) == []
    assert await stores.work.questions(uuid4()) == []
    await stores.work.answer([])
