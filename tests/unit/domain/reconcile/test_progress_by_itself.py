"""What moves without being asked: start, auto-advance, waiting, blocking. Each switch on and off."""

from __future__ import annotations

from typing import Any

import pytest

from makima.domain.reconcile.lifecycle import decide
from makima.domain.reconcile.validation import Verdict
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.contract_status import TaskCount
from makima.models.enums import ContractState, SupervisorState, TaskState
from makima.models.metadata import Metadata
from makima.models.pod_template import PodTemplate
from makima.models.supervisor import Supervisor, SupervisorSpec, SupervisorStatus
from tests.support.builders import (
    SUPERVISOR_UID,
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
    an_id,
    answering,
    around,
    at,
    drive,
    driven,
    notices_of,
    reporting,
    says,
    status_of,
    two_phases,
    wanting,
    with_questions,
    with_status,
    with_tasks,
    writes_of,
)

OFF = Settings(auto_complete=False)


def state_of(contract: Contract) -> str:
    return status_of(contract).state.value


# Created → Active


def test_an_accepted_contract_waits_for_its_supervisor() -> None:
    contract, decisions = drive(accepted(), around(5))
    assert (state_of(contract), writes_of(decisions)) == ("Created", [])


@pytest.mark.parametrize(
    ("reported", "why"),
    [
        ({"tasks": (a_task(1),)}, "Active: work was reported"),
        ({"questions": (a_question(1),)}, "Active: work was reported"),
        ({"task_counts": (TaskCount(phase="plan", completed=1, failed=0),)}, "Active: work was reported"),
        ({"last_activity_time": at(4)}, "Active: activity was reported"),
    ],
)
def test_anything_reported_starts_a_contract(reported: dict[str, Any], why: str) -> None:
    _, decisions = drive(with_status(accepted(), **reported), around(5))
    first = writes_of(decisions)[0]
    assert (first.state, first.version) == (ContractState.ACTIVE, 2)
    assert (first.transitions[-1].reason, first.transitions[-1].message) == ("Activated", why)
    assert "Activated" in notices_of(decisions)


def a_pod_supervisor(incarnation: int | None) -> Supervisor:
    template = PodTemplate.model_validate({"containers": [{"name": "agent", "image": "agent:1"}]})
    status = None if incarnation is None else SupervisorStatus(incarnation=incarnation)
    metadata = Metadata(name="work", namespace="default", uid=SUPERVISOR_UID)
    return Supervisor(metadata=metadata, spec=SupervisorSpec(template=template), status=status)


def test_an_external_supervisor_registers_by_being_there() -> None:
    contract = driven(accepted(), around(5, supervisor=a_supervisor()))
    assert state_of(contract) == "Active"
    reference = status_of(contract).supervisor_ref
    assert reference is not None
    assert (reference.name, reference.uid, reference.incarnation) == ("work", SUPERVISOR_UID, 0)


@pytest.mark.parametrize(("incarnation", "state"), [(None, "Created"), (0, "Created"), (1, "Active"), (7, "Active")])
def test_a_supervisor_in_a_pod_registers_by_its_first_life(incarnation: int | None, state: str) -> None:
    assert state_of(driven(accepted(), around(5, supervisor=a_pod_supervisor(incarnation)))) == state


def test_a_supervisor_that_is_being_deleted_registers_nobody() -> None:
    supervisor = a_supervisor()
    leaving = supervisor.metadata.model_copy(update={"deletion_timestamp": at(1)})
    contract = driven(accepted(), around(5, supervisor=supervisor.model_copy(update={"metadata": leaving})))
    assert state_of(contract) == "Created"


def test_a_new_life_of_the_supervisor_is_noted_without_a_new_version() -> None:
    contract = driven(accepted(), around(5, supervisor=a_supervisor(incarnation=1)))
    version = status_of(contract).version
    contract = driven(contract, around(9, supervisor=a_supervisor(incarnation=2, restarts=1)))
    reference = status_of(contract).supervisor_ref
    assert reference is not None
    assert (reference.incarnation, reference.restarts) == (2, 1)
    assert (status_of(contract).version, status_of(contract).last_activity_time) == (version, at(9))


