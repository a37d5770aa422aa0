"""Heartbeats are activity, but no progress: what they do to staleness, to lastActivityTime and to Progressing."""

from __future__ import annotations

from typing import Any

import pytest

from makima.domain.reconcile.draft import Surroundings
from makima.domain.reconcile.lifecycle import decide
from makima.domain.settings import Settings
from makima.models.contract import Contract
from makima.models.enums import ContractState, TaskState
from tests.support.builders import (
    a_phase,
    a_question,
    a_task,
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
    with_tasks,
)

MINUTES = 60.0
THRESHOLD, QUARTER = 30 * MINUTES, 7.5 * MINUTES


def working(**spec: Any) -> Contract:
    return active(a_phase("plan", "a"), a_phase("execute", "b"), **spec)


def hearing(seconds: float, heard: float | None, worked: float | None = None, **fields: Any) -> Surroundings:
    """A look at this moment, with what Postgres heard and saw."""
    return around(
        seconds,
        heard=None if heard is None else at(heard),
        worked=None if worked is None else at(worked),
        **fields,
    )


def shown(contract: Contract, kind: str = "Progressing") -> tuple[str, str]:
    return condition(contract, kind)[:2]


# Staleness


@pytest.mark.parametrize(
    ("heard", "worked", "stale"),
    [(None, None, True), (5.0, None, True), (60.0, None, False), (None, 60.0, False), (5.0, 60.0, False)],
)
def test_a_contract_whose_supervisor_was_heard_or_saved_something_is_not_stale(
    heard: float | None, worked: float | None, stale: bool
) -> None:
    contract = driven(working(), hearing(THRESHOLD + 10, heard, worked))
    assert shown(contract, "Stale")[0] == ("True" if stale else "False")


def test_it_becomes_stale_a_whole_threshold_after_the_last_heartbeat() -> None:
    contract = driven(working(), hearing(100, 100))
    resting = decide(contract, hearing(110, 100))
    assert resting.status is None
    assert shown(driven(contract, hearing(100 + THRESHOLD - 1, 100)), "Stale")[0] == "False"
    assert shown(driven(contract, hearing(100 + THRESHOLD, 100)), "Stale")[0] == "True"


def test_staleness_ends_with_a_heartbeat() -> None:
    contract = driven(working(), hearing(THRESHOLD, None))
    assert shown(contract, "Stale")[0] == "True"
    assert shown(driven(contract, hearing(THRESHOLD + 5, THRESHOLD + 4)), "Stale")[0] == "False"


# lastActivityTime


def test_a_heartbeat_alone_is_not_written() -> None:
    assert decide(working(), hearing(QUARTER - 1, QUARTER - 2)).status is None


def test_a_heartbeat_rides_on_another_change() -> None:
    contract = driven(wanting(working(), suspend=True), hearing(60, 55))
    assert status_of(contract).last_activity_time == at(55)


def test_a_quarter_of_the_threshold_later_it_is_written_alone_and_once() -> None:
    contract, decisions = drive(working(), hearing(QUARTER, QUARTER - 3))
    assert status_of(contract).last_activity_time == at(QUARTER - 3)
    assert status_of(contract).version == status_of(working()).version
    assert len([item for item in decisions if item.status is not None]) == 1


def test_the_look_comes_when_the_resource_would_mislead() -> None:
    assert decide(working(), hearing(30, 29)).wake_at == at(QUARTER)
    assert decide(working(stale_after_seconds=100), hearing(10, 9)).wake_at == at(25)


def test_without_a_newer_heartbeat_nobody_looks_before_it_is_stale() -> None:
    assert decide(working(), hearing(30, None)).wake_at == at(THRESHOLD)
    assert decide(working(), hearing(30, -5)).wake_at == at(THRESHOLD)


def test_a_finished_contract_is_not_written_for_a_heartbeat() -> None:
    finished = driven(failing(working(), 10), around(11))
    assert decide(finished, hearing(THRESHOLD, THRESHOLD - 1)).status is None


