"""Which state may follow which, and what clients of the plan's three old statuses see."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.states import FINISHED, RUNNING, TRANSITIONS, legacy_status, may_follow
from makima.models.enums import ContractState
from tests.support.api_rules import TABLE

PAIRS = [(old, new) for old in ContractState for new in ContractState]


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_a_state_follows_another_exactly_as_the_design_says(old: ContractState, new: ContractState) -> None:
    allowed = old == new or new.value in TABLE[old.value].split()
    assert may_follow(old, new) is allowed


def test_every_state_has_a_row_and_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(ContractState)
    reached, front = {ContractState.CREATED}, {ContractState.CREATED}
    while front:
        front = {new for old in front for new in TRANSITIONS[old]} - reached
        reached |= front
    assert reached == set(ContractState)


def test_nothing_follows_archived_and_everything_else_can_end() -> None:
    assert not TRANSITIONS[ContractState.ARCHIVED]
    assert all(TRANSITIONS[state] for state in ContractState if state is not ContractState.ARCHIVED)


def test_no_state_is_both_running_and_finished() -> None:
    assert not RUNNING & FINISHED


@pytest.mark.parametrize(
    ("state", "old"),
    [
        ("Created", "active"),
        ("Active", "active"),
        ("WaitingForInput", "active"),
        ("Paused", "active"),
        ("Blocked", "active"),
        ("Completing", "active"),
        ("Completed", "completed"),
        ("Failed", "completed"),
        ("Archived", "archived"),
    ],
)
def test_old_clients_see_one_of_three_statuses(state: str, old: str) -> None:
    assert legacy_status(ContractState(state)).snake == old


def test_there_are_nine_states() -> None:
    assert len(list(ContractState)) == len(TABLE) == 9
