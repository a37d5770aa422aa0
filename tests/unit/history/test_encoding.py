"""Whatever people and agents write becomes JSON that Postgres takes, or is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.adapters.postgres.encoding import encode, to_json
from makima.models.history import HistoryBatch, transition_event_id
from tests.support.history_values import contract, event, task

UID = UUID("7d9d3c1e-6f3d-4f3e-9a51-0c5f7f3f0a11")


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "a\udfffb"], ids=["NUL", "high surrogate", "low surrogate"])  # noqa: PT014
def test_what_postgres_cannot_store_becomes_a_replacement_character(text: str) -> None:
    assert json.loads(to_json({"text": text})) == {"text": "a\ufffdb"}


def test_a_key_with_a_nul_is_cleaned_too() -> None:
    assert json.loads(to_json({"deep": [{"a\x00": 1}]})) == {"deep": [{"a\ufffd": 1}]}


def test_text_that_only_looks_like_an_escaped_nul_stays() -> None:
    assert json.loads(to_json({"text": r"\u0000"})) == {"text": r"\u0000"}


@pytest.mark.parametrize(("number", "text"), [(float("nan"), "nan"), (float("inf"), "inf")])
def test_numbers_that_json_does_not_have_become_text(number: float, text: str) -> None:
    assert json.loads(to_json({"n": number})) == {"n": text}


def test_times_and_ids_become_text() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert json.loads(to_json({"at": moment, "id": UID})) == {"at": str(moment), "id": str(UID)}


@given(st.dictionaries(st.text(), st.recursive(st.text() | st.floats() | st.integers(), st.lists, max_leaves=5)))
def test_no_value_makes_json_that_postgres_would_refuse(value: dict[str, Any]) -> None:
    text = to_json(value)
    text.encode()
    assert "\x00" not in str(json.loads(text, parse_constant=pytest.fail))


def test_a_value_that_contains_itself_is_refused_by_name_and_the_rest_goes_on() -> None:
    endless: dict[str, Any] = {}
    endless["self"] = endless
    encoded, refused = encode(HistoryBatch(events=(event(UID, 1, payload=endless), event(UID, 2))))
    assert [entry.id for entry in encoded.events] == [transition_event_id(UID, 2)]
    assert "PhaseAdvanced version 1 of team-a/move-invoices" in refused[0].entry


def test_an_unreadable_resource_version_is_refused_by_name() -> None:
    rows = (contract(UID), replace(contract(name="odd"), resource_version="abc"))
    encoded, refused = encode(HistoryBatch(rows=rows))
    assert [row.id for row in encoded.rows] == [UID]
    assert "odd" in refused[0].entry


def test_an_unknown_task_state_is_refused() -> None:
    _, refused = encode(HistoryBatch(tasks=(task(UID, "exploded"),)))
    assert "exploded" in refused[0].reason


def test_of_several_rows_of_a_contract_the_newest_is_kept() -> None:
    rows = (contract(UID, 2, 100), contract(UID, 2, 99), contract(UID, 1, 1000))
    encoded, _ = encode(HistoryBatch(rows=rows))
    assert [json.loads(row.json)["resource_version"] for row in encoded.rows] == [100]


def test_resource_versions_are_compared_as_numbers() -> None:
    encoded, _ = encode(HistoryBatch(rows=(contract(UID, 1, 99), contract(UID, 1, 100))))
    assert json.loads(encoded.rows[0].json)["resource_version"] == 100


def test_rows_are_in_the_order_of_their_locks_and_events_in_their_own() -> None:
    uids = [uuid4() for _ in range(5)]
    batch = HistoryBatch(tuple(contract(uid) for uid in uids), tuple(event(uid, 1) for uid in uids))
    encoded, _ = encode(batch)
    assert [row.id for row in encoded.rows] == sorted(uids)
    assert [found.id for found in encoded.events] == [transition_event_id(uid, 1) for uid in uids]


def test_of_several_ends_of_a_task_the_first_is_kept() -> None:
    running = task(UID)
    states = ("running", "failed", "completed")
    encoded, _ = encode(HistoryBatch(tasks=tuple(task(UID, state, id=running.id) for state in states)))
    assert [json.loads(entry.json)["state"] for entry in encoded.tasks] == ["failed"]


def test_halves_keep_every_entry_once_and_in_order() -> None:
    uids = [uuid4() for _ in range(3)]
    batch = HistoryBatch(tuple(contract(u) for u in uids), tuple(event(u, 1) for u in uids), (task(uids[0]),))
    encoded, _ = encode(batch)
    first, second = encoded.halves()
    assert first.labels() + second.labels() == encoded.labels()
    assert 0 < len(first) < len(encoded)
