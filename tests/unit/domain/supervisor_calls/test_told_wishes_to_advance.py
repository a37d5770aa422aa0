"""A supervisor asks to advance: moved in one write, or answered with the reason."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.decision import Decision
from makima.domain.reconcile.validation import Verdict
from makima.domain.supervisor_calls.told import (
    AdvanceAnswer,
    Caller,
)
from makima.models.contract import Contract
from makima.models.enums import AdvanceOutcome, ContractState
from tests.support.builders import (
    SUPERVISOR_UID,
    a_gate,
    a_phase,
    a_validator,
    active,
    advancing,
    an_id,
    around,
    at,
    driven,
    status_of,
    two_phases,
    wanting,
    with_status,
)
from tests.support.told_values import (
    NOW,
    by_hand,
    deliver,
    move,
    new_status,
    outcome,
    spawn,
    tell,
)


def test_an_unguarded_wish_moves_on_when_the_gate_is_ready() -> None:
    contract = by_hand()
    version = status_of(contract).version
    decision = tell(contract, move("execute", version))
    told = f"plan → execute at version {version + 1}"
    assert outcome(decision) == AdvanceAnswer(AdvanceOutcome.SUCCESS, "execute", version + 1, told)
    last = new_status(decision).transitions[-1]
    assert (last.reason, last.actor, last.message) == ("Advanced", "supervisor/3", "plan → execute: it is done")


def answer_of(decision: Decision) -> AdvanceAnswer:
    found = decision.told[-1]
    assert isinstance(found, AdvanceAnswer)
    return found


def test_a_wish_made_again_after_its_answer_was_lost_gets_the_same_answer() -> None:
    contract = by_hand()
    version = status_of(contract).version
    moved = with_status(contract, **dict(new_status(tell(contract, move("execute", version)))))
    again = answer_of(tell(moved, move("execute", version)))
    assert (again.outcome, again.phase, again.version) == ("Success", "execute", version + 1)
    other = answer_of(tell(moved, move("execute", version, Caller("work", SUPERVISOR_UID, 4))))
    assert other.outcome == "VersionConflict"


def test_a_wish_for_the_end_completes_and_is_recognised_too() -> None:
    contract = active(a_phase("plan", "a"))
    version = status_of(contract).version
    decision = tell(contract, move("Completed", version))
    assert new_status(decision).state is ContractState.COMPLETING
    done = driven(with_status(contract, **dict(new_status(decision))), around(NOW))
    assert answer_of(tell(done, move("Completed", version))).outcome == "Success"


@pytest.mark.parametrize(
    ("contract", "to", "expected", "told"),
    [
        (by_hand(), "execute", "VersionConflict", "expected 1, actual 2, phase plan"),
        (by_hand(), "review", "ValidationFailed", "from plan the contract moves to execute"),
        (active(*two_phases()), "execute", "ValidationFailed", "the gate is not ready"),
        (by_hand(phase_guard=True), "execute", "RequiresConfirmation", "spec.advance.confirmed"),
        (wanting(by_hand(), suspend=True), "execute", "ValidationFailed", "suspended"),
    ],
)
def test_a_wish_that_can_not_be_met_is_answered_with_the_reason(
    contract: Contract, to: str, expected: str, told: str
) -> None:
    version = status_of(contract).version - (expected == "VersionConflict")
    answer = answer_of(tell(contract, move(to, version)))
    assert answer.outcome == expected
    assert told in answer.message
    assert (answer.phase, answer.version) == ("plan", status_of(contract).version)


def test_what_the_gate_misses_and_what_a_person_has_to_see_come_with_the_answer() -> None:
    missing = answer_of(tell(active(*two_phases()), move("execute", 2)))
    assert missing.missing == ("Deliverable: plan-document",)
    guarded = answer_of(tell(by_hand(phase_guard=True), move("execute", 2)))
    assert guarded.deliverables == ("a (open)",)


def test_two_wishes_in_one_call_move_one_phase() -> None:
    contract = active(a_phase("p"), a_phase("q"), a_phase("r"))
    decision = tell(contract, move("q", 2), move("r", 2))
    assert new_status(decision).phase == "q"
    assert answer_of(decision).outcome == "VersionConflict"


def test_a_wish_of_the_supervisor_and_one_of_a_person_move_one_phase() -> None:
    contract = advancing(active(a_phase("p"), a_phase("q"), a_phase("r")), "q")
    decision = tell(contract, move("q", 2))
    assert (new_status(decision).phase, new_status(decision).version) == ("q", 3)


def test_under_a_guard_a_wish_that_comes_with_a_deliverable_is_asked_again() -> None:
    decision = tell(by_hand(phase_guard=True), deliver("plan", "a"), move("execute", 2))
    assert answer_of(decision).outcome == "VersionConflict"
    assert new_status(decision).phase == "plan"


VALIDATED = a_gate(validator=a_validator(retry_seconds=60), auto=False)


def test_a_wish_waits_for_the_validator_and_moves_with_its_yes() -> None:
    contract = active(a_phase("plan", gate=VALIDATED), a_phase("execute"))
    first = answer_of(tell(contract, move("execute", 2)))
    assert first.outcome == "ValidationFailed"
    assert first.awaits is not None
    verdict = Verdict(first.awaits.fingerprint, at(NOW), ready=True)
    assert answer_of(tell(contract, move("execute", 2), verdict=verdict)).outcome == "Success"


def test_reports_are_written_though_a_validator_is_still_open() -> None:
    gate = a_gate(validator=a_validator(retry_seconds=60))
    contract = active(a_phase("plan", gate=gate), a_phase("execute"))
    decision = tell(contract, spawn(1))
    assert [task.id for task in new_status(decision).tasks] == [an_id(1)]
    assert decision.question is None


def test_reports_do_not_wait_for_the_validator_of_a_persons_request() -> None:
    contract = advancing(active(a_phase("plan", "a", gate=VALIDATED), a_phase("execute")), "execute")
    contract = with_status(driven(contract, around(5)), tasks=())
    assert [task.id for task in new_status(tell(contract, spawn(1))).tasks] == [an_id(1)]
