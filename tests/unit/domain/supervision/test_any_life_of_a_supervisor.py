"""No crash, old copy or sleeping leader makes a second pod of a life, exceeds the budget, or stops for ever."""

from __future__ import annotations

from hypothesis import Phase, seed, settings
from hypothesis.stateful import get_state_machine_test

from makima.domain.reasons import AliveReason
from makima.domain.supervision.pod_demand import PodDemand
from tests.unit.domain.supervision.supervisor_life.machine import SupervisorLife

LIVES = settings(max_examples=60, stateful_step_count=40, deadline=None, database=None, phases=(Phase.generate,))
"""Other lives in each round, the same in every run; more rounds look for what none has come to yet.

A life that breaks a rule is shown as it is: making it shorter takes minutes. Add `Phase.shrink` for that.
"""

MOST_ROUNDS = 8

STEPS = {"WriteStatus", "Allocate", "DeletePod", "CreatePod", "NamePod"}


def unseen() -> set[str]:
    """Steps, reasons and calls that no life has come to."""
    return {*STEPS, *AliveReason, *(demand.name for demand in PodDemand)} - SupervisorLife.reached


def test_no_life_of_a_supervisor_breaks_a_rule_and_each_comes_to_rest() -> None:
    SupervisorLife.reached.clear()
    for number in range(MOST_ROUNDS):
        seed(number)(get_state_machine_test(SupervisorLife, settings=LIVES))()
        if not unseen():
            return
    assert not unseen()
