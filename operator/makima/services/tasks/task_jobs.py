"""Tasks with a template become Jobs, and what becomes of the Jobs goes to Postgres, the contract, and the supervisor.

Level-triggered like contracts: whatever changes, the whole contract is looked at again. Postgres has an end first; the
contract is told until its status says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from makima.domain.backoff import retry_delay
from makima.domain.notices import Notice
from makima.domain.reasons import EventReason
from makima.domain.reconcile.task_list import ENDED
from makima.domain.supervisor_calls.told import EndTask, Report, RunTask, WorkspaceCleared
from makima.domain.tasks.job_manifest import TaskToRun, task_job, task_job_name
from makima.domain.tasks.job_reading import JobSeen, read_job
from makima.domain.tasks.task_jobs import CreateJob, SayEnded, SayRunning, decide_task, open_job_tasks, outdated
from makima.errors import ClusterError, Denied, MakimaError
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus, TaskStatus
from makima.models.enums import TaskState
from makima.ports import Clock, EventSink, Jobs, JsonObject, ObjectKey
from makima.services.control_loop.loop import ControlLoop
from makima.services.tasks.task_ends import TaskEnds
from makima.services.tasks.workspace import Workspaces
from makima.stores import CommandStore, WorkStore

WORKERS = 4
SWEEP_SECONDS = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobPorts:
    """Everything that tasks talk to."""

    jobs: Jobs
    work: WorkStore
    commands: CommandStore
    events: EventSink
    clock: Clock


@dataclass(slots=True)
class _Followed:
    contract: Contract
    body: JsonObject
    failures: int = 0


class TaskJobs:
    """Runs and follows the Jobs of all contracts.

    Attributes:
        on_report: called with the UID of a contract that has something to be told (`reports`).
    """

    def __init__(self, ports: JobPorts, workspaces: Workspaces) -> None:
        self._ports, self._workspaces = ports, workspaces
        self._ends = TaskEnds(ports.jobs, ports.work, ports.commands)
        self.cache, self._loop = workspaces.cache, ControlLoop(self.look, ports.clock, WORKERS)
        self._loop.sweep_seconds = SWEEP_SECONDS
        self._followed: dict[str, _Followed] = {}
        self._reports: dict[str, dict[str, Report]] = {}
        self.on_report: Callable[[str], None] = lambda _uid: None

    def start(self) -> None:
        """Begin to work."""
        self._loop.start()

    async def stop(self) -> None:
        """End; what was under way is found again by whoever leads next."""
        await self._loop.stop()

    def reports(self, uid: str) -> tuple[Report, ...]:
        """What the contract of this UID has to be told."""
        return tuple(self._reports.get(uid, {}).values())

    def at_rest(self, contract: Contract, body: JsonObject) -> None:
        """A contract was looked at and is at rest: what it was told is in its status."""
        uid = contract.metadata.uid
        if contract.status is None or not self._concerns(contract, contract.status):
            self._forget(uid)
            return
        self._settle(uid, contract.status)
        known = self._followed.get(uid)
        self._followed[uid] = _Followed(contract, body, known.failures if known is not None else 0)
        self._loop.queue.put(uid)

    def _concerns(self, contract: Contract, status: ContractStatus) -> bool:
        if contract.metadata.deleting:
            return False
        return bool(open_job_tasks(status) or self.cache.of(contract.metadata.uid) or contract.spec.workspace)

    def _settle(self, uid: str, status: ContractStatus) -> None:
        """Forget what the contract has been told."""
        left = {key: item for key, item in self._reports.get(uid, {}).items() if not _settled(status, key, item)}
        if left:
            self._reports[uid] = left
        else:
            self._reports.pop(uid, None)

    def contract_gone(self, key: ObjectKey) -> None:
        """A contract is gone, and its Jobs with it."""
        self._workspaces.forget(key.uid)
        self._forget(key.uid)

    def _forget(self, uid: str) -> None:
        """Nothing of this contract has to be followed."""
        self._followed.pop(uid, None)
        self._reports.pop(uid, None)
        self._loop.deadlines.set(uid, None)

    def see_job(self, kind: str | None, body: JsonObject) -> None:
        """The watch saw a Job."""
        job = read_job(body)
        if job is None:
            return
        if kind == "DELETED":
            self.cache.see_gone(job)
        else:
            self.cache.see(job)
        if job.owner in self._followed:
            self._loop.queue.put(job.owner)
        else:
            self.on_report(job.owner)  # the contract's rest says whether there is something to do

    async def compare(self) -> None:
        """Compare what is known with what there is: a watch may have missed the end of a Job.

        Raises:
            ClusterError: the list is not to be had.
        """
        known = {(job.namespace, job.name, job.uid): job for job in self.cache.every()}
        there = [job for body in await self._ports.jobs.list_jobs() if (job := read_job(body)) is not None]
        for job in there:
            if known.pop((job.namespace, job.name, job.uid), None) != job:
                self.cache.see(job)
                self.on_report(job.owner)
        for job in known.values():
            self.cache.see_gone(job)
            self.on_report(job.owner)

    async def look(self, uid: str) -> None:
        """Look at one contract's tasks and workspace. Errors become a later look; never raises."""
        followed = self._followed.get(uid)
        if followed is None or followed.contract.status is None:
            return
        try:
            wake = await self._act(followed, followed.contract.status)
            followed.failures = 0
            self._loop.deadlines.set(uid, wake)
        except MakimaError as error:
            followed.failures += 1
            self._tell(followed, error)
            delay = timedelta(seconds=retry_delay(followed.failures))
            self._loop.deadlines.set(uid, self._ports.clock.now() + delay)
        except Exception:  # a bug must not stop the other contracts; it is logged whole and retried
            followed.failures += 1
            log.exception("tasks of contract %s: unexpected error", uid)
            self._loop.deadlines.set(uid, self._ports.clock.now() + timedelta(seconds=30))

    def _tell(self, followed: _Followed, error: MakimaError) -> None:
        meta = followed.contract.metadata
        log.warning("tasks of contract %s/%s: %s", meta.namespace, meta.name, error)
        if isinstance(error, Denied):
            notice = Notice(EventReason.TASK_NOT_STARTED, str(error), warning=True)
            self._ports.events.publish(followed.body, notice, self._ports.clock.now())

    async def _act(self, followed: _Followed, status: ContractStatus) -> datetime | None:
        """Everything that is to be done now; one task that can't be run does not hold up the others."""
        contract = followed.contract
        await self._workspaces.ensure(contract)
        failed: ClusterError | None = None
        for task in open_job_tasks(status):
            try:
                await self._task(contract, status, task)
            except ClusterError as error:
                failed = error
        outdated_at = await self._throw_away(contract, status)
        cleared, clear_again_at = await self._workspaces.look(contract, status, followed.body)
        if cleared is not None:
            self._report(contract.metadata.uid, "workspace", cleared)
        if failed is not None:
            raise failed
        return min((moment for moment in (outdated_at, clear_again_at) if moment is not None), default=None)

    async def _task(self, contract: Contract, status: ContractStatus, task: TaskStatus) -> None:
        if task.id in self._reports.get(contract.metadata.uid, {}):
            return  # decided; the contract does not know it yet
        job = await self._job(contract.metadata.namespace, task.id)
        match decide_task(contract, status, task, job, self._ports.clock.now()):
            case CreateJob(template):
                await self._create(contract, task, task_job_name(task.id), template.name)
                self._report(contract.metadata.uid, task.id, RunTask(task.id))
            case SayRunning():
                self._report(contract.metadata.uid, task.id, RunTask(task.id))
            case SayEnded() as ended:
                await self._end(contract, task, ended, job)

    async def _job(self, namespace: str, task_id: str) -> JobSeen | None:
        known = self.cache.get(namespace, task_job_name(task_id))
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
        self._report(contract.metadata.uid, task.id, report)

    async def _throw_away(self, contract: Contract, status: ContractStatus) -> datetime | None:
        old, later = outdated(status, self.cache.of(contract.metadata.uid), self._ports.clock.now())
        for job in old:
            await self._ports.jobs.delete_job(job.namespace, job.name, job.uid)
        return later

    def _report(self, uid: str, about: str, report: Report) -> None:
        self._reports.setdefault(uid, {})[about] = report
        self.on_report(uid)


def _settled(status: ContractStatus, about: str, report: Report) -> bool:
    """Whether the contract's status says so by now."""
    if isinstance(report, WorkspaceCleared):
        return status.workspace is not None and status.workspace.cleared_time >= report.at
    task = next((item for item in status.tasks if item.id == about), None)
    if task is None or task.state in ENDED:
        return True
    return isinstance(report, RunTask) and task.state is not TaskState.PENDING
