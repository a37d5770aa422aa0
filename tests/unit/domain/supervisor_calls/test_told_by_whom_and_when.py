"""Whose reports count, and in which states of the contract."""

from __future__ import annotations

import pytest

from makima.domain.reconcile.lifecycle import decide
from makima.domain.supervisor_calls.told import (
    RefusedReport,
    Report,
    Superseded,
    Taken,
)
from makima.models.bounds import TRANSITIONS
from makima.models.contract import Contract
from makima.models.contract_status import SupervisorReference
from makima.models.enums import ContractState
from tests.support.builders import (
    SUPERVISOR_UID,
    a_contract,
    a_supervisor,
    an_id,
    around,
    at,
    driven,
    failing,
    status_of,
    wanting,
    with_status,
)
from tests.support.told_values import (
    NOW,
    ask,
    by_hand,
    deliver,
    end,
    move,
    new_status,
    outcome,
    refused,
    spawn,
    tell,
)


def carried(contract: Contract, incarnation: int, uid: str = SUPERVISOR_UID) -> Contract:
    return with_status(contract, supervisor_ref=SupervisorReference(name="work", uid=uid, incarnation=incarnation))


@pytest.mark.parametrize(
    "report", [spawn(1), end(1), ask(1), deliver("plan", "a"), deliver("plan", "zzz"), move("execute", 2)]
)
def test_an_older_life_is_refused_whatever_it_says(report: Report) -> None:
    contract = carried(by_hand(), 4)
    decision = tell(contract, report)
    assert outcome(decision) == Superseded(4)
    assert decision.status is None


@pytest.mark.parametrize("uid", [SUPERVISOR_UID, an_id(77)])
def test_the_write_of_a_newer_life_raises_the_fence(uid: str) -> None:
    contract = carried(by_hand(), 2, uid)
    seen = around(NOW, reports=(spawn(1),), recorded_version=2)  # the operator has not heard of this life yet
    decision = decide(contract, seen)
    reference = new_status(decision).supervisor_ref
    assert reference is not None
    assert (reference.uid, reference.incarnation) == (SUPERVISOR_UID, 3)


def test_the_operator_never_lowers_the_fence() -> None:
    contract = driven(carried(by_hand(), 7), around(NOW, supervisor=a_supervisor(incarnation=3)))
    reference = status_of(contract).supervisor_ref
    assert reference is not None
    assert reference.incarnation == 7


@pytest.mark.parametrize("report", [spawn(1), ask(1)])
def test_a_finished_contract_takes_no_new_work(report: Report) -> None:
    found = refused(tell(failing(by_hand(), 5), report))
    assert found.code == "INVALID_TRANSITION"


def test_what_was_done_counts_though_the_contract_failed_but_not_once_it_is_archived() -> None:
    failed = failing(by_hand(), 5)
    assert outcome(tell(failed, deliver("plan", "a"))) == Taken()
    archived = driven(wanting(failed, archived=True), around(6))
    assert refused(tell(archived, deliver("plan", "a"))).code == "INVALID_TRANSITION"


def test_a_report_counts_while_paused() -> None:
    contract = driven(wanting(by_hand(), suspend=True), around(5))
    status = new_status(tell(contract, spawn(1), deliver("plan", "a")))
    assert (status.state, len(status.tasks), len(status.deliverables)) == (ContractState.PAUSED, 1, 1)


def test_a_contract_that_is_not_accepted_or_leaving_takes_nothing() -> None:
    new = decide(a_contract(), around(0, reports=(spawn(1),)))
    (found,) = new.told
    assert isinstance(found, RefusedReport)
    assert found.code == "UNAVAILABLE"
    leaving = by_hand()
    leaving = leaving.model_copy(update={"metadata": leaving.metadata.model_copy(update={"deletion_timestamp": at(1)})})
    assert refused(tell(leaving, spawn(1))).code == "CONTRACT_NOT_FOUND"


def test_with_a_full_outbox_tasks_are_taken_and_what_needs_a_version_is_asked_again() -> None:
    contract = by_hand()
    item = status_of(contract).transitions[-1]
    full = tuple(item.model_copy(update={"version": n + 1}) for n in range(TRANSITIONS))
    contract = with_status(contract, transitions=full, version=TRANSITIONS, recorded_version=None)
    reports = (spawn(1), deliver("plan", "a"), move("execute", TRANSITIONS))
    decision = decide(contract, around(NOW, reports=reports, recorded_version=0))
    assert decision.told[0] == Taken()
    assert [found.code for found in decision.told[1:] if isinstance(found, RefusedReport)] == ["UNAVAILABLE"] * 2
    assert [task.id for task in new_status(decision).tasks] == [an_id(1)]
