"""Filters of the live monitor: what passes, and that the index finds exactly those whose filter passes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from makima.domain.monitor.filters import Audiences, Interest, interest
from makima.domain.monitor.frames import Subject
from makima.models.enums import ContractState
from makima.models.wire.monitor import MonitorFilter

IDS = [UUID(int=number) for number in range(4)]
SPACES = ["team-a", "team-b", "team-c"]
STATES = [state.snake for state in ContractState][:4]
TYPES = ["StatusChanged", "StaleDetected", "Heartbeat", "TaskCompleted", "ContractCreated"]


def subject(**changes: Any) -> Subject:
    fields = {"type": "TaskCompleted", "contract_id": IDS[0], "namespace": "team-a", "statuses": frozenset({"active"})}
    return Subject(**{**fields, **changes})


PASSES: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("everything by default", {}, {}, True),
    ("no heartbeats by default", {}, {"type": "Heartbeat"}, False),
    ("heartbeats where asked for", {"include_heartbeats": True}, {"type": "Heartbeat"}, True),
    ("staleness by default", {}, {"type": "StaleDetected"}, True),
    ("no staleness where not wanted", {"include_stale": False}, {"type": "StaleDetected"}, False),
    ("a contract that is named", {"contract_ids": IDS[:2]}, {}, True),
    ("another contract", {"contract_ids": IDS[1:]}, {}, False),
    ("a state that is named", {"statuses": ["active", "failed"]}, {}, True),
    ("another state", {"statuses": ["failed"]}, {}, False),
    ("the state in the other spelling", {"statuses": ["Active"]}, {}, True),
    ("a change from the state", {"statuses": ["active"]}, {"statuses": frozenset({"active", "failed"})}, True),
    ("a state that nobody knows", {"statuses": ["failed"]}, {"statuses": frozenset()}, True),
    ("both named, one wrong", {"contract_ids": IDS[:1], "statuses": ["failed"]}, {}, False),
]


@pytest.mark.parametrize(("wanted", "about", "passes"), [row[1:] for row in PASSES], ids=[row[0] for row in PASSES])
def test_a_filter_passes(wanted: dict[str, Any], about: dict[str, Any], passes: bool) -> None:
    assert interest(MonitorFilter(**wanted), None).admits(subject(**about)) is passes


def test_nothing_passes_of_a_namespace_that_is_not_seen() -> None:
    assert not interest(MonitorFilter(), frozenset({"team-b"})).admits(subject())
    assert not interest(MonitorFilter(), frozenset()).admits(subject())


def test_without_the_nine_states_a_filter_is_about_the_three_old_ones() -> None:
    wanted = interest(MonitorFilter(statuses=("paused",)), None, enhanced=False)
    assert wanted.statuses == {"active"}


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown name", {"contract_id": "x"}, "contract_id"),
    ("no UUID", {"contract_ids": ["x"]}, "contract_ids.0"),
    ("too many ids", {"contract_ids": [str(UUID(int=n)) for n in range(501)]}, "contract_ids"),
    ("an unknown state", {"statuses": ["sleeping"]}, "statuses.0"),
    ("too many states", {"statuses": ["active"] * 17}, "statuses"),
    ("no namespace's name", {"namespaces": ["Team A"]}, "namespaces.0"),
    ("too many namespaces", {"namespaces": ["a"] * 101}, "namespaces"),
    ("no boolean", {"include_stale": "yes"}, "include_stale"),
    ("no number", {"after": "7"}, "after"),
    ("a number below zero", {"after": -1}, "after"),
    ("a number too large", {"after": 2**60}, "after"),
]


@pytest.mark.parametrize(("wanted", "field"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_filter_names_its_field(wanted: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MonitorFilter.model_validate(wanted)
    assert ".".join(map(str, refused.value.errors()[0]["loc"])) == field


interests = st.builds(
    Interest,
    st.none() | st.frozensets(st.sampled_from(SPACES)),
    st.frozensets(st.sampled_from(IDS)),
    st.frozensets(st.sampled_from(STATES)),
    st.booleans(),
    st.booleans(),
)
subjects = st.builds(
    Subject,
    st.sampled_from(TYPES),
    st.sampled_from(IDS),
    st.sampled_from(SPACES),
    st.frozensets(st.sampled_from(STATES), max_size=2),
)
moves = st.lists(st.tuples(st.integers(0, 5), st.none() | interests), max_size=30)


@given(moves, st.lists(subjects, min_size=1, max_size=10))
def test_the_index_finds_exactly_those_whose_filter_passes(
    changes: list[tuple[int, Interest | None]], about: list[Subject]
) -> None:
    index, known = Audiences[int](), dict[int, Interest]()
    for member, wanted in changes:
        if wanted is None:
            index.drop(member)
            known.pop(member, None)
        else:
            index.place(member, wanted)
            known[member] = wanted
    for one in about:
        assert sorted(index.takers(one)) == sorted(member for member, wanted in known.items() if wanted.admits(one))
    assert len(index) == len(known)
    for contract_id in IDS:
        beats = [Subject("Heartbeat", contract_id, namespace, frozenset()) for namespace in SPACES]
        assert index.may_hear(contract_id) or not any(list(index.takers(one)) for one in beats)
    assert index.want_heartbeats is any(wanted.include_heartbeats for wanted in known.values())


@given(st.lists(interests, max_size=10))
def test_an_index_that_everybody_left_keeps_nothing(wanted: list[Interest]) -> None:
    index = Audiences[int]()
    for member, one in enumerate(wanted):
        index.place(member, one)
    for member in range(len(wanted)):
        index.drop(member)
    assert not any((index._all, index._of, index._by_contract, index._by_namespace, index._rest, index._hearing_of))
    assert not index.may_hear(IDS[0])
