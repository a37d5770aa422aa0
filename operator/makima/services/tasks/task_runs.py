"""What is done about one task that runs as a Job: made, found running or ended, thrown away once it is old."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makima.domain.supervisor_calls.told import EndTask, RunTask
from makima.domain.tasks.job_manifest import TaskToRun, task_job, task_job_name
from makima.domain.tasks.job_reading import JobSeen, read_job
from makima.domain.tasks.task_jobs import CreateJob, SayEnded, SayRunning, decide_task, outdated
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus, TaskStatus
from makima.models.enums import TaskState
from makima.ports import Clock, EventSink, Jobs
from makima.services.tasks.task_ends import TaskEnds
from makima.services.tasks.task_reports import TaskReports
from makima.services.tasks.workspace import Workspaces
from makima.stores import CommandStore, WorkStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobPorts:
    """Everything that tasks talk to."""

    jobs: Jobs
    work: WorkStore
    commands: CommandStore
    events: EventSink
    clock: Clock


class TaskRuns:
    """Takes the step that a task needs now. All raise `MakimaError`; nothing is then known about the step."""

    def __init__(self, ports: JobPorts, workspaces: Workspaces, reports: TaskReports) -> None:
        self._ports, self._workspaces, self._reports = ports, workspaces, reports
        self._cache = workspaces.cache
        self._ends = TaskEnds(ports.jobs, ports.work, ports.commands)

    async def step(self, contract: Contract, status: ContractStatus, task: TaskStatus) -> None:
        """Look at its Job, and do what follows."""
        if self._reports.holds(contract.metadata.uid, task.id):
            return
        job = await self._job(contract.metadata.namespace, task.id)
        match decide_task(contract, status, task, job, self._ports.clock.now()):
            case CreateJob(template):
                await self._create(contract, task, task_job_name(task.id), template.name)
                self._reports.tell(contract.metadata.uid, task.id, RunTask(task.id))
            case SayRunning():
                self._reports.tell(contract.metadata.uid, task.id, RunTask(task.id))
            case SayEnded() as ended:
                await self._end(contract, task, ended, job)

    async def _job(self, namespace: str, task_id: str) -> JobSeen | None:
        known = self._cache.get(namespace, task_job_name(task_id))
        if known is not None:
            return known
        body = await self._ports.jobs.job(namespace, task_job_name(task_id))
        return read_job(body) if body is not None else None

    async def _create(self, contract: Contract, task: TaskStatus, name: str, template_name: str) -> None:
        template = next(item for item in contract.spec.task_templates if item.name == template_name)
        arguments = await self._arguments(contract, task)
        run = TaskToRun(task.id, task.name, task.phase, arguments)
        await self._ports.jobs.create_job(task_job(contract, template, run, self._workspaces.git_image))
        meta = contract.metadata
        log.info("contract %s/%s: task %s runs as Job %s", meta.namespace, meta.name, task.name, name)

    async def _arguments(self, contract: Contract, task: TaskStatus) -> tuple[str, ...]:
        """Postgres has them; without, the task waits rather than run with others than were asked for."""
        stored = await self._ports.work.tasks(UUID(contract.metadata.uid))
        return next((item.arguments for item in stored if str(item.id) == task.id), ())

    async def _end(self, contract: Contract, task: TaskStatus, ended: SayEnded, job: JobSeen | None) -> None:
        if ended.delete and job is not None:
            await self._ports.jobs.delete_job(job.namespace, job.name, job.uid)
        stored = await self._ends.store(contract, task, ended, job)
        report = EndTask(
            None, task.id, stored.state is TaskState.FAILED, stored.completed_at or ended.at, stored.message or ""
        )
        self._reports.tell(contract.metadata.uid, task.id, report)

    async def throw_away(self, contract: Contract, status: ContractStatus) -> datetime | None:
        """Delete Jobs of tasks that ended long ago; when the next one is old enough."""
        old, later = outdated(status, self._cache.of(contract.metadata.uid), self._ports.clock.now())
        for job in old:
            await self._ports.jobs.delete_job(job.namespace, job.name, job.uid)
        return later
