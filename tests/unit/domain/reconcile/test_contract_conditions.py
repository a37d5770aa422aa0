"""Conditions: what they say in each state, and that they only change when something does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from makima.domain.reasons import ConditionReason, ConditionType
from makima.domain.reconcile.conditions import merge
from makima.domain.reconcile.lifecycle import decide
from makima.domain.settings import Settings
from makima.models.condition import Condition
from makima.models.contract import Contract
from makima.models.enums import ConditionStatus, SupervisorState
from tests.support.builders import (
    a_contract,
    a_question,
    a_supervisor,
    accepted,
    active,
    around,
    at,
    condition,
    drive,
    driven,
    failing,
    reporting,
    status_of,
    wanting,
    with_questions,
    with_status,
    writes_of,
)


def named(contract: Contract, kind: str) -> Condition:
    return next(item for item in status_of(contract).conditions if item.type == kind)


def test_an_accepted_contract_has_four_conditions() -> None:
    kinds = [item.type for item in status_of(accepted()).conditions]
    assert kinds == ["Ready", "Progressing", "HistoryRecorded", "Stale"]
    assert condition(accepted(), "Ready")[:2] == ("True", "Accepted")


def done() -> Contract:
    return driven(reporting(active(), "plan/plan-document", "execute/pull-request"), around(5))


def blocked() -> Contract:
    return driven(active(), around(5, supervisor=a_supervisor(SupervisorState.BLOCKED, error_message="quota")))


MAKE: dict[str, Callable[[], Contract]] = {
    "Created": accepted,
    "Active": active,
    "WaitingForInput": lambda: driven(with_questions(active(), a_question(1)), around(5)),
    "Blocked": blocked,
    "Paused": lambda: driven(wanting(active(), suspend=True), around(5)),
    "Failed": lambda: driven(failing(active(), 5), around(5)),
    "Completed": done,
    "Archived": lambda: driven(wanting(done(), archived=True), around(6)),
}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Created", ("Unknown", "NotStarted", "Waits for its supervisor to register, or for the first report")),
        ("Active", ("True", "InPhase", "In phase plan; missing: Deliverable: plan-document")),
        ("WaitingForInput", ("False", "WaitingForInput", "Waits for answer: Which branch?")),
        ("Blocked", ("False", "Blocked", "quota")),
        ("Paused", ("False", "Paused", "Paused by spec.suspend")),
        ("Completed", ("False", "Completed", "Completed")),
        ("Failed", ("False", "Failed", "restart budget spent")),
        ("Archived", ("False", "Archived", "Archived")),
    ],
)
def test_progressing_says_where_the_contract_stands(state: str, expected: tuple[str, str, str]) -> None:
    assert condition(MAKE[state](), "Progressing") == expected


def test_completing_is_progress() -> None:
    contract = reporting(active(), "plan/plan-document", "execute/pull-request")
    _, decisions = drive(contract, around(5))
    completing = next(status for status in writes_of(decisions) if status.state == "Completing")
    found = next(item for item in completing.conditions if item.type == "Progressing")
    assert (found.status, found.reason) == ("True", "FinalValidation")


@pytest.mark.parametrize("state", ["Completed", "Failed", "Archived"])
def test_succeeded_is_there_once_the_contract_has_ended(state: str) -> None:
    status = "False" if state == "Failed" else "True"
    assert condition(MAKE[state](), "Succeeded")[0] == status


@pytest.mark.parametrize("state", ["Created", "Active", "WaitingForInput", "Paused"])
def test_succeeded_is_not_there_before(state: str) -> None:
    assert all(item.type != "Succeeded" for item in status_of(MAKE[state]()).conditions)


def test_a_change_of_the_spec_is_observed_in_one_write_even_if_it_changes_nothing_else() -> None:
    contract, decisions = drive(wanting(active(), description="new words"), around(5))
    status = status_of(contract)
    assert len(writes_of(decisions)) == 1
    assert status.observed_generation == contract.metadata.generation == 2
    assert {item.observed_generation for item in status.conditions} == {2}


def test_the_transition_time_moves_only_with_the_status() -> None:
    contract = driven(wanting(active(), description="new words"), around(50))
    assert named(contract, "Progressing").last_transition_time == at(0)
    contract = driven(wanting(contract, suspend=True), around(60))
    assert named(contract, "Progressing").last_transition_time == at(60)
    assert named(contract, "Ready").last_transition_time == at(0)


def test_another_reason_with_the_same_status_keeps_the_time() -> None:
    contract = driven(with_questions(active(), a_question(1)), around(5))
    contract = driven(wanting(contract, suspend=True), around(60))
    assert (named(contract, "Progressing").reason, named(contract, "Progressing").last_transition_time) == (
        "Paused",
        at(5),
    )


@pytest.mark.parametrize("state", ["Created", "Active", "WaitingForInput", "Paused", "Failed", "Completed", "Archived"])
def test_looking_again_later_writes_nothing(state: str) -> None:
    contract = MAKE[state]()
    for seconds in (6, 60, 600, 1799):
        assert decide(contract, around(seconds)).status is None


def test_a_long_reason_is_cut_to_what_a_condition_holds() -> None:
    contract = driven(failing(active(), 5, "x" * 1024), around(5))
    assert len(named(contract, "Progressing").message) == 1024
    finding = (ConditionType.READY, ConditionStatus.FALSE, ConditionReason.FAILED, "y" * 5000)
    (made,) = merge((), [finding], 1, at(0))
    assert len(made.message) == 1024


def test_conditions_of_others_are_kept() -> None:
    foreign = Condition(
        type="Audited",
        status=ConditionStatus.TRUE,
        reason="Yes",
        message="",
        observed_generation=1,
        last_transition_time=at(0),
    )
    contract = active()
    contract = with_status(contract, conditions=(*status_of(contract).conditions, foreign))
    contract = driven(wanting(contract, suspend=True), around(5))
    assert foreign in status_of(contract).conditions


def test_a_condition_that_is_not_found_anew_is_kept_as_it_was() -> None:
    contract = driven(active(), around(1800))
    assert condition(contract, "Stale")[0] == "True"
    contract = driven(wanting(contract, description="new"), around(1801, Settings(monitoring=False)))
    assert condition(contract, "Stale")[0] == "True"


def test_a_contract_that_is_not_accepted_has_one_condition() -> None:
    contract = driven(a_contract(type="unknown"), around(5))
    assert contract.status is None
    assert [item.type for item in contract.early_conditions] == ["Ready"]