def test_a_supervisor_that_goes_away_leaves_the_contract_as_it_is() -> None:
    contract = driven(accepted(), around(5, supervisor=a_supervisor()))
    assert driven(contract, around(6)) == contract


def test_a_suspended_contract_does_not_start() -> None:
    contract = driven(accepted(suspend=True), around(5, supervisor=a_supervisor()))
    assert state_of(contract) == "Paused"


# The flag supervisor_heartbeat


@pytest.mark.parametrize("state", [None, SupervisorState.BLOCKED, SupervisorState.WAITING_FOR_USER])
def test_with_supervisor_heartbeat_off_supervisors_are_not_looked_at(state: SupervisorState | None) -> None:
    settings = Settings(supervisor_heartbeat=False)
    contract = accepted()
    untouched, decisions = drive(contract, around(5, settings, supervisor=a_supervisor(state)))
    assert (untouched, writes_of(decisions)) == (contract, [])
    contract = driven(with_tasks(contract, a_task(1)), around(6, settings, supervisor=a_supervisor(state)))
    assert (state_of(contract), status_of(contract).supervisor_ref) == ("Active", None)


# Auto-advance

SWITCHES: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("everything on", {}, {}, True),
    ("gate.autoAdvance off", {"auto": False}, {}, False),
    ("auto_advance_phases off", {"settings": Settings(auto_advance_phases=False)}, {}, False),
    ("flag auto_complete off", {"settings": OFF}, {}, False),
    ("auto_complete_enabled off does not matter", {"settings": Settings(auto_complete_enabled=False)}, {}, True),
    ("enhanced_contract_status off does not matter", {"settings": Settings(enhanced_status=False)}, {}, True),
    ("monitoring off does not matter", {"settings": Settings(monitoring=False)}, {}, True),
    ("suspend", {}, {"suspend": True}, False),
    ("suspend with enhanced status off", {"settings": Settings(enhanced_status=False)}, {"suspend": True}, False),
    ("phaseGuard", {}, {"phase_guard": True}, False),
    ("autoComplete false does not matter", {}, {"auto_complete": False}, True),
]


@pytest.mark.parametrize(("case", "how", "spec", "moves"), SWITCHES, ids=[case[0] for case in SWITCHES])
def test_a_phase_advances_by_itself_only_if_every_switch_agrees(
    case: str, how: dict[str, Any], spec: dict[str, Any], moves: bool
) -> None:
    contract = active(*two_phases(a_gate(auto=how.get("auto", True))))
    contract = wanting(reporting(contract, "plan/plan-document"), **spec)
    contract, decisions = drive(contract, around(5, how.get("settings")))
    assert status_of(contract).phase == ("execute" if moves else "plan")
    if moves:
        assert status_of(contract).transitions[-1].reason == "AutoAdvanced"
        assert len(writes_of(decisions)) == 1


def test_a_gate_moves_nothing_before_it_is_ready() -> None:
    contract = active(*two_phases(a_gate(all_tasks())))
    contract = driven(reporting(with_tasks(contract, a_task(1)), "plan/plan-document"), around(5))
    assert status_of(contract).phase == "plan"
    contract = driven(with_tasks(contract, a_task(1, TaskState.FAILED)), around(6))
    assert status_of(contract).phase == "plan"
    contract = driven(with_tasks(contract, a_task(1, TaskState.COMPLETED)), around(7))
    assert status_of(contract).phase == "execute"


def test_phases_whose_work_is_done_are_left_one_write_each_and_none_is_skipped() -> None:
    phases = [a_phase(f"p{n}", "d", gate=a_gate()) for n in range(12)]
    contract, decisions = drive(reporting(active(*phases), *(f"p{n}/d" for n in range(12))), around(5))
    assert [status.phase for status in writes_of(decisions)[:11]] == [f"p{n}" for n in range(1, 12)]
    assert state_of(contract) == "Completed"
    assert len(writes_of(decisions)) == 13


def test_a_blocked_contract_does_not_advance_by_itself() -> None:
    blocked = around(5, supervisor=a_supervisor(SupervisorState.BLOCKED, error_message="no quota"))
    contract = driven(active(), blocked)
    contract = driven(reporting(contract, "plan/plan-document"), blocked)
    assert (state_of(contract), status_of(contract).phase) == ("Blocked", "plan")
    contract = driven(contract, around(6, supervisor=a_supervisor(SupervisorState.WORKING)))
    assert (state_of(contract), status_of(contract).phase) == ("Active", "execute")


