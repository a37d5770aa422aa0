"""What a supervisor saves: in order, recognised when it comes again, all that a restoration needs in one snapshot."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makima.adapters.postgres.database import Database
from makima.adapters.postgres.supervision import PostgresSupervision
from makima.errors import NotFound, OutOfSequence, ValuesRefused
from makima.models.enums import SupervisorState, TaskState
from makima.models.supervision import Remembered, Session
from makima.models.wire.memory import ConversationMessage
from tests.support.supervision_values import (
    NOW,
    append,
    checkpoint,
    message,
    question,
    save,
    somebody,
    state_payload,
    task,
)


async def conversation(stores: PostgresSupervision, contract_id: UUID) -> list[tuple[int, str]]:
    stored = await stores.memory.messages(contract_id, 0, 10_000)
    return [(item.sequence, item.content) for item in stored]


async def test_a_supervisor_that_saved_nothing_remembers_nothing(stores: PostgresSupervision, life: Session) -> None:
    assert await stores.memory.remembered(life.contract_id, 10) == Remembered()
    assert await stores.memory.messages(life.contract_id, 0, 10) == []


async def test_a_state_comes_back_as_the_text_that_was_saved(stores: PostgresSupervision, life: Session) -> None:
    text = state_payload(current_activity="naïve 🦊", waiting_on_task_ids=(uuid4(),), error="oh")
    call = save(life, 1, text)
    saved = await stores.memory.save_state(life.contract_id, call, NOW)
    assert (saved.last, saved.duplicate, saved.server_time) == (1, False, NOW)
    state = (await stores.memory.remembered(life.contract_id, 0)).state
    assert state is not None
    assert (state.payload, state.checksum, state.revision, state.incarnation) == (text, call.checksum, 1, 1)
    assert state.updated_at == NOW


async def test_parts_of_the_state_stand_beside_it(stores: PostgresSupervision, life: Session) -> None:
    spawned = (uuid4(), uuid4())
    text = state_payload(state=SupervisorState.BLOCKED, progress=7, spawned_task_ids=spawned, error="no ledger")
    await stores.memory.save_state(life.contract_id, save(life, 1, text), NOW)
    row = (await stores.database.rows(b"SELECT * FROM supervisor_states"))[0]
    assert (row["state"], row["phase"], row["progress"], row["error_message"]) == ("blocked", "plan", 7, "no ledger")
    assert tuple(row["spawned_task_ids"]) == spawned


@pytest.mark.parametrize("text", ["", "{", '{"phase": 3}', '{"state": "\\u0000"}', "[" * 1000])
async def test_a_state_that_cannot_be_read_is_saved_as_it_came(
    stores: PostgresSupervision, life: Session, text: str
) -> None:
    await stores.memory.save_state(life.contract_id, save(life, 1), NOW)
    await stores.memory.save_state(life.contract_id, save(life, 2, text), NOW)
    state = (await stores.memory.remembered(life.contract_id, 0)).state
    assert state is not None
    assert (state.payload, state.revision) == (text, 2)
    assert (await stores.database.rows(b"SELECT phase FROM supervisor_states"))[0]["phase"] is None


@pytest.mark.parametrize(
    ("revision", "payload", "outcome"),
    [
        (3, "next", (3, False)),
        (2, "second", (2, True)),
        (2, "another", None),
        (1, "first", None),
        (4, "gap", None),
    ],
    ids=["next", "again", "same revision, another text", "older", "gap"],
)
async def test_revisions(
    stores: PostgresSupervision, life: Session, revision: int, payload: str, outcome: tuple[int, bool] | None
) -> None:
    for number, text in enumerate(("first", "second"), 1):
        await stores.memory.save_state(life.contract_id, save(life, number, text), NOW)
    call = stores.memory.save_state(life.contract_id, save(life, revision, payload), NOW)
    if outcome is None:
        with pytest.raises(OutOfSequence, match="the next revision is 3") as caught:
            await call
        assert caught.value.last == 2
    else:
        saved = await call
        assert (saved.last, saved.duplicate) == outcome


A, B, C, D = (message(letter) for letter in "abcd")


@pytest.mark.parametrize(
    ("first", "messages", "outcome"),
    [
        (3, (C, D), (4, False)),
        (1, (A, B), (2, True)),
        (2, (B,), (2, True)),
        (1, (A, B, C), (3, False)),
        (2, (B, C, D), (4, False)),
        (4, (D,), None),
        (2, (C,), None),
        (1, (A, C), None),
        (1, (B, A), None),
        (3, (A,), None),
        (2, (B, A), None),
        (3, (C, C), None),
    ],
    ids=[
        "next",
        "all again",
        "last again",
        "partly again",
        "end again and more",
        "gap",
        "another message has the place",
        "the second place is another's",
        "places exchanged",
        "stored at another place",
        "again, then one of another place",
        "twice in the call",
    ],
)
async def test_appending(
    stores: PostgresSupervision,
    life: Session,
    first: int,
    messages: tuple[ConversationMessage, ...],
    outcome: tuple[int, bool] | None,
) -> None:
    await stores.memory.append_messages(life.contract_id, append(1, 1, A, B), NOW)
    call = stores.memory.append_messages(life.contract_id, append(1, first, *messages), NOW)
    if outcome is None:
        with pytest.raises(OutOfSequence, match="the next message is 3") as caught:
            await call
        assert caught.value.last == 2
        assert await conversation(stores, life.contract_id) == [(1, "a"), (2, "b")]
        return
    saved = await call
    assert (saved.last, saved.duplicate) == outcome
    assert await conversation(stores, life.contract_id) == list(enumerate("abcd", 1))[: outcome[0]]


async def test_messages_come_back_as_they_were_sent(stores: PostgresSupervision, life: Session) -> None:
    sent = message(
        'tab\t{"json": "\\u0000"}\n€🦊\\', timestamp=NOW.astimezone(timezone(timedelta(hours=5))), role="user"
    )
    await stores.memory.append_messages(life.contract_id, append(1, 1, sent, message("")), NOW)
    found = (await stores.memory.messages(life.contract_id, 0, 1))[0]
    assert (found.id, found.role, found.content, found.sent_at) == (sent.id, "user", sent.content, NOW)
    assert (found.sequence, found.incarnation, found.created_at) == (1, 1, NOW)
    assert [item.sequence for item in await stores.memory.messages(life.contract_id, 1, 10)] == [2]


def unchecked(**changes: object) -> ConversationMessage:
    """A message that no model has looked at."""
    return ConversationMessage.model_construct(**{"id": uuid4(), "role": "user", "timestamp": None, **changes})


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (unchecked(content="half \ud83e"), "not Unicode"),
        (unchecked(content="nul \0"), "NUL"),
        (unchecked(content="", timestamp=datetime.min.replace(tzinfo=timezone(timedelta(hours=2)))), "calendar"),
    ],
    ids=["lone surrogate", "NUL", "a time before the calendar"],
)
async def test_what_cannot_be_stored_is_refused_with_its_whole_call(
    stores: PostgresSupervision, life: Session, bad: ConversationMessage, reason: str
) -> None:
    call = append(1, 1, A).model_copy(update={"messages": (A, bad)})
    with pytest.raises(ValuesRefused, match=reason):
        await stores.memory.append_messages(life.contract_id, call, NOW)
    assert await conversation(stores, life.contract_id) == []


async def test_a_state_that_is_no_unicode_is_refused(stores: PostgresSupervision, life: Session) -> None:
    call = save(life, 1).model_copy(update={"payload": "\ud800"})
    with pytest.raises(ValuesRefused, match="not Unicode"):
        await stores.memory.save_state(life.contract_id, call, NOW)
    with pytest.raises(ValuesRefused, match="not Unicode"):
        await stores.memory.save_checkpoint(
            life.contract_id, checkpoint(1, 1).model_copy(update={"payload": "\ud800"}), NOW
        )


async def test_the_same_call_many_times_at_once_is_stored_once(stores: PostgresSupervision, life: Session) -> None:
    call = append(1, 1, *(message(str(number)) for number in range(50)))
    saved = await asyncio.gather(*(stores.memory.append_messages(life.contract_id, call, NOW) for _ in range(16)))
    assert {answer.last for answer in saved} == {50}
    assert sorted(answer.duplicate for answer in saved) == [False] + [True] * 15
    assert len(await conversation(stores, life.contract_id)) == 50


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 6)), min_size=1, max_size=12))
def test_any_calls_with_parts_of_one_conversation_store_a_prefix_of_it(
    database_url: str, calls: list[tuple[int, int]]
) -> None:
    whole = [message(str(place)) for place in range(1, 18)]

    async def run() -> tuple[int, list[tuple[int, str]]]:
        database = Database(database_url)
        await database.open()
        stores = PostgresSupervision(database)
        life, last = await stores.registry.allocate(somebody(), after=0), 0
        for first, count in calls:
            call = append(1, first, *whole[first - 1 : first - 1 + count])
            if first > last + 1:
                with pytest.raises(OutOfSequence) as caught:
                    await stores.memory.append_messages(life.contract_id, call, NOW)
                assert caught.value.last == last
            else:
                last = max(last, first + count - 1)
                assert (await stores.memory.append_messages(life.contract_id, call, NOW)).last == last
        stored = await conversation(stores, life.contract_id)
        await database.close()
        return last, stored

    last, stored = asyncio.run(run())
    assert stored == [(place, str(place)) for place in range(1, last + 1)]


async def test_the_newest_8_checkpoints_are_kept(stores: PostgresSupervision, life: Session) -> None:
    for number in range(1, 12):
        saved = await stores.memory.save_checkpoint(life.contract_id, checkpoint(1, number, f"state {number}"), NOW)
        assert (saved.last, saved.duplicate) == (number, False)
    kept = (await stores.memory.remembered(life.contract_id, 0)).checkpoints
    assert [item.number for item in kept] == list(range(11, 3, -1))
    assert kept[0].payload == "state 11"


@pytest.mark.parametrize(
    ("number", "payload", "outcome"),
    [(3, "c", (3, False)), (2, "b", (2, True)), (1, "a", (2, True)), (2, "x", None), (4, "d", None)],
    ids=["next", "again", "older again", "another has the number", "gap"],
)
async def test_checkpoint_numbers(
    stores: PostgresSupervision, life: Session, number: int, payload: str, outcome: tuple[int, bool] | None
) -> None:
    for place, text in enumerate("ab", 1):
        await stores.memory.save_checkpoint(life.contract_id, checkpoint(1, place, text), NOW)
    call = stores.memory.save_checkpoint(life.contract_id, checkpoint(1, number, payload), NOW)
    if outcome is None:
        with pytest.raises(OutOfSequence, match="the next checkpoint is 3"):
            await call
    else:
        saved = await call
        assert (saved.last, saved.duplicate) == outcome


async def test_another_supervisor_of_the_contract_saves_no_state(stores: PostgresSupervision, life: Session) -> None:
    call = save(life, 1).model_copy(update={"task_id": uuid4()})
    with pytest.raises(NotFound, match="no such supervisor"):
        await stores.memory.save_state(life.contract_id, call, NOW)
    with pytest.raises(NotFound, match="no such supervisor"):
        await stores.memory.append_messages(uuid4(), append(1, 1, message()), NOW)


async def test_everything_that_a_restoration_needs(stores: PostgresSupervision, life: Session) -> None:
    contract_id = life.contract_id
    spawned, ended = task(life), task(life, created_at=NOW + timedelta(seconds=1))
    asked, answered = question(life), question(life, answer="2026", answered_by="ann", answered_at=NOW)
    await stores.memory.save_state(contract_id, save(life, 1), NOW)
    await stores.memory.append_messages(contract_id, append(1, 1, A, B, C), NOW)
    await stores.memory.save_checkpoint(contract_id, checkpoint(1, 1, message_sequence=3), NOW)
    await stores.work.spawn_task(spawned)
    await stores.work.spawn_task(ended)
    await stores.work.ask(asked)
    await stores.work.ask(answered)
    found = await stores.memory.remembered(contract_id, 2)
    assert [item.content for item in found.messages] == ["b", "c"]
    assert (found.last_message, found.checkpoints[0].message_sequence) == (3, 3)
    assert found.tasks == (spawned, ended)
    assert found.tasks[0].state is TaskState.RUNNING
    assert found.questions == (asked,)
    assert found.answered == {answered.id}  # the saved state may name it still: it was answered while nobody was there
    assert found.state is not None


@pytest.mark.parametrize(
    ("sizes", "room", "page", "end"),
    [
        ((30, 30, 30), 90, 3, 3),
        ((30, 30, 30), 89, 2, 2),
        ((90, 1, 1), 50, 1, 2),
        ((1, 1, 90), 50, 2, 1),
        ((0, 0, 90), 50, 3, 1),
        ((60, 60, 60), 50, 1, 1),
    ],
)
async def test_no_more_is_read_than_fits_and_one_message_in_any_case(
    stores: PostgresSupervision, life: Session, sizes: tuple[int, ...], room: int, page: int, end: int
) -> None:
    said = [message("\u00e9" * (size // 2) + "x" * (size % 2)) for size in sizes]
    await stores.memory.append_messages(life.contract_id, append(1, 1, *said), NOW)
    found = await stores.memory.messages(life.contract_id, 0, 10, room)
    assert [one.sequence for one in found] == list(range(1, page + 1))
    newest = (await stores.memory.remembered(life.contract_id, 10, room)).messages
    assert [one.sequence for one in newest] == list(range(4 - end, 4))


async def test_what_is_remembered_is_of_one_moment(
    stores: PostgresSupervision, life: Session, other: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    """A writer adds a message and a checkpoint of it in one transaction; no reading may show only one of them."""
    stop = asyncio.Event()

    async def write() -> int:
        number = 0
        while not stop.is_set():
            number += 1
            await other.execute(
                "INSERT INTO supervisor_checkpoints VALUES (%s, %s, 1, %s, '', '')", [life.contract_id, number, number]
            )
            await other.execute(
                "INSERT INTO supervisor_messages VALUES (%s, %s, %s, 1, 'user', '')",
                [life.contract_id, number, uuid4()],
            )
            await other.commit()
        return number

    writer = asyncio.ensure_future(write())
    try:
        for _ in range(100):
            found = await stores.memory.remembered(life.contract_id, 1)
            newest = found.checkpoints[0].number if found.checkpoints else 0
            assert (found.last_message, len(found.messages)) == (newest, min(newest, 1))
    finally:
        stop.set()
        assert await writer > 20
