"""Reported deliverables: which are accepted, how they are recorded, and that none gets lost."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.builtin_types import BUILTIN_TYPES
from makima.domain.reconcile.reports import validate_deliverable
from makima.models.contract import Contract
from makima.models.contract_spec import ReportedDeliverable
from makima.models.enums import ContractState
from tests.support.builders import (
    a_contract,
    a_phase,
    accepted,
    active,
    around,
    at,
    condition,
    drive,
    driven,
    failing,
    notices_of,
    reporting,
    status_of,
    wanting,
    writes_of,
)

VALID = [
    (kind, phase.name, item.id)
    for kind, phases in BUILTIN_TYPES.items()
    for phase in phases
    for item in phase.deliverables
]


@pytest.mark.parametrize(("kind", "phase", "identifier"), VALID)
def test_a_deliverable_of_its_phase_is_valid(kind: str, phase: str, identifier: str) -> None:
    assert validate_deliverable(BUILTIN_TYPES[kind], phase, identifier) is None


@pytest.mark.parametrize(("kind", "phase", "identifier"), VALID)
def test_a_deliverable_that_its_phase_does_not_have_is_named_with_those_it_has(
    kind: str, phase: str, identifier: str
) -> None:
    wrong = validate_deliverable(BUILTIN_TYPES[kind], phase, f"{identifier}-2")
    assert wrong == f"phase {phase} has no deliverable {identifier}-2; it has {identifier}"


@pytest.mark.parametrize("phase", ["", "review", "Plan", "completed"])
def test_a_phase_that_is_not_there_is_named_with_those_that_are(phase: str) -> None:
    wrong = validate_deliverable(BUILTIN_TYPES["simple"], phase, "plan-document")
    assert wrong == f"there is no phase {phase}; the phases are plan, execute"


def test_a_deliverable_of_another_phase_is_refused() -> None:
    assert validate_deliverable(BUILTIN_TYPES["simple"], "plan", "pull-request") is not None


def test_a_phase_without_deliverables_says_none() -> None:
    wrong = validate_deliverable((a_phase("think"),), "think", "notes")
    assert wrong == "phase think has no deliverable notes; it has none"


def test_a_report_is_recorded_with_time_reporter_address_and_digest() -> None:
    item = ReportedDeliverable(phase="plan", id="plan-document", uri="git://plan", digest=f"sha256:{'a' * 64}")
    contract = wanting(active(a_phase("plan", "plan-document")), deliverables=(item,))
    fields = ({"manager": "ann", "fieldsV1": {"f:spec": {"f:deliverables": {_key("plan", "plan-document"): {}}}}},)
    contract = contract.model_copy(update={"metadata": contract.metadata.model_copy(update={"managed_fields": fields})})
    (done,) = status_of(driven(contract, around(7))).deliverables
    assert (done.completed_time, done.completed_by, done.uri, done.digest) == (at(7), "ann", "git://plan", item.digest)


def _key(phase: str, identifier: str) -> str:
    return f'k:{{"id":"{identifier}","phase":"{phase}"}}'


def test_a_report_raises_the_version_once_and_is_in_the_history() -> None:
    contract = active(a_phase("plan", "a", "b"))
    before = status_of(contract).version
    contract, decisions = drive(reporting(contract, "plan/a", "plan/b"), around(7))
    assert status_of(contract).version == before + 1
    last = status_of(contract).transitions[-1]
    assert (last.reason, last.message) == ("DeliverableCompleted", "Completed plan/a, plan/b")
    assert [(item.phase, item.id) for item in last.deliverables] == [("plan", "a"), ("plan", "b")]
    assert len(writes_of(decisions)) == 1


def test_a_report_of_a_later_phase_counts_when_that_phase_is_reached() -> None:
    contract = driven(reporting(active(), "execute/pull-request"), around(5))
    assert status_of(contract).phase == "plan"
    contract = driven(reporting(contract, "plan/plan-document"), around(6))
    assert status_of(contract).state is ContractState.COMPLETED


def test_taking_a_report_out_of_the_spec_undoes_nothing() -> None:
    contract = driven(reporting(active(a_phase("plan", "a")), "plan/a"), around(5))
    version = status_of(contract).version
    contract = driven(wanting(contract, deliverables=()), around(6))
    assert [item.id for item in status_of(contract).deliverables] == ["a"]
    assert status_of(contract).version == version


def test_reporting_again_changes_nothing() -> None:
    contract = driven(reporting(active(a_phase("plan", "a")), "plan/a"), around(5))
    first = status_of(contract).deliverables
    contract = wanting(contract, deliverables=(ReportedDeliverable(phase="plan", id="a", uri="elsewhere"),))
    assert status_of(driven(contract, around(6))).deliverables == first


def test_more_than_eight_at_once_take_several_versions_and_none_is_lost() -> None:
    phases = [a_phase(f"p{n}", *(f"d{n}-{k}" for k in range(8))) for n in range(12)]
    contract = active(*phases)
    names = [f"{phase.name}/{item.id}" for phase in phases for item in phase.deliverables]
    contract, decisions = drive(reporting(contract, *names), around(5))
    assert len(status_of(contract).deliverables) == 96
    assert len(writes_of(decisions)) == 12
    assert all(len(status.transitions[-1].deliverables) == 8 for status in writes_of(decisions))


def test_long_names_fit_into_the_history_line() -> None:
    name = "x" * 63
    long = [f"d{k:02}-{'y' * 59}" for k in range(8)]
    contract = active(a_phase(name, *long))
    contract = driven(reporting(contract, *(f"{name}/{item}" for item in long)), around(5))
    assert len(status_of(contract).deliverables) == 8
    assert len(status_of(contract).transitions[-1].message) <= 256


@pytest.mark.parametrize("suspend", [True, False])
def test_a_report_counts_while_paused(suspend: bool) -> None:
    contract = driven(wanting(active(), suspend=True), around(5))
    contract = driven(wanting(reporting(contract, "plan/plan-document"), suspend=suspend), around(6))
    assert [item.id for item in status_of(contract).deliverables] == ["plan-document"]
    expected = ("plan", ContractState.PAUSED) if suspend else ("execute", ContractState.ACTIVE)
    assert (status_of(contract).phase, status_of(contract).state) == expected


def test_a_report_counts_when_failed_but_not_when_archived() -> None:
    failed = failing(active(), 5)
    contract = driven(reporting(failed, "plan/plan-document"), around(6))
    assert len(status_of(contract).deliverables) == 1
    contract = driven(wanting(contract, archived=True), around(7))
    version = status_of(contract).version
    contract = driven(reporting(contract, "execute/pull-request"), around(8))
    assert (len(status_of(contract).deliverables), status_of(contract).version) == (1, version)


def _with_an_unknown_one() -> Contract:
    contract = a_contract()
    items = (
        ReportedDeliverable(phase="plan", id="plan-document"),
        ReportedDeliverable(phase="plan", id="nonsense"),
    )
    return wanting(contract, deliverables=items)


def test_an_unknown_deliverable_in_the_first_spec_is_told_and_does_not_stop_the_others() -> None:
    contract, decisions = drive(_with_an_unknown_one(), around(5))
    assert "InvalidDeliverable" in notices_of(decisions)
    status, reason, message = condition(contract, "Ready")
    assert (status, reason) == ("False", "InvalidDeliverable")
    assert message.startswith("INVALID_DELIVERABLE: phase plan has no deliverable nonsense; it has plan-document")
    assert status_of(contract).phase == "execute"
    assert [item.id for item in status_of(contract).deliverables] == ["plan-document"]


def test_ready_comes_back_when_the_unknown_deliverable_is_taken_out() -> None:
    contract = driven(_with_an_unknown_one(), around(5))
    contract = driven(wanting(contract, deliverables=contract.spec.deliverables[:1]), around(6))
    assert condition(contract, "Ready")[:2] == ("True", "Accepted")


def test_a_report_is_activity() -> None:
    contract = driven(reporting(active(a_phase("plan", "a")), "plan/a"), around(77))
    assert status_of(contract).last_activity_time == at(77)


def test_a_report_starts_a_contract() -> None:
    contract = driven(reporting(accepted(a_phase("plan", "a")), "plan/a"), around(5))
    assert status_of(contract).state is ContractState.ACTIVE
