"""spec.advance: what becomes of it, where that is told, and how long it stays open."""

from __future__ import annotations

import pytest

from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.contract_status import AdvanceStatus
from makima.models.enums import ContractState, SupervisorState
from makima.models.gate import Gate
from tests.support.builders import (
    a_gate,
    a_phase,
    a_question,
    a_supervisor,
    a_task,
    a_validator,
    accepted,
    active,
    advancing,
    all_tasks,
    around,
    at,
    drive,
    driven,
    failing,
    notices_of,
    reporting,
    says,
    status_of,
    two_phases,
    wanting,
    with_questions,
    with_tasks,
    writes_of,
)

BY_HAND = two_phases(a_gate(auto=False))


def told(contract: Contract) -> AdvanceStatus:
    advance = status_of(contract).advance
    assert advance is not None
    return advance


def ready(*, guard: bool = False) -> Contract:
    """Active in plan, everything there, and nothing moves it by itself."""
    return driven(reporting(active(*BY_HAND, phase_guard=guard), "plan/plan-document"), around(5))


def test_a_request_moves_the_contract_in_one_write() -> None:
    contract = ready()
    version = status_of(contract).version
    contract, decisions = drive(advancing(contract, "execute", reason="looks good"), around(10))
    status = status_of(contract)
    assert (status.phase, status.version, status.phase_progress) == ("execute", version + 1, "2/2")
    assert (told(contract).outcome, told(contract).to, told(contract).expected_version) == (
        "Success",
        "execute",
        version,
    )
    assert len(writes_of(decisions)) == 1
    assert (status.transitions[-1].reason, status.transitions[-1].message) == (
        "Advanced",
        "plan → execute: looks good",
    )
    assert status.phase_start_time == status.last_activity_time == at(10)
    assert notices_of(decisions) == ["PhaseAdvanced"]


def test_a_request_acts_once() -> None:
    contract = driven(advancing(ready(), "execute"), around(10))
    again, decisions = drive(contract, around(11))
    assert writes_of(decisions) == []
    assert again == contract


def test_an_outdated_request_is_told_the_versions_and_the_phase() -> None:
    contract = ready()
    contract, decisions = drive(advancing(contract, "execute", version=2), around(10))
    assert told(contract).outcome == "VersionConflict"
    assert told(contract).message.startswith("VERSION_CONFLICT: expected 2, actual 3, phase plan")
    assert notices_of(decisions) == ["AdvanceRefused"]
    assert status_of(contract).phase == "plan"


def test_being_told_so_leaves_the_version_alone() -> None:
    contract = ready()
    version = status_of(contract).version
    assert status_of(driven(advancing(contract, "execute", version=2), around(10))).version == version


def test_two_callers_at_one_version_get_one_move() -> None:
    contract = ready()
    version = status_of(contract).version
    contract = driven(advancing(contract, "execute", version=version), around(10))
    contract = driven(advancing(contract, "Completed", version=version), around(11))
    assert (status_of(contract).phase, told(contract).outcome) == ("execute", "VersionConflict")


def test_a_gate_that_is_not_ready_refuses_and_names_what_is_missing() -> None:
    contract = active(*two_phases(a_gate(all_tasks(), auto=False)))
    contract = advancing(with_tasks(contract, a_task(1)), "execute")
    contract, decisions = drive(contract, around(10))
    assert told(contract).outcome == "ValidationFailed"
    assert told(contract).missing == ("Deliverable: plan-document", "1 tasks incomplete")
    assert "missing: Deliverable: plan-document, 1 tasks incomplete" in told(contract).message
    assert notices_of(decisions) == ["AdvanceRefused"]


def test_a_refused_request_moves_once_the_gate_is_ready_while_the_version_stands() -> None:
    contract = driven(reporting(active(*two_phases(a_gate(all_tasks(), auto=False))), "plan/plan-document"), around(5))
    contract = driven(advancing(with_tasks(contract, a_task(1)), "execute"), around(10))
    assert told(contract).outcome == "ValidationFailed"
    contract = driven(with_tasks(contract), around(20))
    assert (told(contract).outcome, status_of(contract).phase) == ("Success", "execute")


def test_a_refused_request_is_fulfilled_by_the_deliverable_it_lacked() -> None:
    contract = driven(advancing(active(*BY_HAND), "execute"), around(10))
    contract, decisions = drive(reporting(contract, "plan/plan-document"), around(20))
    assert (told(contract).outcome, status_of(contract).phase) == ("Success", "execute")
    assert len(writes_of(decisions)) == 1


