"""From nothing to Created: which phases a contract gets, and what is said about one that gets none."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.builtin_types import BUILTIN_TYPES
from makima.domain.reconcile.lifecycle import decide
from makima.domain.settings import Settings
from makima.models.enums import ContractState, SupervisorState
from tests.support.builders import (
    a_contract,
    a_gate,
    a_phase,
    a_supervisor,
    a_type,
    accepted,
    around,
    at,
    condition,
    drive,
    driven,
    notices_of,
    reporting,
    status_of,
    wanting,
    writes_of,
)


@pytest.mark.parametrize(
    ("kind", "phases"),
    [
        ("simple", ["plan/plan-document", "execute/pull-request"]),
        (
            "specification",
            [
                "research/research-notes",
                "specify/requirements-document",
                "plan/plan-document",
                "execute/pull-request",
                "review/release-notes",
            ],
        ),
        ("execute", ["execute/pull-request"]),
    ],
)
def test_a_built_in_type_gives_its_phases_and_runs_through_them(kind: str, phases: list[str]) -> None:
    contract = driven(a_contract(type=kind), around(0))
    status = status_of(contract)
    assert [f"{phase.name}/{item.id}" for phase in status.phases for item in phase.deliverables] == phases
    assert (status.state, status.version, status.phase_progress) == (ContractState.CREATED, 1, f"1/{len(phases)}")
    for number, name in enumerate(phases):
        assert status_of(contract).phase == name.split("/")[0]
        contract = driven(reporting(contract, name), around(10 + number))
    assert status_of(contract).state is ContractState.COMPLETED


def test_the_first_status_is_complete() -> None:
    status = status_of(accepted(seconds=3))
    assert status.phase_start_time == status.state_changed_time == status.last_activity_time == at(3)
    (first,) = status.transitions
    assert (first.version, first.reason, first.from_state, first.to_state) == (1, "Accepted", None, "Created")
    assert status.observed_generation == 1


def test_phases_of_its_own_go_before_the_type() -> None:
    contract = a_contract(type="simple", phases=(a_phase("think"),))
    assert [phase.name for phase in status_of(driven(contract, around(0))).phases] == ["think"]


def test_a_contract_type_gives_its_phases() -> None:
    kind = a_type("migration", a_phase("copy"), a_phase("switch"))
    contract = driven(a_contract(type="migration"), around(0, contract_type=kind))
    assert [phase.name for phase in status_of(contract).phases] == ["copy", "switch"]


@pytest.mark.parametrize("name", BUILTIN_TYPES)
def test_a_contract_type_cannot_take_a_built_in_name(name: str) -> None:
    contract = driven(a_contract(type=name), around(0, contract_type=a_type(name, a_phase("other"))))
    assert status_of(contract).phases == BUILTIN_TYPES[name]


def test_an_edited_or_deleted_type_does_not_touch_an_accepted_contract() -> None:
    kind = a_type("migration", a_phase("copy", "d", gate=a_gate()), a_phase("switch"))
    contract = driven(a_contract(type="migration"), around(0, contract_type=kind))
    before = status_of(contract).phases
    for other in (a_type("migration", a_phase("other")), None):
        contract = driven(contract, around(5, contract_type=other))
        assert status_of(contract).phases == before
    contract = driven(reporting(contract, "copy/d"), around(6))
    assert status_of(contract).phase == "switch"


def test_an_unknown_type_is_refused_with_what_to_do() -> None:
    contract, decisions = drive(a_contract(type="migration"), around(0))
    assert contract.status is None
    status, reason, message = condition(contract, "Ready")
    assert (status, reason) == ("False", "UnknownType")
    assert message.startswith(
        "VALIDATION_FAILED: type migration is neither built in (simple, specification, execute) nor a ContractType"
    )
    assert notices_of(decisions) == ["Refused"]


def test_being_refused_is_told_once() -> None:
    contract = driven(a_contract(type="migration"), around(0))
    decision = decide(contract, around(99999))
    assert (decision.refusal, decision.notices, decision.wake_at) == (None, (), None)


def test_a_refused_contract_is_taken_up_when_its_type_appears() -> None:
    contract = driven(a_contract(type="migration"), around(0))
    contract = driven(contract, around(60, contract_type=a_type("migration", a_phase("copy"))))
    assert (status_of(contract).state, status_of(contract).phase) == (ContractState.CREATED, "copy")
    assert condition(contract, "Ready")[:2] == ("True", "Accepted")
    ready = next(item for item in status_of(contract).conditions if item.type == "Ready")
    assert ready.last_transition_time == at(60)


def test_bad_phases_are_refused_with_every_problem_up_to_five() -> None:
    phases = tuple(a_phase("same", gate=a_gate(requires=["gone"])) for _ in range(7))
    contract, decisions = drive(a_contract(*phases), around(0))
    assert contract.status is None
    status, reason, message = condition(contract, "Ready")
    assert (status, reason) == ("False", "InvalidPhases")
    assert message.startswith(
        "VALIDATION_FAILED: phase same is there twice; phase same: its gate names deliverable gone"
    )
    assert message.endswith("; and 3 more")
    assert notices_of(decisions) == ["Refused"]


def test_a_type_that_is_mended_takes_its_contracts_up() -> None:
    bad = a_type("migration", a_phase("copy", gate=a_gate(requires=["gone"])))
    contract = driven(a_contract(type="migration"), around(0, contract_type=bad))
    assert condition(contract, "Ready")[1] == "InvalidPhases"
    good = a_type("migration", a_phase("copy", "gone", gate=a_gate(requires=["gone"])))
    assert status_of(driven(contract, around(9, contract_type=good))).phase == "copy"


def test_another_refusal_is_told_anew_and_keeps_its_time() -> None:
    contract = driven(a_contract(type="migration"), around(0))
    bad = a_type("migration", a_phase("copy", gate=a_gate(requires=["gone"])))
    contract, decisions = drive(contract, around(9, contract_type=bad))
    assert notices_of(decisions) == ["Refused"]
    assert contract.early_conditions[0].last_transition_time == at(0)


def test_a_contract_being_deleted_is_not_accepted() -> None:
    contract = a_contract()
    leaving = contract.metadata.model_copy(update={"deletion_timestamp": at(1)})
    decision = decide(contract.model_copy(update={"metadata": leaving}), around(5))
    assert (decision.status, decision.refusal) == (None, None)


# The flag enhanced_contract_status

OFF = Settings(enhanced_status=False)


def test_with_enhanced_status_off_created_lasts_no_longer_than_the_api_server_wants() -> None:
    contract, decisions = drive(a_contract(), around(0, OFF))
    assert [status.state.value for status in writes_of(decisions)] == ["Created", "Active"]
    assert status_of(contract).version == 2


@pytest.mark.parametrize("said", ["WaitingForUser", "Blocked", "Working"])
def test_with_enhanced_status_off_the_supervisor_changes_nothing(said: str) -> None:
    supervisor = a_supervisor(SupervisorState(said))
    contract = driven(a_contract(), around(0, OFF, supervisor=supervisor))
    assert status_of(driven(contract, around(5, OFF, supervisor=supervisor))).state is ContractState.ACTIVE


def test_with_enhanced_status_off_a_guard_still_holds_without_a_state_of_its_own() -> None:
    contract = driven(
        reporting(driven(a_contract(phase_guard=True), around(0, OFF)), "plan/plan-document"), around(5, OFF)
    )
    status = status_of(contract)
    assert (status.state, status.phase, status.waiting_for) == (ContractState.ACTIVE, "plan", None)


def test_with_enhanced_status_off_suspend_stops_the_contract_without_a_state_of_its_own() -> None:
    contract = driven(a_contract(), around(0, OFF))
    contract = driven(wanting(reporting(contract, "plan/plan-document"), suspend=True), around(5, OFF))
    assert (status_of(contract).state, status_of(contract).phase) == (ContractState.ACTIVE, "plan")
    contract = driven(wanting(contract, suspend=False), around(6, OFF))
    assert status_of(contract).phase == "execute"


def test_switching_enhanced_status_off_brings_waiting_contracts_back_to_active() -> None:
    contract = driven(reporting(driven(a_contract(phase_guard=True), around(0)), "plan/plan-document"), around(5))
    assert status_of(contract).state is ContractState.WAITING_FOR_INPUT
    contract = driven(contract, around(6, OFF))
    assert (status_of(contract).state, status_of(contract).waiting_for) == (ContractState.ACTIVE, None)


def test_switching_enhanced_status_off_keeps_a_pause_until_it_is_taken_back() -> None:
    contract = driven(wanting(driven(a_contract(), around(0, OFF)), suspend=True), around(5))
    assert status_of(driven(contract, around(6, OFF))).state is ContractState.PAUSED
    contract = driven(wanting(contract, suspend=False), around(7, OFF))
    assert status_of(contract).state is ContractState.ACTIVE
