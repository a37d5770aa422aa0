"""Which contracts each bulk operation is for, as they are at the moment of the decision."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from makima.domain.reconcile.activity import WATCHED
from makima.domain.settings import Settings
from makima.domain.wishes.batch import FILTERED, MEANT, Delete, Moment, Patch, by_hand, selection, step, wrong
from makima.models.contract import Contract
from makima.models.contract_spec import RestartRequest
from makima.models.contract_status import SupervisorReference
from makima.models.enums import ContractState
from makima.models.wire.batch import BatchRequest, Operation
from tests.support.builders import START, SUPERVISOR_UID, a_contract, a_status, at

S = ContractState
WEEK = 7 * 24 * 3600.0
CARRIED = SupervisorReference(name="work", uid=SUPERVISOR_UID, incarnation=3)
OLD = Settings(enhanced_status=False)


def asking(operation: Operation, **fields: Any) -> BatchRequest:
    return BatchRequest(operation=operation, **fields)


def in_state(state: ContractState, spec: dict[str, Any] | None = None, **status: Any) -> Contract:
    found = a_contract(**(spec or {}))
    return found.model_copy(update={"status": a_status(state=state, **status)})


def moment(seconds: float = WEEK, settings: Settings | None = None, **fields: Any) -> Moment:
    return Moment("alice", settings or Settings(), at(seconds), **fields)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("state", S)
def test_each_operation_is_for_contracts_in_its_states_only(operation: Operation, state: ContractState) -> None:
    suspended = operation is Operation.RESUME_ALL
    found = step(asking(operation), in_state(state, {"suspend": suspended}, supervisor_ref=CARRIED), moment())
    assert (found is not None) is (state in MEANT[operation])


@pytest.mark.parametrize(
    ("operation", "contract", "expected"),
    [
        (Operation.ARCHIVE_OLD, in_state(S.FAILED), Patch({"archived": True})),
        (Operation.ARCHIVE_OLD, in_state(S.FAILED, {"archived": True}), None),
        (Operation.PAUSE_ALL, in_state(S.ACTIVE), Patch({"suspend": True, "suspendReason": "pause_all by alice"})),
        (Operation.PAUSE_ALL, in_state(S.ACTIVE, {"suspend": True}), None),
        (Operation.RESUME_ALL, in_state(S.PAUSED, {"suspend": True}), Patch({"suspend": False, "suspendReason": None})),
        (Operation.RESUME_ALL, in_state(S.PAUSED), None),  # resumed already, not yet seen by the operator
        (Operation.CLEANUP_ARCHIVED, in_state(S.ARCHIVED), Delete()),
        (
            Operation.RESTART_STALE,
            in_state(S.ACTIVE, supervisor_ref=CARRIED),
            Patch({"restartSupervisor": {"expectedIncarnation": 3}}),
        ),
        (Operation.RESTART_STALE, in_state(S.ACTIVE), None),  # nobody to be restarted
        (Operation.RESTART_STALE, a_contract(), None),  # not accepted
    ],
)
def test_what_is_said_to_each(operation: Operation, contract: Contract, expected: Patch | Delete | None) -> None:
    assert step(asking(operation), contract, moment()) == expected


@pytest.mark.parametrize("operation", [Operation.ARCHIVE_OLD, Operation.CLEANUP_ARCHIVED])
@pytest.mark.parametrize(
    ("hours", "seconds", "meant"),
    [(None, WEEK, True), (None, WEEK - 1, False), (1, 3600, True), (1, 3599, False), (0, 0, True)],
)
def test_age_counts_from_the_last_change_of_state(
    operation: Operation, hours: int | None, seconds: float, meant: bool
) -> None:
    contract = in_state(MEANT[operation][0])
    assert (step(asking(operation, older_than_hours=hours), contract, moment(seconds)) is not None) is meant


def test_a_life_is_asked_to_end_once() -> None:
    request = asking(Operation.RESTART_STALE)
    for incarnation, asked in ((2, True), (3, False)):
        spec = {"restart_supervisor": RestartRequest(expected_incarnation=incarnation)}
        found = step(request, in_state(S.ACTIVE, spec, supervisor_ref=CARRIED), moment())
        assert (found is not None) is asked


def test_a_supervisor_that_was_heard_is_not_restarted_whatever_the_resource_shows() -> None:
    contract = in_state(S.ACTIVE, supervisor_ref=CARRIED)
    request = asking(Operation.RESTART_STALE)
    assert step(request, contract, moment(3600, heard=at(3600 - 60))) is None
    assert step(request, contract, moment(3600, heard=at(1700))) is not None
    assert step(request, contract, moment(1700)) is None


def test_a_filter_leaves_only_what_it_names() -> None:
    request = asking(Operation.ARCHIVE_OLD, status_filter=("failed",))
    assert step(request, in_state(S.FAILED), moment()) is not None
    assert step(request, in_state(S.COMPLETED), moment()) is None
    assert selection(request, Settings(), START).states == (S.FAILED,)


def test_with_three_statuses_a_filter_names_all_that_one_stands_for() -> None:
    completed = asking(Operation.ARCHIVE_OLD, status_filter=("completed",))
    assert selection(completed, OLD, START).states == (S.COMPLETED, S.FAILED)
    active = asking(Operation.PAUSE_ALL, status_filter=("active",))
    assert selection(active, OLD, START).states == MEANT[Operation.PAUSE_ALL]


def test_with_three_statuses_what_is_suspended_may_be_in_any_state() -> None:
    chosen = selection(asking(Operation.RESUME_ALL), OLD, START)
    assert set(chosen.states) == {S.PAUSED, *WATCHED}
    assert chosen.suspended is True
    found = step(asking(Operation.RESUME_ALL), in_state(S.ACTIVE, {"suspend": True}), moment(settings=OLD))
    assert isinstance(found, Patch)


def test_what_is_chosen_in_postgres() -> None:
    chosen = selection(asking(Operation.ARCHIVE_OLD, older_than_hours=2), Settings(), START)
    assert (chosen.before, chosen.suspended, chosen.stale) == (START - timedelta(hours=2), None, False)
    assert selection(asking(Operation.PAUSE_ALL), Settings(), START).before is None
    assert selection(asking(Operation.RESTART_STALE), Settings(), START).stale


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"operation": "pause_all", "older_than_hours": 1}, "older_than_hours"),
        ({"operation": "restart_stale", "older_than_hours": 1}, "older_than_hours"),
        ({"operation": "resume_all", "status_filter": ["paused"]}, "status_filter"),
        ({"operation": "archive_old", "status_filter": ["completed", "active"]}, "status_filter"),
        ({"operation": "pause_all", "status_filter": ["completing"]}, "status_filter"),
    ],
)
def test_a_field_that_does_not_go_with_the_operation_is_refused_not_ignored(fields: dict[str, Any], field: str) -> None:
    found = wrong(BatchRequest(**fields), Settings())
    assert found is not None
    assert found[0] == field


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("supervisors", [True, False])
def test_without_supervisors_none_is_restarted(operation: Operation, supervisors: bool) -> None:
    found = wrong(asking(operation), Settings(supervisor_heartbeat=supervisors))
    assert (found is None) is (supervisors or operation is not Operation.RESTART_STALE)
    if found is not None:
        assert found[0] == "operation" and "supervisor_heartbeat" in found[1]


@pytest.mark.parametrize("operation", FILTERED)
def test_every_state_of_an_operation_may_be_filtered_for(operation: Operation) -> None:
    for state in MEANT[operation]:
        assert wrong(asking(operation, status_filter=(state,)), Settings()) is None


@pytest.mark.parametrize("operation", Operation)
def test_each_operation_can_be_done_by_hand(operation: Operation) -> None:
    assert by_hand(operation).startswith("kubectl contracts ")
