"""The ends of a contract: retry, archive, time to live."""

from __future__ import annotations

from typing import Any

import pytest

from makima.domain.reconcile.lifecycle import decide
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.contract_spec import RetryRequest
from makima.models.enums import ContractState, SupervisorState
from tests.support.builders import (
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
    notices_of,
    reporting,
    status_of,
    wanting,
    with_questions,
    writes_of,
)


def state_of(contract: Contract) -> str:
    return status_of(contract).state.value


def failed(**spec: Any) -> Contract:
    return driven(failing(active(**spec), 5), around(5))


def completed(**spec: Any) -> Contract:
    return driven(reporting(active(**spec), "plan/plan-document", "execute/pull-request"), around(5))


def retrying(contract: Contract, version: int | None = None) -> Contract:
    expected = status_of(contract).version if version is None else version
    return wanting(contract, retry=RetryRequest(expected_version=expected))


# Retry


def test_a_failed_contract_says_why() -> None:
    assert condition(failed(), "Succeeded") == ("False", "Failed", "restart budget spent")
    assert condition(failed(), "Progressing")[:2] == ("False", "Failed")


def test_retry_takes_a_failed_contract_up_in_the_same_phase() -> None:
    contract = failed()
    before = status_of(contract)
    contract, decisions = drive(retrying(contract), around(9))
    status = status_of(contract)
    assert (state_of(contract), status.phase, status.version) == ("Active", before.phase, before.version + 1)
    assert (status.failure_reason, status.finished_time, status.last_activity_time) == (None, None, at(9))
    assert (status.transitions[-1].reason, notices_of(decisions)) == ("Retried", ["Retried"])
    assert condition(contract, "Succeeded")[:2] == ("Unknown", "Retried")


@pytest.mark.parametrize("offset", [-2, -1, 1, 5])
def test_retry_for_another_version_does_nothing(offset: int) -> None:
    contract = failed()
    contract = driven(retrying(contract, status_of(contract).version + offset), around(9))
    assert state_of(contract) == "Failed"


def test_retry_acts_once() -> None:
    contract = driven(retrying(failed()), around(9))
    contract = driven(failing(contract, 20, "again"), around(20))
    assert state_of(driven(contract, around(30))) == "Failed"


@pytest.mark.parametrize("make", [accepted, active, completed])
def test_retry_means_nothing_to_a_contract_that_has_not_failed(make: Any) -> None:
    contract = make()
    before = status_of(contract)
    assert status_of(driven(retrying(contract), around(9))).version == before.version


def test_retry_of_a_suspended_contract_leads_into_the_pause() -> None:
    contract = driven(wanting(retrying(failed()), suspend=True), around(9))
    assert state_of(contract) == "Paused"


def test_retry_lets_open_questions_wait_again() -> None:
    contract = driven(retrying(with_questions(failed(), a_question(1))), around(9))
    assert state_of(contract) == "WaitingForInput"


def test_retry_sets_the_time_to_live_aside() -> None:
    contract = driven(retrying(failed(ttl_seconds_after_finished=10)), around(9))
    assert not decide(contract, around(10**6, Settings(monitoring=False))).delete


# Archive


def paused(**spec: Any) -> Contract:
    return driven(wanting(active(**spec), suspend=True), around(5))


@pytest.mark.parametrize("make", [accepted, paused, completed, failed])
def test_a_contract_at_rest_is_archived_in_one_write(make: Any) -> None:
    contract = make()
    version = status_of(contract).version
    contract, decisions = drive(wanting(contract, archived=True), around(9))
    assert (state_of(contract), status_of(contract).version, len(writes_of(decisions))) == ("Archived", version + 1, 1)
    assert (status_of(contract).transitions[-1].reason, notices_of(decisions)) == ("Archived", ["Archived"])
    assert condition(contract, "Ready")[:2] == ("True", "Accepted")


