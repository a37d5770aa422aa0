"""Whether contracts are well, and why not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from makima.domain.reads.contract_health import OPERATOR_LATE, Level, health
from makima.domain.reasons import AliveReason, ConditionType
from makima.models.contract import Contract
from makima.models.contract_spec import AdvanceRequest
from makima.models.contract_status import AdvanceStatus, WorkspaceStatus
from makima.models.enums import AdvanceOutcome, ConditionStatus, ContractState, SupervisorState
from makima.models.supervisor import Supervisor
from tests.support.builders import (
    START,
    a_contract,
    a_question,
    a_supervisor,
    active,
    at,
    failing,
    wanting,
    with_status,
)
from tests.unit.domain.reads.test_waits import DONE, REFUSED, STALE, STUCK, carried, dead, told


def beating(age: float, *, restarts: int = 0) -> Supervisor:
    heard = told(ConditionType.ALIVE, ConditionStatus.TRUE, AliveReason.HEARTBEATING)
    return a_supervisor(
        SupervisorState.WORKING,
        incarnation=1,
        last_heartbeat_time=at(1000 - age),
        restarts=restarts,
        conditions=(heard,),
    )


def given_up() -> Supervisor:
    return dead(AliveReason.GIVEN_UP)


def refused() -> Contract:
    wish = AdvanceRequest(to="execute", expected_version=2)
    told_so = AdvanceStatus(
        to="execute", expected_version=2, outcome=AdvanceOutcome.VALIDATION_FAILED, message="missing"
    )
    return wanting(with_status(active(), advance=told_so, observed_generation=5), advance=wish)


LEFT = WorkspaceStatus(worktrees=1, worktrees_removed=0, worktrees_failed=2, cleared_time=START)
"""Some worktrees could not be taken away."""

Row = tuple[str, Callable[[], Contract], Supervisor | None, Level, tuple[str, ...]]
TABLE: list[Row] = [
    ("well", active, beating(5), Level.HEALTHY, ()),
    ("failed", lambda: failing(active(), 70), None, Level.UNHEALTHY, ("Failed",)),
    (
        "blocked",
        lambda: with_status(active(), state=ContractState.BLOCKED),
        beating(5),
        Level.UNHEALTHY,
        ("Blocked",),
    ),
    ("stale", lambda: carried(active(), conditions=(STALE,)), beating(5), Level.UNHEALTHY, ("Stale",)),
    (
        "stuck",
        lambda: carried(active(), conditions=(STUCK,)),
        beating(5),
        Level.UNHEALTHY,
        ("ProgressDeadlineExceeded",),
    ),
    ("dead", lambda: carried(active()), dead(), Level.UNHEALTHY, ("SupervisorDead",)),
    ("given up", active, given_up(), Level.UNHEALTHY, ("SupervisorGivenUp",)),
    ("silent and nobody noticed", active, beating(500), Level.UNHEALTHY, ("SupervisorSilent",)),
    ("late, but it is only shown late", active, beating(200), Level.HEALTHY, ()),
    ("many restarts", active, beating(5, restarts=5), Level.ATTENTION, ("ManyRestarts",)),
    (
        "asks",
        lambda: with_status(active(), questions=(a_question(1),)),
        beating(5),
        Level.ATTENTION,
        ("WaitingForAnswer",),
    ),
    ("paused", lambda: with_status(active(), state=ContractState.PAUSED), beating(900), Level.ATTENTION, ("Paused",)),
    ("a move was refused", refused, beating(5), Level.ATTENTION, ("AdvanceRefused",)),
    (
        "the spec was not looked at",
        lambda: wanting(with_status(active(), observed_generation=1), description="new"),
        beating(5),
        Level.ATTENTION,
        ("NotObserved",),
    ),
    (
        "worktrees stay",
        lambda: with_status(active(), workspace=LEFT),
        beating(5),
        Level.ATTENTION,
        ("WorkspaceNotCleared",),
    ),
    ("never accepted", a_contract, None, Level.UNHEALTHY, ("WaitingForOperator",)),
    (
        "refused",
        lambda: a_contract().model_copy(update={"early_conditions": (REFUSED,)}),
        None,
        Level.UNHEALTHY,
        ("NotAccepted",),
    ),
    (
        "ready, and never moved: by hand it can be, and the operator may be set not to",
        lambda: with_status(active(), deliverables=DONE),
        beating(5),
        Level.ATTENTION,
        ("WaitingForOperator",),
    ),
    (
        "ready, to be moved any moment",
        lambda: with_status(active(), deliverables=(DONE[0].model_copy(update={"completed_time": at(999)}),)),
        beating(5),
        Level.HEALTHY,
        (),
    ),
    ("completed", lambda: with_status(active(), state=ContractState.COMPLETED), dead(), Level.HEALTHY, ()),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_the_verdict_and_its_reasons(row: Row) -> None:
    _, build, supervisor, level, reasons = row
    found = health(build(), supervisor, at(1000))
    assert (found.level, tuple(finding.reason for finding in found.findings)) == (level, reasons)
    assert all(finding.text and finding.command for finding in found.findings)


def test_the_operator_has_a_while_to_act_before_it_is_missed() -> None:
    late = OPERATOR_LATE.total_seconds()
    levels = [health(a_contract(), None, at(seconds)).level for seconds in (0, late, late + 1)]
    assert levels == [Level.ATTENTION, Level.ATTENTION, Level.UNHEALTHY]


def test_where_the_operator_is_late_the_next_step_looks_whether_it_runs() -> None:
    (finding,) = health(a_contract(), None, at(1000)).findings
    assert finding.command == ("makima", "doctor")
    assert finding.text == "waits for the operator to accept it (for 16m): is it running?"


def test_the_worst_comes_first() -> None:
    contract = with_status(carried(active(), conditions=(STALE,)), questions=(a_question(1),))
    reasons = [finding.reason for finding in health(contract, None, at(1000)).findings]
    assert reasons == ["Stale", "WaitingForAnswer"]


def test_worktrees_that_stay_are_cleared_in_the_namespace_of_their_contract() -> None:
    left = with_status(active(), workspace=LEFT)
    (found,) = health(left, beating(5), at(1000)).findings
    assert found.command == ("contracts", "cleanup", "--worktrees", "--namespace", left.metadata.namespace)
