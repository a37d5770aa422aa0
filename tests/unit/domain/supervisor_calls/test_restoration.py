"""How a supervisor comes back: a row for every branch, and no text whatever that stops it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from makima.domain.supervisor_calls.restoration import restore
from makima.models.enums import RestorationOutcome, TaskState
from makima.models.supervision import (
    Remembered,
    StoredCheckpoint,
    StoredMessage,
    StoredQuestion,
    StoredState,
    StoredTask,
)
from makima.models.wire.memory import checksum
from makima.models.wire.registration import Restoration
from tests.support.builders import UID, accepted, active, at

CONTRACT = active()
R = RestorationOutcome


def uid(number: int) -> UUID:
    return UUID(int=number)


def payload(**fields: Any) -> str:
    return json.dumps({"state": "working", "phase": "plan", "saved_at": at(10).isoformat(), **fields}, default=str)


def saved(text: str, *, revision: int = 7, digest: str | None = None) -> StoredState:
    return StoredState(1, revision, text, checksum(text) if digest is None else digest, at(10))


def checkpoint(number: int, text: str, *, digest: str | None = None, messages: int = 0) -> StoredCheckpoint:
    return StoredCheckpoint(number, 1, messages, text, checksum(text) if digest is None else digest, at(5))


def task(number: int, state: TaskState = TaskState.RUNNING) -> StoredTask:
    return StoredTask(uid(number), UUID(UID), "plan", f"t{number}", state, at(1), message="said")


def question(number: int) -> StoredQuestion:
    return StoredQuestion(uid(number), UUID(UID), 1, "plan", "Which?", ("a", "b"), at(2))


def message(sequence: int) -> StoredMessage:
    return StoredMessage(sequence, uid(900 + sequence), "user", f"say {sequence}", 1, None, at(3))


def come_back(state: StoredState | None, **fields: Any) -> Restoration:
    return restore(Remembered(state=state, **fields), CONTRACT, at(20))


INVALID: dict[str, tuple[str, dict[str, Any], str]] = {
    "not JSON": ("hello", {}, "can't be read"),
    "empty": ("", {}, "can't be read"),
    "truncated": (payload()[:-5], {}, "can't be read"),
    "a list": ("[1]", {}, "can't be read"),
    "from a newer makima": (payload(schema_version=2), {}, "schema_version 2; this makima reads up to 1"),
    "a newer schema with other fields": ('{"schema_version": 9}', {}, "schema_version 9"),
    "an unknown schema": (payload(schema_version="x"), {}, "schema_version"),
    "schema zero": (payload(schema_version=0), {}, "schema_version"),
    "without a phase": (json.dumps({"state": "working", "saved_at": at(1).isoformat()}), {}, "phase: Field required"),
    "an unknown state": (payload(state="dreaming"), {}, "is none of initializing"),
    "progress beyond all": (payload(progress=101), {}, "progress"),
    "a NUL in a text": (payload(current_activity="a\0b"), {}, "current_activity"),
    "a time without a zone": (payload(saved_at="2026-01-01T12:00:00"), {}, "saved_at"),
    "a phase of another contract": (payload(phase="review"), {}, "phase review, which the contract does not have"),
    "a task that is nowhere": (payload(spawned_task_ids=[uid(1)]), {}, f"names task {uid(1)}, which does not exist"),
    "waits for a task that is nowhere": (
        payload(waiting_on_task_ids=[uid(1), uid(2)]),
        {"tasks": (task(1),)},
        f"names task {uid(2)}",
    ),
    "a question that is nowhere": (payload(pending_question_ids=[uid(3)]), {}, f"names question {uid(3)}"),
    "more messages than there are": (
        payload(message_sequence=3),
        {"last_message": 2},
        "has seen message 3, but only 2 are stored",
    ),
    "from the future": (payload(saved_at=at(321).isoformat()), {}, "from the future, by 301 seconds"),
}


def test_without_a_state_it_starts_afresh_and_says_so() -> None:
    back = come_back(None)
    assert (back.outcome, back.state, back.revision) == (R.FRESH, None, 0)
    assert back.reason == "there is no saved state: starts afresh"


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_state_gives_way_to_the_newest_checkpoint(name: str) -> None:
    text, fields, wrong = INVALID[name]
    points = (checkpoint(2, payload(current_activity="two")), checkpoint(1, payload(current_activity="one")))
    back = come_back(saved(text), checkpoints=points, **fields)
    assert back.outcome is R.CHECKPOINT
    assert back.state is not None
    assert back.state.current_activity == "two"
    assert wrong in back.reason
    assert "goes on from checkpoint 2" in back.reason
    assert (back.revision, back.checkpoint) == (7, 2)


@pytest.mark.parametrize("name", INVALID)
def test_without_any_valid_checkpoint_it_starts_afresh_and_names_all_that_was_wrong(name: str) -> None:
    text, fields, wrong = INVALID[name]
    points = (checkpoint(2, payload(), digest="0" * 64), checkpoint(1, text))
    back = come_back(saved(text), checkpoints=points, **fields)
    assert (back.outcome, back.state) == (R.FRESH, None)
    assert back.reason.count(wrong) == 2
    assert "checkpoint 2 does not match its checksum" in back.reason


def test_a_wrong_checksum_is_invalid() -> None:
    back = come_back(saved(payload(), digest="0" * 64))
    assert back.outcome is R.FRESH
    assert "(revision 7) does not match its checksum; there is no checkpoint; starts afresh" in back.reason


def test_a_checkpoint_beyond_the_conversation_is_passed_over() -> None:
    points = (checkpoint(1, payload(progress=1), messages=2), checkpoint(2, payload(), messages=3))
    back = come_back(saved("x"), checkpoints=points, last_message=2)
    assert back.outcome is R.CHECKPOINT
    assert back.state is not None
    assert back.state.progress == 1
    assert "checkpoint 2 ends at message 3, but only 2 are stored" in back.reason


def test_five_minutes_ahead_is_no_future() -> None:
    assert come_back(saved(payload(saved_at=at(320).isoformat()))).outcome is R.RESUMED


def test_a_contract_that_is_not_accepted_has_no_phases() -> None:
    contract = accepted().model_copy(update={"status": None})
    assert restore(Remembered(state=saved(payload())), contract, at(20)).outcome is R.FRESH


@pytest.mark.parametrize("in_state", [True, False])
def test_a_pending_question_is_waited_for_again_whether_the_state_knew_it_or_not(in_state: bool) -> None:
    text = payload(pending_question_ids=[uid(3)] if in_state else [], waiting_on_task_ids=[uid(1)])
    back = come_back(saved(text), questions=(question(3),), tasks=(task(1),))
    assert back.outcome is R.QUESTIONS_REDELIVERED
    assert [(item.id, item.text, item.options) for item in back.questions] == [(uid(3), "Which?", ("a", "b"))]
    assert [item.id for item in back.waiting_on] == [uid(1)]


def test_a_question_that_was_answered_meanwhile_is_not_pending() -> None:
    back = come_back(saved(payload(pending_question_ids=[uid(3)])), answered=frozenset({uid(3)}))
    assert (back.outcome, back.questions) == (R.RESUMED, ())


@pytest.mark.parametrize(
    ("states", "outcome", "told"),
    [
        ((TaskState.RUNNING,), R.WAITING_FOR_TASKS, "of 1 tasks waited for, 0 ended"),
        ((TaskState.PENDING, TaskState.COMPLETED), R.WAITING_FOR_TASKS, "of 2 tasks waited for, 1 ended"),
        ((TaskState.COMPLETED, TaskState.FAILED), R.RESUMED, "2 ended meanwhile (1 of them failed)"),
    ],
)
def test_waiting_tasks_are_waited_for_until_all_have_ended(
    states: tuple[TaskState, ...], outcome: RestorationOutcome, told: str
) -> None:
    tasks = tuple(task(number, state) for number, state in enumerate(states, 1))
    back = come_back(saved(payload(waiting_on_task_ids=[item.id for item in tasks])), tasks=tasks)
    assert back.outcome is outcome
    assert told in back.reason
    assert [item.state for item in back.waiting_on] == [state.snake for state in states]
    assert back.waiting_on[0].message == "said"


def test_a_task_that_was_spawned_and_is_not_waited_for_holds_nothing_up() -> None:
    back = come_back(saved(payload(spawned_task_ids=[uid(1)])), tasks=(task(1),))
    assert (back.outcome, back.waiting_on, back.spawned_since) == (R.RESUMED, (), ())


@pytest.mark.parametrize("text", [payload(), "broken", None])
def test_a_task_spawned_after_the_state_was_saved_is_handed_over(text: str | None) -> None:
    back = come_back(None if text is None else saved(text), tasks=(task(1),))
    assert [item.id for item in back.spawned_since] == [uid(1)]
    assert "not to be spawned again" in back.reason


def test_in_the_middle_of_a_tool_call_it_resumes_and_names_the_call() -> None:
    back = come_back(saved(payload(open_tool_call="bash: git push")))
    assert back.outcome is R.RESUMED
    assert "in the middle of a tool call (bash: git push)" in back.reason


def test_a_tool_call_with_a_nul_makes_a_reason_that_postgres_can_store() -> None:
    assert "\0" not in come_back(saved(payload(open_tool_call="a\0b"))).reason


def test_otherwise_it_resumes_with_the_conversation() -> None:
    text = payload(message_sequence=2, agent={"conversation": "c-1"})
    back = come_back(saved(text), messages=(message(2), message(3)), last_message=3, checkpoints=())
    assert (back.outcome, back.message_sequence, back.revision) == (R.RESUMED, 3, 7)
    assert [(item.sequence, item.content) for item in back.messages] == [(2, "say 2"), (3, "say 3")]
    assert back.state is not None
    assert back.state.agent == {"conversation": "c-1"}
    assert back.reason == "state saved at message 2 of 3"


def test_it_is_the_same_on_another_host_and_after_a_clean_shutdown() -> None:
    stopped = saved(payload(state="idle", agent={"host": "elsewhere"}))
    back = come_back(replace(stopped, incarnation=9))
    assert back.outcome is R.RESUMED
    assert back.state is not None
    assert back.state.agent["host"] == "elsewhere"


@given(text=st.text() | st.text(st.characters()).map(lambda text: text + "\ud800"), own=st.booleans())
@example(text="[" * 100_000, own=True)
@example(
    text='{"agent":{"x":1e999,"y":NaN},"state":"working","phase":"plan","saved_at":"2026-01-01T12:00:00Z"}', own=True
)
@example(text='{"saved_at":"9999-12-31T23:59:59.999999Z","state":"idle","phase":"plan"}', own=True)
@example(text='{"saved_at":1e300,"state":"idle","phase":"plan"}', own=True)
@example(text='{"saved_at":"0001-01-01T00:00:00+14:00","state":"idle","phase":"plan"}', own=True)
@example(text='{"schema_version":' + "9" * 5000 + "}", own=True)
def test_no_text_stops_a_restoration(text: str, own: bool) -> None:
    try:
        digest = checksum(text) if own else "0" * 64
    except UnicodeEncodeError:
        digest = "0" * 64
    back = come_back(saved(text, digest=digest), checkpoints=(checkpoint(1, "x"),))
    assert 0 < len(back.reason) <= 1024
    back.model_dump_json()


WORDS = st.sampled_from(["working", "plan", "", "\0", "2026-01-01T12:00:00Z", str(uid(1))])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS, lambda inner: st.lists(inner, max_size=3)
)
FIELDS = st.sampled_from(
    ["state", "phase", "saved_at", "schema_version", "message_sequence", "waiting_on_task_ids", "agent", "error"]
)


@given(changed=st.dictionaries(FIELDS, VALUES, max_size=3))
def test_no_value_of_a_field_stops_a_restoration(changed: dict[str, Any]) -> None:
    back = come_back(saved(payload(**changed)))
    assert back.outcome in {R.FRESH, R.RESUMED}
    back.model_dump_json()
