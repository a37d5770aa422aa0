"""What to do about the Jobs of a contract's tasks: pure decisions, one task at a time; and when to clear up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from makima.domain.reconcile.states import FINISHED
from makima.domain.reconcile.task_list import ENDED
from makima.domain.tasks.job_reading import JobSeen
from makima.models.contract import Contract
from makima.models.contract_spec import ClearRequest, TaskTemplate
from makima.models.contract_status import ContractStatus, TaskStatus
from makima.models.enums import ContractState, TaskState
from makima.models.labels import TASK_ROLE

KEPT = timedelta(hours=1)
"""How long the Job of an ended task stays, for whoever wants to read its log."""

CLEAR_EVERY = timedelta(minutes=10)
"""Least time between two clearings of a workspace that is in use."""


@dataclass(frozen=True, slots=True)
class CreateJob:
    """Run the task."""

    template: TaskTemplate


@dataclass(frozen=True, slots=True)
class SayRunning:
    """Its Job is there, and the status does not say so yet."""


@dataclass(frozen=True, slots=True)
class SayEnded:
    """The task has ended; `delete` its Job, which would go on."""

    failed: bool
    at: datetime
    message: str
    delete: bool = False
    ask_pod: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing to do now."""


TaskAction = CreateJob | SayRunning | SayEnded | Leave


def open_job_tasks(status: ContractStatus) -> tuple[TaskStatus, ...]:
    """Tasks that run as Jobs and have not ended."""
    return tuple(task for task in status.tasks if task.template is not None and task.state not in ENDED)


def decide_task(
    contract: Contract, status: ContractStatus, task: TaskStatus, job: JobSeen | None, now: datetime
) -> TaskAction:
    """What to do about one open task.

    Args:
        job: as the API server has it; None only if it was asked just now.
    """
    over = status.state in FINISHED
    if job is not None and job.ended_at is not None:
        return SayEnded(job.failed, job.ended_at, job.message, ask_pod=True)
    if over:
        return SayEnded(True, now, f"the contract is {status.state}", delete=job is not None)
    if job is not None:
        return SayRunning() if task.state is TaskState.PENDING else Leave()
    if task.state is not TaskState.PENDING:
        return SayEnded(True, now, "its Job was deleted before it ended")
    template = next((item for item in contract.spec.task_templates if item.name == task.template), None)
    if template is None:
        return SayEnded(True, now, f"the contract has no task template {task.template}")
    return Leave() if contract.spec.suspend or status.state is ContractState.PAUSED else CreateJob(template)


def outdated(status: ContractStatus, jobs: Iterable[JobSeen], now: datetime) -> tuple[list[JobSeen], datetime | None]:
    """Jobs of ended tasks that were kept long enough, and when the next one will have been."""
    unfinished = {task.id for task in open_job_tasks(status)}
    ended = [(job.ended_at + KEPT, job) for job in jobs if _kept(job, unfinished) and job.ended_at is not None]
    later = [until for until, _ in ended if until > now]
    return [job for until, job in ended if until <= now], min(later, default=None)


def _kept(job: JobSeen, unfinished: set[str]) -> bool:
    return job.role == TASK_ROLE and job.ended_at is not None and job.task not in unfinished


def clear_at(contract: Contract, status: ContractStatus, jobs: Iterable[JobSeen]) -> datetime | None:
    """When the workspace has to be cleared up next; None = there is nothing to clear.

    Once after the contract has finished, in between when tasks have ended since the last time, and when a person asks.
    """
    if contract.spec.workspace is None:
        return None
    if clearing_wished(contract, status) is not None:
        return status.state_changed_time
    return _cleared_by_itself(status, jobs)


def clearing_wished(contract: Contract, status: ContractStatus) -> ClearRequest | None:
    """The clearing that a person asks for and that has not been made yet."""
    wish, place = contract.spec.clear_workspace, status.workspace
    made = place.clearings if place is not None else 0
    return wish if wish is not None and wish.expected_clearings == made else None


def only_counts(contract: Contract, status: ContractStatus, jobs: Iterable[JobSeen], now: datetime) -> bool:
    """Whether the clearing that is due is to remove nothing: it is wished so, and none is due by itself."""
    wish, due = clearing_wished(contract, status), _cleared_by_itself(status, jobs)
    return wish is not None and wish.dry_run and (due is None or due > now)


def _cleared_by_itself(status: ContractStatus, jobs: Iterable[JobSeen]) -> datetime | None:
    if not (status.tasks or status.task_counts):
        return None
    last = status.workspace.cleared_time if status.workspace is not None else None
    if status.finished_time is not None and status.state in FINISHED:
        return status.finished_time if last is None or last < status.finished_time else None
    ends = [job.ended_at for job in jobs if job.role == TASK_ROLE and job.ended_at is not None]
    fresh = [end for end in ends if last is None or end > last]
    if not fresh:
        return None
    return max(fresh) if last is None else max(*fresh, last + CLEAR_EVERY)
