"""No sequence of operations reaches a state outside the table, skips a phase, or loses a deliverable or a version."""

from __future__ import annotations

from hypothesis import seed, settings
from hypothesis.stateful import get_state_machine_test

from makima.domain.reasons import TransitionReason
from makima.domain.reconcile.states import TRANSITIONS
from makima.models.enums import ContractState
from tests.unit.domain.reconcile.contract_life.machine import ContractLife

LIVES = settings(max_examples=60, stateful_step_count=40, deadline=None, database=None)
"""Other lives in each round, the same in every run; more rounds look for new ones."""

FEWEST_ROUNDS, MOST_ROUNDS = 3, 12


def unseen() -> list[str]:
    """States, reasons and (up to a quarter) moves that no life has come to yet."""
    wanted = [*ContractState, *TransitionReason]
    missing = [word.value for word in wanted if word.value not in ContractLife.reached]
    moves = {f"{old} → {new}" for old, row in TRANSITIONS.items() for new in row}
    rare = sorted(moves - ContractLife.reached)
    return [*missing, *(rare if len(rare) > len(moves) // 4 else ())]


def test_no_life_of_a_contract_breaks_a_rule_and_together_they_see_every_state() -> None:
    ContractLife.reached.clear()
    for number in range(MOST_ROUNDS):
        seed(number)(get_state_machine_test(ContractLife, settings=LIVES))()
        if number + 1 >= FEWEST_ROUNDS and not unseen():
            return
    assert not unseen()
