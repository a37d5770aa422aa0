"""What is read from outside: words in two spellings, managed fields of any shape, whole objects."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makima.domain.reconcile.field_owners import advance_owner, deliverable_owners, read_owners
from makima.models import enums
from makima.models.contract import Contract
from makima.models.enums import ContractState, Word
from tests.support.builders import (
    START,
    a_contract,
    a_question,
    a_task,
    accepted,
    advancing,
    around,
    driven,
    reporting,
    status_of,
    with_questions,
    with_status,
    with_tasks,
)

WORDS: list[Word] = [
    member
    for kind in vars(enums).values()
    if isinstance(kind, type) and issubclass(kind, Word) and kind is not Word
    for member in kind
]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{type(word).__name__}.{word}")
def test_every_word_has_two_spellings_and_is_read_back_from_either(word: Word) -> None:
    kind = type(word)
    assert word.snake == word.snake.lower()
    assert kind.from_snake(word.snake) is word
    assert kind(word.value) is word


def test_waiting_for_input_is_spelled_as_the_plan_does() -> None:
    assert ContractState.WAITING_FOR_INPUT.snake == "waiting_for_input"


@given(st.text(max_size=20))
def test_no_other_word_is_read(text: str) -> None:
    if text in {state.snake for state in ContractState}:
        return
    with pytest.raises(ValueError, match="is none of created, active"):
        ContractState.from_snake(text)


# Managed fields

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.one_of(
    st.text(max_size=12),
    st.text(max_size=12).map("k:".__add__),
    ANYTHING.map(json.dumps).map("k:".__add__),
    st.fixed_dictionaries({"phase": ANYTHING, "id": ANYTHING}).map(json.dumps).map("k:".__add__),
)
DELIVERABLES = st.one_of(ANYTHING, st.dictionaries(KEYS, ANYTHING, max_size=4))
SPECS = st.one_of(
    ANYTHING,
    st.fixed_dictionaries({"f:deliverables": DELIVERABLES}),
    st.fixed_dictionaries({"f:advance": ANYTHING, "f:deliverables": DELIVERABLES}),
)
FIELDS = st.one_of(ANYTHING, st.fixed_dictionaries({"f:spec": SPECS}))
ENTRIES = st.one_of(
    st.dictionaries(st.text(max_size=8), ANYTHING, max_size=3),
    st.fixed_dictionaries({"manager": ANYTHING, "fieldsV1": FIELDS}),
    st.fixed_dictionaries({"fieldsV1": FIELDS}),
)


@given(st.lists(ENTRIES, max_size=4))
def test_what_is_kept_of_managed_fields_says_as_much_as_all_of_them(entries: list[dict[str, Any]]) -> None:
    kept = read_owners(entries)
    assert deliverable_owners(kept) == deliverable_owners(entries)
    assert advance_owner(kept) == advance_owner(entries)


def test_owners_of_the_status_are_not_kept() -> None:
    written = {"manager": "makima-operator", "subresource": "status", "fieldsV1": {"f:status": {"f:state": {}}}}
    asked = {"manager": "ann", "time": "t", "fieldsV1": {"f:spec": {"f:advance": {"f:to": {}}, "f:suspend": {}}}}
    fields = {"f:spec": {"f:advance": {"f:to": {}}}}
    assert read_owners([written, asked]) == [{"manager": "ann", "time": "t", "fieldsV1": fields}]


@given(st.lists(ENTRIES, max_size=4))
def test_managed_fields_of_any_shape_are_read_without_an_error(entries: list[dict[str, Any]]) -> None:
    for (phase, identifier), owner in deliverable_owners(entries).items():
        assert isinstance(phase, str)
        assert isinstance(identifier, str)
        assert len(owner) <= 253


def an_entry(manager: str, *names: str) -> dict[str, Any]:
    keys = [dict(zip(("phase", "id"), name.split("/"), strict=True)) for name in names]
    fields = {f"k:{json.dumps(key, sort_keys=True)}": {".": {}} for key in keys}
    return {"manager": manager, "fieldsV1": {"f:spec": {"f:deliverables": {".": {}, **fields}}}}


def test_each_entry_of_the_list_has_its_own_owner() -> None:
    owners = deliverable_owners([an_entry("ann", "plan/a", "plan/b"), an_entry("bob", "execute/a")])
    assert owners == {("plan", "a"): "ann", ("plan", "b"): "ann", ("execute", "a"): "bob"}


def test_of_two_owners_the_first_on_record_is_named() -> None:
    assert deliverable_owners([an_entry("ann", "plan/a"), an_entry("bob", "plan/a")]) == {("plan", "a"): "ann"}


def test_who_owns_other_fields_owns_no_deliverable() -> None:
    assert deliverable_owners([{"manager": "ann", "fieldsV1": {"f:spec": {"f:suspend": {}}}}, {}]) == {}


# Whole objects


def full_contract() -> Contract:
    contract = reporting(accepted(), "plan/plan-document")
    contract = with_questions(with_tasks(contract, a_task(1)), a_question(2))
    return driven(advancing(contract, "execute", version=1), around(5))


def body_of(contract: Contract) -> dict[str, Any]:
    return contract.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"early_conditions"})


@pytest.mark.parametrize("make", [a_contract, accepted, full_contract])
def test_a_contract_is_read_back_as_it_was_written(make: Any) -> None:
    contract = make()
    assert Contract.from_object(json.loads(json.dumps(body_of(contract)))) == contract


TIMES = st.integers(0, 80 * 365 * 86_400_000_000).map(lambda micros: START + timedelta(microseconds=micros))
TEXT = st.text(max_size=200).filter(lambda text: all(not "\ud800" <= char <= "\udfff" for char in text))


@given(at=TIMES, idle=st.integers(0, 10**9), description=TEXT, reason=TEXT, version=st.integers(1, 10**9))
def test_times_texts_and_numbers_survive_the_way_through_json(
    at: datetime, idle: int, description: str, reason: str, version: int
) -> None:
    contract = a_contract(description=description, suspend_reason=reason)
    base = status_of(accepted())
    contract = contract.model_copy(update={"status": base})
    contract = with_status(
        contract,
        last_activity_time=at,
        state_changed_time=at + timedelta(microseconds=1),
        paused_seconds=idle,
        version=version,
    )
    assert Contract.from_object(json.loads(json.dumps(body_of(contract)))) == contract


def test_a_status_with_conditions_only_is_one_of_a_contract_that_is_not_accepted() -> None:
    contract = driven(a_contract(type="unknown"), around(0))
    body = body_of(contract)
    body["status"] = {"conditions": [item.model_dump(mode="json", by_alias=True) for item in contract.early_conditions]}
    again = Contract.from_object(body)
    assert (again.status, again.early_conditions) == (None, contract.early_conditions)


@pytest.mark.parametrize("status", [None, {}, {"observedGeneration": 3}, {"state": ""}])
def test_an_empty_status_is_none(status: dict[str, Any] | None) -> None:
    body = {**body_of(a_contract()), "status": status}
    assert Contract.from_object(body).status is None


def test_unknown_fields_are_ignored_as_the_api_server_prunes_them() -> None:
    body = body_of(accepted())
    body["spec"]["later"] = body["status"]["later"] = {"field": 1}
    assert Contract.from_object(body) == accepted()


@pytest.mark.parametrize(
    "change", [{"state": "Confused"}, {"version": 0}, {"phases": []}, {"lastActivityTime": "soon"}]
)
def test_a_status_edited_into_nonsense_is_an_error_and_never_a_guess(change: dict[str, Any]) -> None:
    body = body_of(accepted())
    with pytest.raises(ValueError, match="validation error"):
        Contract.from_object({**body, "status": {**body["status"], **change}})


def managed(manager: str, time: str, *fields: str) -> dict[str, Any]:
    return {"manager": manager, "time": time, "fieldsV1": {"f:spec": {field: {"f:to": {}} for field in fields}}}


@pytest.mark.parametrize(
    ("entries", "owner"),
    [
        ([], None),
        ([managed("kubectl-patch", "2026-01-01T00:00:00Z", "f:suspend")], None),
        ([managed("kubectl-patch", "2026-01-01T00:00:00Z", "f:advance")], "kubectl-patch"),
        (
            [
                managed("makima-cli", "2026-01-02T00:00:00Z", "f:advance"),
                managed("kubectl-patch", "2026-01-01T00:00:00Z", "f:advance"),
            ],
            "makima-cli",
        ),
        ([{"manager": None, "fieldsV1": {"f:spec": {"f:advance": {".": {}}}}}], None),
        ([{"manager": "x", "fieldsV1": "nonsense"}], None),
    ],
)
def test_who_asked_for_a_move_is_whoever_wrote_the_request_last(
    entries: list[dict[str, Any]], owner: str | None
) -> None:
    assert advance_owner(entries) == owner