# The guard


def test_a_guard_turns_readiness_into_waiting_for_a_confirmation() -> None:
    contract = active(phase_guard=True)
    contract, decisions = drive(reporting(contract, "plan/plan-document"), around(5))
    status = status_of(contract)
    assert (state_of(contract), status.phase) == ("WaitingForInput", "plan")
    assert status.waiting_for == "confirmation: plan → execute"
    assert notices_of(decisions) == ["ConfirmationRequired"]
    assert len(writes_of(decisions)) == 1


def test_waiting_for_a_confirmation_is_told_once() -> None:
    contract = driven(reporting(active(phase_guard=True), "plan/plan-document"), around(5))
    _, decisions = drive(contract, around(6))
    assert writes_of(decisions) == []


def test_a_task_spawned_meanwhile_ends_the_waiting_and_its_end_brings_it_back() -> None:
    contract = active(*two_phases(a_gate(all_tasks())), phase_guard=True)
    contract = driven(reporting(contract, "plan/plan-document"), around(5))
    contract = driven(with_tasks(contract, a_task(1)), around(6))
    assert (state_of(contract), status_of(contract).waiting_for) == ("Active", None)
    contract = driven(with_tasks(contract, a_task(1, TaskState.COMPLETED)), around(7))
    assert state_of(contract) == "WaitingForInput"


def test_a_gate_that_does_not_advance_by_itself_waits_for_nobody() -> None:
    contract = active(*two_phases(a_gate(auto=False)), phase_guard=True)
    contract = driven(reporting(contract, "plan/plan-document"), around(5))
    assert state_of(contract) == "Active"


def test_switching_the_guard_off_lets_the_waiting_contract_go_on() -> None:
    contract = driven(reporting(active(phase_guard=True), "plan/plan-document"), around(5))
    contract = driven(wanting(contract, phase_guard=False), around(6))
    assert (state_of(contract), status_of(contract).phase) == ("Active", "execute")


def test_a_guarded_contract_of_many_phases_waits_in_each() -> None:
    contract = active(*[a_phase(f"p{n}", "d", gate=a_gate()) for n in range(5)], phase_guard=True)
    for number, goal in enumerate(["p1", "p2", "p3", "p4", "Completed"]):
        contract = driven(reporting(contract, f"p{number}/d"), around(10 * number))
        assert status_of(contract).waiting_for == f"confirmation: p{number} → {goal}"
        contract = driven(advancing(contract, goal, confirmed=True), around(10 * number + 5))
    assert state_of(contract) == "Completed"


# Questions, and what the supervisor says


def test_a_question_makes_the_contract_wait_and_its_answer_ends_that() -> None:
    contract, decisions = drive(with_questions(active(), a_question(1)), around(5))
    assert (state_of(contract), status_of(contract).waiting_for) == ("WaitingForInput", "answer: Which branch?")
    assert notices_of(decisions) == ["AnswerRequired"]
    contract = driven(answering(contract, an_id(1)), around(9))
    assert (state_of(contract), status_of(contract).questions) == ("Active", ())
    assert (status_of(contract).waiting_for, status_of(contract).last_activity_time) == (None, at(9))


def test_an_answer_to_something_else_answers_nothing() -> None:
    contract = driven(with_questions(active(), a_question(1)), around(5))
    contract = driven(answering(contract, an_id(2)), around(6))
    assert (state_of(contract), len(status_of(contract).questions)) == ("WaitingForInput", 1)


def test_the_next_question_is_shown_when_the_first_is_answered_without_a_new_version() -> None:
    contract = driven(with_questions(active(), a_question(1), a_question(2, "Which tag?")), around(5))
    version = status_of(contract).version
    contract = driven(answering(contract, an_id(1)), around(6))
    assert (status_of(contract).waiting_for, status_of(contract).version) == ("answer: Which tag?", version)