@pytest.mark.parametrize(
    ("said", "state"),
    [(None, "Active"), (SupervisorState.WAITING_FOR_USER, "WaitingForInput"), (SupervisorState.BLOCKED, "Blocked")],
)
def test_a_contract_under_way_is_not_archived_and_says_what_to_do_first(
    said: SupervisorState | None, state: str
) -> None:
    surroundings = around(5, supervisor=a_supervisor(said))
    contract = driven(active(), surroundings)
    contract = driven(wanting(contract, archived=True), surroundings)
    assert state_of(contract) == state
    assert condition(contract, "Ready") == (
        "False",
        "ArchiveRefused",
        f"INVALID_TRANSITION: {state} → Archived; set spec.suspend first, or let it finish",
    )


def test_a_refused_archive_happens_as_soon_as_it_may() -> None:
    contract = driven(wanting(active(), archived=True), around(5))
    contract = driven(wanting(contract, suspend=True), around(6))
    assert state_of(contract) == "Archived"
    assert condition(contract, "Ready")[0] == "True"


def test_archived_with_the_first_apply_is_never_called_refused() -> None:
    contract = accepted(archived=True)
    assert condition(contract, "Ready")[0] == "True"
    assert state_of(driven(contract, around(5))) == "Archived"


def test_taking_archived_back_changes_nothing() -> None:
    contract = driven(wanting(completed(), archived=True), around(9))
    assert state_of(driven(wanting(contract, archived=False), around(10))) == "Archived"


@pytest.mark.parametrize("spec", [{"suspend": True}, {"suspend": False}, {"phase_guard": True}])
def test_nothing_moves_an_archived_contract(spec: dict[str, Any]) -> None:
    contract = driven(wanting(completed(), archived=True), around(9))
    version = status_of(contract).version
    contract = driven(retrying(wanting(contract, **spec)), around(10, supervisor=a_supervisor(SupervisorState.BLOCKED)))
    assert (state_of(contract), status_of(contract).version) == ("Archived", version)


# Time to live


@pytest.mark.parametrize("make", [completed, failed])
def test_a_finished_contract_is_deleted_when_its_time_is_over(make: Any) -> None:
    contract = make(ttl_seconds_after_finished=100)
    before, after = decide(contract, around(104)), decide(contract, around(105))
    assert (before.delete, before.wake_at, before.status) == (False, at(105), None)
    assert (after.delete, after.status) == (True, None)


def test_without_a_time_to_live_nothing_is_deleted() -> None:
    assert not decide(completed(), around(10**8)).delete


def test_zero_seconds_delete_at_once() -> None:
    assert decide(completed(ttl_seconds_after_finished=0), around(5)).delete


def test_nothing_is_deleted_before_its_history_is_recorded() -> None:
    contract = completed(ttl_seconds_after_finished=10)
    version = status_of(contract).version
    contract = contract.model_copy(update={"status": status_of(contract).model_copy(update={"recorded_version": None})})
    for recorded in range(version):
        assert not decide(contract, around(50, recorded_version=recorded)).delete
    assert decide(contract, around(50, recorded_version=version)).delete


@pytest.mark.parametrize("make", [active, accepted, paused])
def test_an_unfinished_contract_has_no_time_to_live(make: Any) -> None:
    contract = make(ttl_seconds_after_finished=1)
    assert not decide(driven(contract, around(50)), around(10**6, Settings(monitoring=False))).delete


def test_an_archived_contract_keeps_the_time_to_live_of_its_end() -> None:
    contract = driven(wanting(completed(ttl_seconds_after_finished=100), archived=True), around(50))
    assert status_of(contract).state is ContractState.ARCHIVED
    assert (decide(contract, around(104)).delete, decide(contract, around(105)).delete) == (False, True)


def test_a_time_to_live_given_afterwards_counts() -> None:
    contract = driven(wanting(completed(), ttl_seconds_after_finished=1), around(6))
    assert decide(contract, around(6)).delete