def test_a_heartbeat_from_a_clock_that_is_ahead_counts_as_now() -> None:
    contract = driven(wanting(working(), suspend=True), hearing(60, 90))
    assert status_of(contract).last_activity_time == at(60)


# Progress


def watched(**spec: Any) -> Contract:
    return working(progress_deadline_seconds=100, **spec)


@pytest.mark.parametrize(
    ("now", "heard", "worked", "stuck"),
    [
        (99, 98, None, False),
        (100, 98, None, True),
        (100, None, None, False),  # not heard at all: it may be dead, and others see to that
        (100, -1, None, False),
        (150, 149, 60, False),
        (160, 159, 60, True),
        (500, 70, 80, False),  # silent since it worked
    ],
)
def test_only_heartbeats_without_anything_else_for_the_deadline_are_no_progress(
    now: float, heard: float | None, worked: float | None, stuck: bool
) -> None:
    contract = driven(watched(), hearing(now, heard, worked))
    expected = ("False", "ProgressDeadlineExceeded") if stuck else ("True", "InPhase")
    assert shown(contract) == expected


def test_it_is_told_once_and_ends_with_progress() -> None:
    contract, decisions = drive(watched(), hearing(120, 119))
    assert notices_of(decisions).count("ProgressDeadlineExceeded") == 1
    assert "nothing came of it since 2026-01-01T12:00:00" in condition(contract, "Progressing")[2]
    contract, decisions = drive(contract, hearing(140, 139))
    assert notices_of(decisions) == []
    assert [item for item in decisions if item.status is not None] == []
    contract = driven(contract, hearing(150, 149, 145))
    assert shown(contract) == ("True", "InPhase")
    contract, decisions = drive(contract, hearing(245, 244, 145))
    assert shown(contract) == ("False", "ProgressDeadlineExceeded")
    assert notices_of(decisions).count("ProgressDeadlineExceeded") == 1


@pytest.mark.parametrize(
    "happens",
    [
        lambda contract: reporting(contract, "plan/a"),
        lambda contract: with_tasks(contract, a_task(1).model_copy(update={"start_time": at(90)})),
        lambda contract: with_tasks(
            contract, a_task(1, TaskState.COMPLETED).model_copy(update={"completion_time": at(90)})
        ),
    ],
)
def test_whatever_else_happens_is_progress(happens: Any) -> None:
    contract = driven(happens(watched()), hearing(95, 94))
    assert shown(driven(contract, hearing(180, 179))) == ("True", "InPhase")
    assert shown(driven(contract, hearing(195, 194))) == ("False", "ProgressDeadlineExceeded")


def test_who_waits_for_a_person_is_not_stuck_and_has_the_whole_deadline_after_the_answer() -> None:
    contract = driven(with_questions(watched(), a_question(1)), hearing(50, 49))
    assert shown(driven(contract, hearing(900, 899)))[1] == "WaitingForInput"
    contract = driven(with_questions(contract), hearing(1000, 999))
    assert status_of(contract).state is ContractState.ACTIVE
    assert shown(driven(contract, hearing(1099, 1098)))[1] == "InPhase"
    assert shown(driven(contract, hearing(1100, 1099)))[1] == "ProgressDeadlineExceeded"


def test_a_pause_freezes_the_deadline() -> None:
    contract = driven(wanting(watched(), suspend=True), hearing(50, 49))
    assert shown(driven(contract, hearing(900, 899)))[1] == "Paused"
    contract = driven(wanting(contract, suspend=False), hearing(1000, 999))
    assert shown(driven(contract, hearing(1099, 1098)))[1] == "InPhase"


def test_a_look_is_set_for_the_deadline() -> None:
    assert decide(watched(), hearing(10, 9)).wake_at == at(100)


def test_without_the_deadline_or_the_feature_nobody_is_stuck() -> None:
    assert shown(driven(working(), hearing(900, 899)))[1] == "InPhase"
    off = Settings(supervisor_heartbeat=False)
    assert shown(driven(watched(), hearing(900, 899, settings=off)))[1] == "InPhase"
