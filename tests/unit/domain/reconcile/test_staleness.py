"""When nothing has happened for too long, and when that is looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from makima.domain.reconcile.activity import stale_look, with_activity
from makima.domain.reconcile.lifecycle import decide
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.enums import SupervisorState
from tests.support.builders import (
    a_question,
    a_status,
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
    with_status,
    writes_of,
)

MINUTE = Settings(stale_threshold=timedelta(minutes=1), stale_interval=timedelta(seconds=10))


def test_nothing_for_the_threshold_makes_a_contract_stale_once() -> None:
    contract = active(settings=MINUTE)
    contract, decisions = drive(contract, around(60, MINUTE))
    assert [decision.became_stale for decision in decisions] == [True, False]
    assert notices_of(decisions) == ["StaleDetected"]
    assert condition(contract, "Stale")[:2] == ("True", "NoActivity")
    _, decisions = drive(contract, around(6000, MINUTE))
    assert (writes_of(decisions), decisions[-1].wake_at) == ([], None)


def test_a_stale_contract_keeps_its_version_and_its_state() -> None:
    before = status_of(active(settings=MINUTE))
    after = status_of(driven(active(settings=MINUTE), around(60, MINUTE)))
    assert (after.version, after.state, after.last_activity_time) == (
        before.version,
        before.state,
        before.last_activity_time,
    )


def test_just_before_the_threshold_nothing_is_stale() -> None:
    _, decisions = drive(active(settings=MINUTE), around(59.999, MINUTE))
    assert writes_of(decisions) == []


def test_activity_ends_staleness_and_it_can_rise_again() -> None:
    contract = driven(active(settings=MINUTE), around(60, MINUTE))
    contract, decisions = drive(with_status(contract, last_activity_time=at(70)), around(71, MINUTE))
    assert condition(contract, "Stale")[0] == "False"
    assert not any(decision.became_stale for decision in decisions)
    _, decisions = drive(contract, around(131, MINUTE))
    assert [decision.became_stale for decision in decisions] == [True, False]


@pytest.mark.parametrize(("own", "seconds"), [(None, 60), (5, 5), (300, 300)])
def test_a_contract_may_have_a_threshold_of_its_own(own: int | None, seconds: int) -> None:
    contract = active(settings=MINUTE, stale_after_seconds=own)
    assert not decide(contract, around(seconds - 1, MINUTE)).became_stale
    assert decide(contract, around(seconds, MINUTE)).became_stale


def test_changing_the_threshold_counts_at_once() -> None:
    contract = driven(active(settings=MINUTE), around(30, MINUTE))
    contract = driven(wanting(contract, stale_after_seconds=20), around(31, MINUTE))
    assert condition(contract, "Stale")[0] == "True"


@pytest.mark.parametrize(
    ("deadline", "step", "look"),
    [(0, 60, 0), (1, 60, 60), (59.5, 60, 60), (60, 60, 60), (60.000001, 60, 120), (61, 60, 120), (5, 10, 10)],
)
def test_looks_lie_on_a_grid_common_to_all(deadline: float, step: float, look: float) -> None:
    assert stale_look(at(deadline), Settings(stale_interval=timedelta(seconds=step))) == at(look)


def test_the_next_look_is_the_first_on_the_grid_after_the_deadline() -> None:
    contract = driven(with_status(active(settings=MINUTE), last_activity_time=at(3)), around(4, MINUTE))
    assert decide(contract, around(5, MINUTE)).wake_at == at(70)


def test_with_monitoring_off_nobody_looks_and_nothing_is_written() -> None:
    off = Settings(monitoring=False)
    contract = active(settings=off)
    decision = decide(contract, around(10**7, off))
    assert (decision.status, decision.wake_at, decision.became_stale) == (None, None, False)
    assert all(item.type != "Stale" for item in status_of(contract).conditions)


@pytest.mark.parametrize("make", ["Created", "WaitingForInput", "Blocked"])
def test_every_unfinished_state_can_be_stale(make: str) -> None:
    fields: dict[str, Any] = {}
    contract = accepted(settings=MINUTE) if make == "Created" else active(settings=MINUTE)
    if make == "WaitingForInput":
        contract = driven(with_questions(contract, a_question(1)), around(0, MINUTE))
    if make == "Blocked":
        fields = {"supervisor": a_supervisor(SupervisorState.BLOCKED)}
        contract = driven(contract, around(0, MINUTE, **fields))
    assert status_of(contract).state == make
    assert decide(contract, around(60, MINUTE, **fields)).became_stale


def finished() -> Contract:
    return driven(reporting(active(settings=MINUTE), "plan/plan-document", "execute/pull-request"), around(5, MINUTE))


@pytest.mark.parametrize("make", ["Paused", "Completed", "Failed", "Archived"])
def test_a_finished_or_paused_contract_is_never_stale(make: str) -> None:
    contract = active(settings=MINUTE) if make in ("Paused", "Failed") else finished()
    if make == "Paused":
        contract = driven(wanting(contract, suspend=True), around(5, MINUTE))
    if make == "Failed":
        contract = driven(failing(contract, 5), around(5, MINUTE))
    if make == "Archived":
        contract = driven(wanting(contract, archived=True), around(5, MINUTE))
    decision = decide(contract, around(10**6, MINUTE))
    assert (status_of(contract).state, decision.status, decision.wake_at) == (make, None, None)


def test_a_stale_contract_that_ends_is_stale_no_longer() -> None:
    contract = driven(active(settings=MINUTE), around(60, MINUTE))
    contract = driven(wanting(contract, suspend=True), around(61, MINUTE))
    assert condition(contract, "Stale")[:2] == ("False", "RecentActivity")


def test_activity_never_runs_backwards() -> None:
    status = a_status(last_activity_time=at(10), paused_seconds=7)
    assert with_activity(status, at(9)) is status
    later = with_activity(status, at(11))
    assert (later.last_activity_time, later.paused_seconds) == (at(11), None)
