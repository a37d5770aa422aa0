"""What the operator itself tells a contract: its Jobs began and ended, its workspace was cleared."""

from __future__ import annotations

from dataclasses import replace

from makima.domain.supervisor_calls.told import EndTask, Report, RunTask, WorkspaceCleared
from makima.models.contract import Contract
from makima.models.enums import TaskState
from tests.support.builders import a_task, active, an_id, around, at, driven, status_of, with_tasks


def told(contract: Contract, *reports: Report, seconds: float = 10) -> Contract:
    return driven(contract, replace(around(seconds), reports=reports))


def test_a_task_that_waits_begins_to_run_and_one_that_ended_does_not() -> None:
    contract = with_tasks(active(), a_task(1, TaskState.PENDING), a_task(2, TaskState.FAILED))
    before = status_of(contract).last_activity_time
    contract = told(contract, RunTask(an_id(1)), RunTask(an_id(2)), RunTask(an_id(3)))
    states = [task.state for task in status_of(contract).tasks]
    assert states == [TaskState.RUNNING, TaskState.FAILED]
    assert status_of(contract).last_activity_time == before


def test_the_end_of_a_job_counts_for_whichever_life_spawned_it() -> None:
    contract = with_tasks(active(), a_task(1))
    contract = told(contract, EndTask(None, an_id(1), failed=True, at=at(9), message="exit code 1"))
    (task,) = status_of(contract).tasks
    assert (task.state, task.message, task.completion_time) == (TaskState.FAILED, "exit code 1", at(9))
    assert status_of(contract).last_activity_time == at(10)


def test_clearings_of_a_workspace_are_added_up_and_each_counts_once() -> None:
    contract = active()
    for seconds, removed in ((5, 3), (5, 3), (8, 2)):
        contract = told(contract, WorkspaceCleared(removed, left=1, failed=0, at=at(seconds)))
    found = status_of(contract).workspace
    assert found is not None
    assert (found.worktrees, found.worktrees_removed, found.cleared_time) == (1, 5, at(8))


def test_numbered_clearings_count_once_each_also_in_the_same_second() -> None:
    contract = active()
    for number, removed in ((1, 3), (1, 3), (2, 2), (1, 3)):
        contract = told(contract, WorkspaceCleared(removed, left=1, failed=0, at=at(5), number=number))
    found = status_of(contract).workspace
    assert found is not None
    assert (found.clearings, found.worktrees_removed) == (2, 5)
