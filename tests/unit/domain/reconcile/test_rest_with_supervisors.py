"""Where a contract rests by what its supervisor says, and by what it no longer can say."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.rest import SUPERVISOR_WAITS
from makima.models.condition import Condition
from makima.models.contract import Contract
from makima.models.enums import ConditionStatus, ContractState, SupervisorState
from makima.models.supervisor import Supervisor
from tests.support.builders import (
    START,
    a_phase,
    a_question,
    a_supervisor,
    active,
    advancing,
    answering,
    around,
    driven,
    status_of,
    wanting,
    with_questions,
)

S, C = SupervisorState, ContractState


def saying(state: S | None, *, alive: str | None = None, error: str | None = None) -> Supervisor:
    conditions = ()
    if alive is not None:
        found = ConditionStatus.TRUE if alive == "Heartbeating" else ConditionStatus.FALSE
        condition = Condition(
            type="Alive", status=found, reason=alive, message="-", observed_generation=1, last_transition_time=START
        )
        conditions = (condition,)
    return a_supervisor(state, incarnation=1, error_message=error, conditions=conditions)


def by_hand() -> Contract:
    return active(a_phase("plan", "a"), a_phase("execute", "b"))


def after(contract: Contract, *supervisors: Supervisor) -> Contract:
    """The contract after its supervisor was seen like this, one after the other."""
    for number, supervisor in enumerate(supervisors):
        contract = driven(contract, around(10 + number, supervisor=supervisor))
    return contract


WAITS = saying(S.WAITING_FOR_USER, alive="Heartbeating")
BLOCKED = saying(S.BLOCKED, alive="Heartbeating", error="no credentials")
INTERRUPTED = saying(S.INTERRUPTED, alive="TimedOut")
COMING_BACK = saying(S.INITIALIZING, alive="Starting")
RELEASED = saying(S.WAITING_FOR_USER, alive="Released")
WORKS = saying(S.WORKING, alive="Heartbeating")

TABLE: dict[str, tuple[tuple[Supervisor, ...], C, str | None]] = {
    "works": ((WORKS,), C.ACTIVE, None),
    "waits for tasks": ((saying(S.WAITING_FOR_TASKS),), C.ACTIVE, None),
    "waits": ((WAITS,), C.WAITING_FOR_INPUT, SUPERVISOR_WAITS),
    "blocked": ((BLOCKED,), C.BLOCKED, "no credentials"),
    "blocked without a word": ((saying(S.BLOCKED),), C.BLOCKED, "its supervisor is blocked"),
    "dies while it works": ((WORKS, INTERRUPTED), C.ACTIVE, None),
    "dies while it waits": ((WAITS, INTERRUPTED), C.WAITING_FOR_INPUT, SUPERVISOR_WAITS),
    "dies while blocked": ((BLOCKED, INTERRUPTED), C.BLOCKED, "no credentials"),
    "comes back to waiting": ((WAITS, INTERRUPTED, COMING_BACK, WAITS), C.WAITING_FOR_INPUT, SUPERVISOR_WAITS),
    "comes back to work": ((WAITS, INTERRUPTED, COMING_BACK, WORKS), C.ACTIVE, None),
    "is unblocked by a restart": ((BLOCKED, INTERRUPTED, COMING_BACK, WORKS), C.ACTIVE, None),
    "is let go while it waits": ((WAITS, RELEASED), C.WAITING_FOR_INPUT, SUPERVISOR_WAITS),
    "waits and works again": ((WAITS, WORKS), C.ACTIVE, None),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_contract_rests_where_its_supervisor_left_it(name: str) -> None:
    supervisors, state, told = TABLE[name]
    status = status_of(after(by_hand(), *supervisors))
    assert (status.state, status.waiting_for or status.blocked_reason) == (state, told)


def test_dying_and_coming_back_makes_no_version() -> None:
    contract = after(by_hand(), WAITS)
    version = status_of(contract).version
    assert status_of(after(contract, INTERRUPTED, COMING_BACK, WAITS)).version == version


@pytest.mark.parametrize("supervisor", [RELEASED, INTERRUPTED, COMING_BACK])
def test_an_answer_ends_the_wait_of_a_supervisor_that_can_not_say_so_itself(supervisor: Supervisor) -> None:
    """Else a pod that was released would never come back: nobody would call it."""
    contract = after(with_questions(by_hand(), a_question(1)), WAITS, supervisor)
    assert status_of(contract).waiting_for == "answer: Which branch?"
    assert status_of(after(answering(contract, a_question(1).id), supervisor)).state is C.ACTIVE


def test_a_move_ends_the_wait_of_a_supervisor_that_was_let_go() -> None:
    contract = after(by_hand(), WAITS, RELEASED)
    contract = after(advancing(contract, "execute"), RELEASED)
    assert (status_of(contract).phase, status_of(contract).state) == ("execute", C.ACTIVE)


def test_a_pause_forgets_what_a_supervisor_that_is_gone_was_waiting_for() -> None:
    contract = after(wanting(after(by_hand(), WAITS), suspend=True), RELEASED)
    assert status_of(contract).state is C.PAUSED
    assert status_of(after(wanting(contract, suspend=False), RELEASED)).state is C.ACTIVE