def test_a_refused_request_dies_with_any_other_change_of_version() -> None:
    contract = driven(advancing(active(*BY_HAND), "execute"), around(10))
    contract = driven(with_questions(contract, a_question(1)), around(11))
    assert told(contract).outcome == "VersionConflict"
    contract = driven(reporting(with_questions(contract), "plan/plan-document"), around(20))
    assert status_of(contract).phase == "plan"


def test_being_refused_again_for_the_same_reason_is_not_told_again() -> None:
    contract = driven(advancing(active(*BY_HAND), "execute"), around(10))
    again, decisions = drive(contract, around(1000, Settings(monitoring=False)))
    assert writes_of(decisions) == []
    assert again == contract


def test_force_moves_past_the_gate_and_stands_in_the_history() -> None:
    contract, decisions = drive(advancing(active(*BY_HAND), "execute", force=True), around(10))
    last = status_of(contract).transitions[-1]
    assert (status_of(contract).phase, last.reason, last.forced) == ("execute", "Forced", True)
    assert notices_of(decisions) == ["PhaseForced"]


def test_a_phase_without_a_gate_moves_by_hand_only() -> None:
    contract = driven(reporting(active(a_phase("plan", "a"), a_phase("execute")), "plan/a"), around(5))
    assert status_of(contract).phase == "plan"
    assert status_of(driven(advancing(contract, "execute"), around(6))).phase == "execute"


@pytest.mark.parametrize("to", ["review", "plan", "Completed"])
def test_a_wrong_target_is_told_the_right_one(to: str) -> None:
    contract = driven(advancing(ready(), to, force=True), around(10))
    assert told(contract).outcome == "ValidationFailed"
    assert f"from plan the contract moves to execute, not to {to}" in told(contract).message


def test_a_guarded_request_without_confirmation_shows_what_to_look_at() -> None:
    contract = driven(advancing(ready(guard=True), "execute"), around(10))
    assert told(contract).outcome == "RequiresConfirmation"
    assert told(contract).message.startswith("PHASE_GUARD_REQUIRED: ")
    assert told(contract).message.endswith("plan-document (complete)")


def test_a_confirmation_passes_the_guard_in_one_write() -> None:
    contract = driven(advancing(ready(guard=True), "execute"), around(10))
    contract, decisions = drive(advancing(contract, "execute", confirmed=True), around(20))
    assert (status_of(contract).phase, status_of(contract).transitions[-1].reason) == ("execute", "Confirmed")
    assert len(writes_of(decisions)) == 1


def test_one_confirmation_passes_one_phase() -> None:
    contract = active(phase_guard=True)
    contract = driven(reporting(contract, "plan/plan-document", "execute/pull-request"), around(5))
    contract = driven(advancing(contract, "execute", confirmed=True), around(10))
    status = status_of(contract)
    assert (status.phase, status.state) == ("execute", ContractState.WAITING_FOR_INPUT)
    assert status.waiting_for == "confirmation: execute → Completed"


def test_a_confirmation_dies_with_a_change_of_the_deliverables_it_was_for() -> None:
    contract = ready(guard=True)
    version = status_of(contract).version
    contract = driven(reporting(contract, "execute/pull-request"), around(8))
    contract = driven(advancing(contract, "execute", version=version, confirmed=True), around(10))
    assert (status_of(contract).phase, told(contract).outcome) == ("plan", "VersionConflict")


def test_a_confirmation_does_not_cover_a_deliverable_that_arrives_with_it() -> None:
    contract = ready(guard=True)
    contract = reporting(advancing(contract, "execute", confirmed=True), "execute/pull-request")
    contract = driven(contract, around(10))
    assert (status_of(contract).phase, told(contract).outcome) == ("plan", "VersionConflict")


def test_a_confirmation_that_came_too_early_is_not_used_for_what_comes_later() -> None:
    contract = active(*BY_HAND, phase_guard=True)
    contract = driven(advancing(contract, "execute", confirmed=True), around(5))
    assert told(contract).outcome == "ValidationFailed"
    contract = driven(reporting(contract, "plan/plan-document"), around(6))
    assert (status_of(contract).phase, told(contract).outcome) == ("plan", "VersionConflict")


def test_switching_the_guard_on_stops_an_open_request() -> None:
    contract = driven(advancing(active(*BY_HAND), "execute"), around(5))
    contract = driven(wanting(reporting(contract, "plan/plan-document"), phase_guard=True), around(6))
    assert status_of(contract).phase == "plan"


