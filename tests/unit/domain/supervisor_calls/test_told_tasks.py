"""Tasks that a supervisor tells of: listed, ended, folded, in one write with all that follows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from makima.domain.reconcile.task_list import LISTED
from makima.domain.supervisor_calls.told import (
    RefusedReport,
    Taken,
)
from makima.models.bounds import TASKS
from makima.models.contract import Contract
from makima.models.enums import ContractState, TaskState
from tests.support.builders import (
    a_gate,
    a_phase,
    a_task,
    accepted,
    active,
    all_tasks,
    an_id,
    at,
    named_tasks,
    status_of,
    with_status,
    with_tasks,
)
from tests.support.told_values import (
    NOW,
    deliver,
    end,
    new_status,
    outcome,
    spawn,
    tell,
)


def test_a_task_is_listed_and_starts_the_contract_in_the_same_write() -> None:
    decision = tell(accepted(a_phase("plan")), spawn(1), spawn(2, template="tests"))
    assert decision.told == (Taken(), Taken())
    status = new_status(decision)
    assert status.state is ContractState.ACTIVE
    assert [(task.id, task.state, task.template) for task in status.tasks] == [
        (an_id(1), TaskState.RUNNING, None),
        (an_id(2), TaskState.PENDING, "tests"),
    ]
    assert status.last_activity_time == at(NOW)


def test_tasks_and_questions_leave_the_version_alone() -> None:
    contract = active(a_phase("plan", "a"))
    status = new_status(tell(contract, spawn(1)))
    assert status.version == status_of(contract).version


@pytest.mark.parametrize("failed", [True, False])
def test_an_end_is_written_once_and_the_first_one_stays(failed: bool) -> None:
    contract = with_tasks(active(a_phase("plan", "a")), a_task(1))
    status = new_status(tell(contract, end(1, failed=failed)))
    (task,) = status.tasks
    assert task.state is (TaskState.FAILED if failed else TaskState.COMPLETED)
    assert (task.completion_time, task.message) == (at(NOW), "done")
    again = tell(with_status(contract, tasks=status.tasks), end(1, failed=not failed))
    assert outcome(again) == Taken(duplicate=True)
    assert again.status is None or again.status.tasks == status.tasks


def test_the_last_task_moves_the_phase_in_the_same_write() -> None:
    phases = (a_phase("plan", gate=a_gate(all_tasks())), a_phase("execute", "b"))
    contract = with_tasks(active(a_phase("plan", "a", gate=a_gate(all_tasks())), phases[1]), a_task(1))
    decision = tell(contract, deliver("plan", "a"), end(1))
    assert (new_status(decision).phase, new_status(decision).version) == ("execute", status_of(contract).version + 1)


def test_spawning_again_spawns_nothing() -> None:
    contract = with_tasks(active(a_phase("plan", "a")), a_task(1))
    decision = tell(contract, spawn(1))
    assert outcome(decision) == Taken(duplicate=True)
    assert decision.status is None or decision.status.tasks == status_of(contract).tasks


def test_a_task_that_is_not_listed_was_folded_and_is_not_counted_again() -> None:
    decision = tell(active(a_phase("plan", "a")), end(9))
    assert outcome(decision) == Taken(duplicate=True)
    assert decision.status is None or not decision.status.task_counts


def full_of(state: TaskState, **fields: Any) -> Contract:
    tasks = [a_task(number, state).model_copy(update=fields) for number in range(TASKS)]
    return with_tasks(active(a_phase("plan", "a")), *tasks)


def test_a_list_full_of_running_tasks_refuses_another_and_names_the_bound() -> None:
    decision = tell(full_of(TaskState.RUNNING), spawn(900))
    found = outcome(decision)
    assert isinstance(found, RefusedReport)
    assert (found.code, found.details["bound"]) == ("VALIDATION_FAILED", TASKS)
    assert f"{TASKS} tasks are listed" in found.message


@pytest.mark.parametrize("state", [TaskState.COMPLETED, TaskState.FAILED])
def test_the_oldest_finished_task_makes_room(state: TaskState) -> None:
    contract = full_of(state, completion_time=at(NOW - 1))
    oldest = status_of(contract).tasks[7].model_copy(update={"completion_time": at(NOW - 2)})
    tasks = (*status_of(contract).tasks[:7], oldest, *status_of(contract).tasks[8:])
    status = new_status(tell(with_tasks(contract, *tasks), spawn(900)))
    assert len(status.tasks) == TASKS
    assert oldest.id not in {task.id for task in status.tasks}
    (count,) = status.task_counts
    assert (count.phase, count.completed + count.failed) == ("plan", 1)


def test_tasks_that_ended_long_ago_fold_when_another_comes() -> None:
    long_ago = at(NOW) - LISTED
    old = [a_task(1, TaskState.COMPLETED), a_task(2, TaskState.FAILED)]
    ended = [task.model_copy(update={"completion_time": long_ago}) for task in old]
    recent = a_task(3, TaskState.COMPLETED).model_copy(update={"completion_time": long_ago + timedelta(seconds=1)})
    status = new_status(tell(with_tasks(active(a_phase("plan", "a")), *ended, recent), spawn(4)))
    assert [task.id for task in status.tasks] == [an_id(3), an_id(4)]
    (count,) = status.task_counts
    assert (count.completed, count.failed) == (1, 1)


def test_a_task_that_a_gate_names_is_never_folded() -> None:
    contract = active(a_phase("plan", "a", gate=a_gate(named_tasks("build"))))
    tasks = [a_task(number, TaskState.COMPLETED).model_copy(update={"completion_time": at(0)}) for number in range(64)]
    found = outcome(tell(with_tasks(contract, *tasks), spawn(900), seconds=5000))
    assert isinstance(found, RefusedReport)
