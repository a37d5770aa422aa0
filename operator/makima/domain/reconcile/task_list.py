"""The tasks in a contract's status: a bounded list, from which finished ones fold into counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from makima.models.bounds import TASKS
from makima.models.contract_status import ContractStatus, TaskCount, TaskStatus
from makima.models.enums import TaskState
from makima.models.gate import Phase

ENDED = frozenset({TaskState.COMPLETED, TaskState.FAILED})

LISTED = timedelta(minutes=10)
"""How long a finished task stays listed if there is room: so long, a repeated report of it is recognised."""


def first_state(template: str | None) -> TaskState:
    """State of a new task: one with a template waits for its Job, another is run by its supervisor from the start."""
    return TaskState.RUNNING if template is None else TaskState.PENDING


def with_task(status: ContractStatus, task: TaskStatus, now: datetime) -> ContractStatus | None:
    """The status with one more task, and those folded that need not be listed; None = there is no room for it."""
    foldable = [item for item in status.tasks if _foldable(item, status.phases)]
    foldable.sort(key=lambda item: item.completion_time or now)
    surplus = len(status.tasks) + 1 - TASKS
    if surplus > len(foldable):
        return None
    leaving = [item for n, item in enumerate(foldable) if n < surplus or _old(item, now)]
    status = folded(status, leaving)
    return status.model_copy(update={"tasks": (*status.tasks, task)})


def folded(status: ContractStatus, leaving: Iterable[TaskStatus]) -> ContractStatus:
    """The status with these finished tasks as counts."""
    counts = {count.phase: count for count in status.task_counts}
    gone = {task.id for task in leaving}
    for task in status.tasks:
        if task.id in gone:
            counts[task.phase] = _counted(counts.get(task.phase), task)
    left = tuple(task for task in status.tasks if task.id not in gone)
    return status.model_copy(update={"tasks": left, "task_counts": tuple(counts.values())})


def _counted(before: TaskCount | None, task: TaskStatus) -> TaskCount:
    old = before or TaskCount(phase=task.phase, completed=0, failed=0)
    key = "completed" if task.state is TaskState.COMPLETED else "failed"
    return old.model_copy(update={key: getattr(old, key) + 1})


def _foldable(task: TaskStatus, phases: tuple[Phase, ...]) -> bool:
    """A gate that names tasks has to see them; every other counts them."""
    named = {
        (phase.name, name)
        for phase in phases
        if phase.gate is not None and phase.gate.required_tasks is not None
        for name in phase.gate.required_tasks.names
    }
    return task.state in ENDED and (task.phase, task.name) not in named


def _old(task: TaskStatus, now: datetime) -> bool:
    return task.completion_time is not None and now - task.completion_time >= LISTED
