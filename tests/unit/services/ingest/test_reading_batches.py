"""Batches are read in one go where every entry is right, and entry by entry where one is not: with the same outcome."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from makima.models.enums import SupervisorState
from makima.models.wire.heartbeat import BATCH, Heartbeat, WholeHeartbeat
from makima.services.ingest.heartbeat_reading import read_batch, read_frame

ONE = "7d1d1fd6-3c1c-4a52-9d4a-0b6f8a4f2c11"

LEAST = {
    "contract_id": ONE,
    "task_id": ONE,
    "incarnation": 1,
    "sequence": 1,
    "state": "working",
    "phase": "plan",
}

RIGHT: list[dict[str, Any]] = [
    {},
    {"current_activity": 'reads "ü", line\n and tab\t', "progress": 100},
    {"current_activity": "x" * 1024, "pending_task_ids": [ONE], "acknowledged": [ONE] * 64},
    {"timestamp": "2026-11-26T12:00:00+01:00", "sequence": 2**53, "phase": "a" * 63},
    {"timestamp": None, "contract_id": UUID(ONE).hex, "unheard-of": [1]},
    *({"state": state.snake} for state in SupervisorState),
]

WRONG: list[dict[str, Any]] = [
    {"contract_id": "none"},
    {"task_id": None},
    {"incarnation": 0},
    {"incarnation": 1.5},
    {"incarnation": True},
    {"incarnation": "1"},
    {"sequence": 2**53 + 1},
    {"state": "Working"},
    {"state": "working\n"},
    {"state": 3},
    {"phase": ""},
    {"phase": "Plan"},
    {"current_activity": "x" * 1025},
    {"current_activity": "nul \0"},
    {"current_activity": None},
    {"progress": 101},
    {"progress": -1},
    {"progress": "40"},
    {"pending_task_ids": ["none"]},
    {"acknowledged": [ONE] * 65},
    {"timestamp": "2026-11-26T12:00:00"},
]


def body(*changes: dict[str, Any], **more: Any) -> str:
    return json.dumps({**more, "heartbeats": [{**LEAST, **change} for change in changes]})


def test_it_has_the_fields_of_a_heartbeat() -> None:
    assert WholeHeartbeat.__annotations__.keys() == Heartbeat.model_fields.keys()


@pytest.mark.parametrize("change", RIGHT, ids=repr)
def test_what_a_heartbeat_takes_is_read_in_one_go_with_the_same_values(change: dict[str, Any]) -> None:
    (whole,) = read_batch(body(change)).whole
    expected = Heartbeat.model_validate_json(json.dumps({**LEAST, **change})).__dict__
    assert {**whole, "state": SupervisorState.from_snake(whole["state"])} == expected


@pytest.mark.parametrize("change", WRONG, ids=repr)
def test_what_a_heartbeat_refuses_is_left_to_be_named(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Heartbeat.model_validate(json.loads(body(change))["heartbeats"][0])
    for entries in (read_batch(body({}, change)), read_frame(body({}, change, frame=7))[1]):
        assert not entries.whole
        assert entries.unread == ({**LEAST}, {**LEAST, **change})


def test_a_frame_comes_with_its_number() -> None:
    number, entries = read_frame(body({}, {}, frame=7))
    assert (number, len(entries.whole)) == (7, 2)


@pytest.mark.parametrize("text", [body(), body(*[{}] * (BATCH + 1)), "[]", "{", '{"heartbeats": [1]}'], ids=range(5))
def test_what_is_no_batch_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(ValidationError):
        read_batch(text)