def test_a_very_long_question_fits_into_status_and_history() -> None:
    contract = driven(with_questions(active(), a_question(1, "why? " * 400)), around(5))
    assert len(status_of(contract).waiting_for or "") == 1024
    assert len(status_of(contract).transitions[-1].message) == 256


@pytest.mark.parametrize(
    ("said", "state", "shown"),
    [
        (SupervisorState.INITIALIZING, "Active", None),
        (SupervisorState.IDLE, "Active", None),
        (SupervisorState.WORKING, "Active", None),
        (SupervisorState.WAITING_FOR_TASKS, "Active", None),
        (SupervisorState.WAITING_FOR_USER, "WaitingForInput", "its supervisor waits for a person"),
        (SupervisorState.BLOCKED, "Blocked", None),
        (SupervisorState.INTERRUPTED, "Active", None),
    ],
)
def test_the_contract_stands_where_its_supervisor_says(said: SupervisorState, state: str, shown: str | None) -> None:
    contract = driven(active(), around(5, supervisor=a_supervisor(said)))
    assert (state_of(contract), status_of(contract).waiting_for) == (state, shown)


def test_a_blocked_contract_says_why_and_forgets_it_afterwards() -> None:
    contract, decisions = drive(
        active(), around(5, supervisor=a_supervisor(SupervisorState.BLOCKED, error_message="no quota"))
    )
    assert (status_of(contract).blocked_reason, notices_of(decisions)) == ("no quota", ["Blocked"])
    contract = driven(contract, around(6, supervisor=a_supervisor(SupervisorState.WORKING)))
    assert status_of(contract).blocked_reason is None


def test_waiting_and_blocked_follow_each_other_directly() -> None:
    contract = driven(active(), around(5, supervisor=a_supervisor(SupervisorState.BLOCKED)))
    for number, (said, state) in enumerate(
        [(SupervisorState.WAITING_FOR_USER, "WaitingForInput"), (SupervisorState.BLOCKED, "Blocked")] * 2
    ):
        version = status_of(contract).version
        contract = driven(contract, around(6 + number, supervisor=a_supervisor(said)))
        assert (state_of(contract), status_of(contract).version) == (state, version + 1)


# Validators


def validated(**fields: Any) -> Contract:
    gate = a_gate(validator=a_validator(retry_seconds=60))
    contract = active(a_phase("plan", "plan-document", gate=gate), a_phase("execute", "pull-request"), **fields)
    return reporting(contract, "plan/plan-document")


def test_a_validator_is_asked_and_a_yes_moves_the_phase() -> None:
    contract, decisions = drive(validated(), around(5), answer=says(True, seconds=5))
    assert status_of(contract).phase == "execute"
    assert sum(decision.question is not None for decision in decisions) == 1


def test_a_no_holds_the_phase_until_the_validator_is_asked_again() -> None:
    contract, decisions = drive(validated(), around(5), answer=says(False, "Tests: red", seconds=5))
    assert (status_of(contract).phase, state_of(contract)) == ("plan", "Active")
    assert decisions[-1].wake_at == at(65)
    assert status_of(driven(contract, around(65), answer=says(True, seconds=65))).phase == "execute"


def test_a_no_keeps_a_guarded_contract_from_asking_anybody() -> None:
    contract = driven(validated(phase_guard=True), around(5), answer=says(False, "Tests: red", seconds=5))
    assert state_of(contract) == "Active"
    contract = driven(contract, around(65), answer=says(True, seconds=65))
    assert state_of(contract) == "WaitingForInput"


def test_an_old_answer_does_not_wake_anybody() -> None:
    gate = a_gate(validator=a_validator(retry_seconds=1))
    contract = active(a_phase("plan", "plan-document", gate=gate), a_phase("execute"))
    old = Verdict("another question", at(0), False, ("Tests: red",))
    decision = decide(contract, around(5, Settings(monitoring=False), verdict=old))
    assert decision.wake_at is None


def test_a_suspended_contract_asks_no_validator() -> None:
    _, decisions = drive(wanting(validated(), suspend=True), around(5))
    assert all(decision.question is None for decision in decisions)


def test_with_the_flag_off_no_validator_is_asked() -> None:
    _, decisions = drive(validated(), around(5, OFF))
    assert all(decision.question is None for decision in decisions)
