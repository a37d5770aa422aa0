"""No sequence of operations reaches a state outside the table, skips a phase, or loses a deliverable or a version."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from makima.domain.reasons import TransitionReason
from makima.domain.states import TRANSITIONS
from makima.models.enums import ContractState
from tests.unit.domain.contract_life import ContractLife

FIXED = settings(max_examples=150, stateful_step_count=40, derandomize=True, deadline=None, database=None)
"""The same lives in every run; raise max_examples and drop derandomize to look for new ones."""


def test_no_life_of_a_contract_breaks_a_rule_and_together_they_see_every_state() -> None:
    ContractLife.reached.clear()
    run_state_machine_as_test(ContractLife, settings=FIXED)
    seen = ContractLife.reached
    assert {state.value for state in ContractState} <= seen
    assert {reason.value for reason in TransitionReason} <= seen
    moves = {f"{old} → {new}" for old, row in TRANSITIONS.items() for new in row}
    assert len(moves & seen) >= len(moves) * 3 // 4, sorted(moves - seen)