@pytest.mark.parametrize("state", [SupervisorState.BLOCKED, SupervisorState.WAITING_FOR_USER])
def test_a_phase_moves_by_hand_while_the_contract_waits_and_it_goes_on_waiting(state: SupervisorState) -> None:
    waits = around(6, supervisor=a_supervisor(state))
    contract = driven(ready(), waits)
    before = status_of(contract).state
    contract = driven(advancing(contract, "execute"), waits)
    assert (status_of(contract).phase, status_of(contract).state) == ("execute", before)


def test_a_blocked_contract_does_not_complete_by_hand() -> None:
    blocked = around(6, supervisor=a_supervisor(SupervisorState.BLOCKED))
    contract = driven(active(a_phase("only")), blocked)
    contract = driven(advancing(contract, "Completed", force=True), blocked)
    assert told(contract).outcome == "ValidationFailed"
    assert "Blocked" in told(contract).message


def test_a_contract_that_has_not_started_may_leave_a_phase_but_not_complete() -> None:
    contract = driven(advancing(accepted(a_phase("plan"), a_phase("execute")), "execute"), around(5))
    assert (status_of(contract).phase, status_of(contract).state) == ("execute", ContractState.ACTIVE)
    contract = driven(advancing(accepted(a_phase("only")), "Completed"), around(5))
    assert (status_of(contract).state, told(contract).outcome) == (ContractState.CREATED, "ValidationFailed")


def test_a_suspended_contract_does_not_move_and_says_so() -> None:
    contract = driven(wanting(ready(), suspend=True), around(6))
    contract = driven(advancing(contract, "execute", force=True), around(7))
    assert (status_of(contract).phase, told(contract).outcome) == ("plan", "ValidationFailed")
    assert "suspend" in told(contract).message


def test_a_request_made_while_suspended_is_followed_at_resume() -> None:
    contract = driven(wanting(ready(), suspend=True), around(6))
    contract = driven(advancing(contract, "execute"), around(7))
    contract = driven(wanting(contract, suspend=False), around(8))
    assert (status_of(contract).phase, status_of(contract).state) == ("execute", ContractState.ACTIVE)


def test_a_finished_contract_does_not_move() -> None:
    contract = driven(advancing(failing(ready(), 6), "execute", force=True), around(7))
    assert (status_of(contract).phase, told(contract).outcome) == ("plan", "ValidationFailed")


def validated(retry_seconds: int = 60) -> Contract:
    gate = a_gate(validator=a_validator(retry_seconds=retry_seconds), auto=False)
    return driven(reporting(active(*two_phases(gate)), "plan/plan-document"), around(5))


def test_the_validator_decides_when_everything_else_agrees() -> None:
    contract = advancing(validated(), "execute")
    _, decisions = drive(contract, around(10))
    assert decisions[-1].question is not None
    yes = driven(contract, around(10), answer=says(True, seconds=10))
    assert (status_of(yes).phase, told(yes).outcome) == ("execute", "Success")
    no = driven(contract, around(10), answer=says(False, "Tests: red", seconds=10))
    assert (status_of(no).phase, told(no).missing) == ("plan", ("Tests: red",))


def test_a_validator_is_not_asked_for_a_forced_move() -> None:
    contract = driven(advancing(validated(), "execute", force=True), around(10))
    assert status_of(contract).phase == "execute"


def test_a_validator_that_said_no_is_asked_again_while_the_request_is_open() -> None:
    contract = advancing(validated(retry_seconds=60), "execute")
    contract, decisions = drive(contract, around(10), answer=says(False, "Tests: red", seconds=10))
    assert decisions[-1].wake_at == at(70)
    contract = driven(contract, around(70), answer=says(True, seconds=70))
    assert (status_of(contract).phase, told(contract).outcome) == ("execute", "Success")


def test_long_missing_lists_fit_into_the_status() -> None:
    phases = (a_phase("plan", *(f"d{n}-{'x' * 58}" for n in range(8)), gate=Gate()), a_phase("execute"))
    contract = driven(advancing(active(*phases), "execute"), around(5))
    assert len(told(contract).missing) == 8
    words = tuple(f"{n}: {'w' * 400}" for n in range(100))
    contract = driven(advancing(validated(), "execute"), around(10), answer=says(False, *words, seconds=10))
    assert len(told(contract).missing) == 32
