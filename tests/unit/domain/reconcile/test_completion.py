"""The last phase: completion by itself, by hand, forced; the gate once more; what is cleaned up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from makima.domain.reconcile.lifecycle import decide
from makima.domain.reconcile.validation import Question, Verdict
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.contract_status import TaskCount
from makima.models.enums import SupervisorState, TaskState
from tests.support.builders import (
    a_gate,
    a_phase,
    a_question,
    a_supervisor,
    a_task,
    a_validator,
    active,
    advancing,
    all_tasks,
    around,
    at,
    condition,
    drive,
    driven,
    named_tasks,
    notices_of,
    reporting,
    says,
    status_of,
    wanting,
    with_questions,
    with_tasks,
    writes_of,
    written,
)

AUTO = a_gate()


def last_phase(gate: Any = AUTO, **spec: Any) -> Contract:
    return active(a_phase("only", "d", gate=gate), **spec)


def state_of(contract: Contract) -> str:
    return status_of(contract).state.value


def reasons_of(contract: Contract) -> list[str]:
    return [item.reason for item in status_of(contract).transitions]


def completing(contract: Contract, seconds: float = 5, **fields: Any) -> Contract:
    """The contract just before the final validation."""
    surroundings = around(seconds, **fields)
    contract = written(contract, decide(contract, surroundings), surroundings)
    assert state_of(contract) == "Completing"
    return contract


def test_a_contract_completes_by_itself_in_two_writes() -> None:
    contract, decisions = drive(reporting(last_phase(), "only/d"), around(5))
    assert [status.state.value for status in writes_of(decisions)] == ["Completing", "Completed"]
    assert reasons_of(contract)[-2:] == ["CompletionDetected", "Completed"]
    status = status_of(contract)
    assert status.completion_detected_time == status.finished_time == at(5)
    assert condition(contract, "Succeeded")[:2] == ("True", "Completed")
    assert notices_of(decisions) == ["Completed"]


SWITCHES: list[tuple[str, Settings, dict[str, Any], bool, bool]] = [
    ("everything on", Settings(), {}, True, True),
    ("autoComplete false", Settings(), {"auto_complete": False}, False, True),
    ("auto_complete_enabled off", Settings(auto_complete_enabled=False), {}, False, True),
    ("flag auto_complete off", Settings(auto_complete=False), {}, False, False),
    ("auto_advance_phases off", Settings(auto_advance_phases=False), {}, True, True),
    ("suspend", Settings(), {"suspend": True}, False, False),
    ("phaseGuard", Settings(), {"phase_guard": True}, False, True),
    ("enhanced status off", Settings(enhanced_status=False), {}, True, True),
]


@pytest.mark.parametrize(("case", "settings", "spec", "completes", "detected"), SWITCHES, ids=[s[0] for s in SWITCHES])
def test_completion_by_itself_is_switched_per_contract_globally_and_by_flag(
    case: str, settings: Settings, spec: dict[str, Any], completes: bool, detected: bool
) -> None:
    contract = driven(wanting(reporting(last_phase(), "only/d"), **spec), around(5, settings))
    assert (state_of(contract) == "Completed") is completes
    assert (status_of(contract).completion_detected_time is not None) is detected


def test_auto_complete_off_does_not_hold_the_phases_before_the_last() -> None:
    phases = (a_phase("plan", "d", gate=a_gate()), a_phase("execute", "d", gate=a_gate()))
    contract = driven(reporting(active(*phases, auto_complete=False), "plan/d", "execute/d"), around(5))
    assert (state_of(contract), status_of(contract).phase) == ("Active", "execute")


def test_switching_auto_complete_on_completes_at_once() -> None:
    contract = driven(reporting(last_phase(auto_complete=False), "only/d"), around(5))
    assert state_of(driven(wanting(contract, auto_complete=True), around(6))) == "Completed"


def test_a_last_phase_without_a_gate_completes_by_hand_only() -> None:
    contract = driven(reporting(last_phase(None), "only/d"), around(5))
    assert state_of(contract) == "Active"
    contract = driven(advancing(contract, "Completed"), around(6))
    assert (state_of(contract), reasons_of(contract)[-2:]) == ("Completed", ["CompletionRequested", "Completed"])


def test_completion_by_hand_needs_the_gate() -> None:
    contract = driven(advancing(last_phase(auto_complete=False), "Completed"), around(5))
    status = status_of(contract)
    assert status.advance is not None
    assert (state_of(contract), status.advance.missing) == ("Active", ("Deliverable: d",))


def test_forced_completion_is_not_undone_by_the_final_validation() -> None:
    contract = driven(advancing(last_phase(), "Completed", force=True), around(5))
    assert (state_of(contract), reasons_of(contract)[-2:]) == ("Completed", ["Forced", "Completed"])
    assert [item.forced for item in status_of(contract).transitions[-2:]] == [True, None]


def test_a_guarded_completion_waits_for_a_confirmation() -> None:
    contract = driven(reporting(last_phase(phase_guard=True), "only/d"), around(5))
    assert (state_of(contract), status_of(contract).waiting_for) == (
        "WaitingForInput",
        "confirmation: only → Completed",
    )
    contract = driven(advancing(contract, "Completed", confirmed=True), around(6))
    assert (state_of(contract), reasons_of(contract)[-2:]) == ("Completed", ["Confirmed", "Completed"])
    assert status_of(contract).waiting_for is None


def test_force_does_not_complete_a_guarded_contract() -> None:
    contract = driven(advancing(last_phase(phase_guard=True), "Completed", force=True), around(5))
    assert state_of(contract) == "Active"


def test_a_task_spawned_during_the_final_validation_brings_the_contract_back() -> None:
    contract = completing(reporting(last_phase(a_gate(all_tasks())), "only/d"))
    contract, decisions = drive(with_tasks(contract, a_task(1, phase="only")), around(6))
    assert (state_of(contract), reasons_of(contract)[-1]) == ("Active", "FinalValidationFailed")
    assert status_of(contract).transitions[-1].message == "Missing: 1 tasks incomplete"
    assert status_of(contract).completion_detected_time is None
    assert notices_of(decisions) == ["FinalValidationFailed"]
    contract = driven(with_tasks(contract, a_task(1, TaskState.COMPLETED, phase="only")), around(7))
    assert state_of(contract) == "Completed"


def test_force_asked_for_while_the_final_validation_fails_is_not_called_a_success() -> None:
    contract = completing(reporting(last_phase(a_gate(all_tasks())), "only/d"))
    contract = advancing(with_tasks(contract, a_task(1, phase="only")), "Completed", force=True)
    contract = driven(contract, around(6))
    advance = status_of(contract).advance
    assert advance is not None
    assert (state_of(contract), advance.outcome) != ("Active", "Success")


def test_a_contract_is_not_paused_in_the_middle_of_completing() -> None:
    contract = completing(reporting(last_phase(), "only/d"))
    assert state_of(driven(wanting(contract, suspend=True), around(6))) == "Completed"


def test_archiving_waits_until_completion_is_over() -> None:
    contract = completing(reporting(last_phase(), "only/d"))
    contract, decisions = drive(wanting(contract, archived=True), around(6))
    assert [status.state.value for status in writes_of(decisions)] == ["Completed", "Archived"]


def test_a_contract_being_deleted_is_left_alone_in_the_middle_of_completing() -> None:
    contract = completing(reporting(last_phase(), "only/d"))
    leaving = contract.metadata.model_copy(update={"deletion_timestamp": at(6)})
    decision = decide(contract.model_copy(update={"metadata": leaving}), around(7))
    assert (decision.status, decision.delete, decision.wake_at) == (None, False, None)


def test_the_validator_is_asked_before_completing_and_once_more_in_it() -> None:
    asked: list[Question] = []

    def yes(question: Question) -> Verdict:
        asked.append(question)
        return Verdict(question.fingerprint, at(5), True)

    contract = reporting(last_phase(a_gate(validator=a_validator())), "only/d")
    assert state_of(driven(contract, around(5), answer=yes)) == "Completed"
    assert len({question.fingerprint for question in asked}) == len(asked) == 2


@pytest.mark.parametrize("said", [None, SupervisorState.WAITING_FOR_USER], ids=["at work", "waiting for a person"])
def test_a_validator_that_changes_its_mind_brings_the_contract_back_and_is_not_asked_in_circles(
    said: SupervisorState | None,
) -> None:
    """A validator may look at status.state: content while Active, not while Completing."""

    def changeable(question: Question) -> Verdict:
        completing_now = state_of(contract) == "Completing"
        return Verdict(question.fingerprint, at(5), not completing_now, ("not while Completing",))

    contract = reporting(last_phase(a_gate(validator=a_validator(retry_seconds=60))), "only/d")
    surroundings, versions = around(5, supervisor=a_supervisor(said) if said else None), set[str]()
    for _ in range(20):
        decision = decide(contract, surroundings)
        if decision.question is not None:
            surroundings = replace(surroundings, verdict=changeable(decision.question))
        elif decision.status is not None:
            contract = written(contract, decision, surroundings)
            if state_of(contract) == "Completing":
                versions.add(str(status_of(contract).version))
        else:
            break
    assert state_of(contract) == ("Active" if said is None else "WaitingForInput")
    assert len(versions) == 1
    assert decision.wake_at == at(65)
    assert decide(contract, around(65)).question is not None


def test_finished_tasks_fold_into_counts_at_completion_and_running_ones_stay() -> None:
    contract = last_phase(a_gate(named_tasks("build")))
    tasks = (
        a_task(1, TaskState.COMPLETED, name="build", phase="only"),
        a_task(2, TaskState.FAILED, name="lint", phase="only"),
        a_task(3, TaskState.RUNNING, name="watch", phase="only"),
        a_task(4, TaskState.COMPLETED, name="other", phase="only"),
    )
    contract = driven(reporting(with_tasks(contract, *tasks), "only/d"), around(5))
    assert state_of(contract) == "Completed"
    assert [task.name for task in status_of(contract).tasks] == ["watch"]
    assert status_of(contract).task_counts == (TaskCount(phase="only", completed=2, failed=1),)


def test_completion_is_detected_once_when_it_first_could_have_happened() -> None:
    contract = driven(reporting(last_phase(auto_complete=False), "only/d"), around(5))
    contract = driven(contract, around(50))
    contract = driven(advancing(contract, "Completed"), around(99))
    assert status_of(contract).completion_detected_time == at(5)
    assert status_of(contract).finished_time == at(99)


def test_a_completed_contract_rests() -> None:
    contract = driven(reporting(last_phase(), "only/d"), around(5))
    decision = decide(contract, around(99999))
    assert (decision.status, decision.question, decision.wake_at) == (None, None, None)


def test_a_validator_that_ignores_failure_lets_the_contract_complete() -> None:
    contract = reporting(last_phase(a_gate(validator=a_validator())), "only/d")
    assert state_of(driven(contract, around(5), answer=says(True, failed=True, seconds=5))) == "Completed"


def test_an_open_question_does_not_hold_a_gate() -> None:
    contract = with_questions(last_phase(), a_question(1, phase="only"))
    assert state_of(driven(reporting(contract, "only/d"), around(5))) == "Completed"
