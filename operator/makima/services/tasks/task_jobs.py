"""Tasks with a template become Jobs, and what becomes of the Jobs goes to Postgres, the contract, and the supervisor.

Level-triggered like contracts: whatever changes, the whole contract is looked at again. Postgres has an end first; the
contract is told until its status says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from makima.domain.backoff import retry_delay
from makima.domain.notices import Notice
from makima.domain.reasons import EventReason
from makima.domain.supervisor_calls.told import Report
from makima.domain.tasks.job_reading import read_job
from makima.domain.tasks.task_jobs import open_job_tasks
from makima.errors import ClusterError, Denied, MakimaError
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.ports import JsonObject, ObjectKey
from makima.services.control_loop.loop import ControlLoop
from makima.services.tasks.task_reports import TaskReports
from makima.services.tasks.task_runs import JobPorts, TaskRuns
from makima.services.tasks.workspace import Workspaces

WORKERS = 4
SWEEP_SECONDS = 0.5

log = logging.getLogger(__name__)


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
        self._reports = TaskReports(self._has_news)
        self._runs = TaskRuns(ports, workspaces, self._reports)
        self.cache, self._loop = workspaces.cache, ControlLoop(self.look, ports.clock, WORKERS)
        self._loop.sweep_seconds = SWEEP_SECONDS
        self._followed: dict[str, _Followed] = {}
        self.on_report: Callable[[str], None] = lambda _uid: None

    def start(self) -> None:
        """Begin to work."""
        self._loop.start()

    async def stop(self) -> None:
        """End; what was under way is found again by whoever leads next."""
        await self._loop.stop()

    def reports(self, uid: str) -> tuple[Report, ...]:
        """What the contract of this UID has to be told."""
        return self._reports.of(uid)

    def _has_news(self, uid: str) -> None:
        self.on_report(uid)  # whoever looks at contracts is known later than this is made

    def at_rest(self, contract: Contract, body: JsonObject) -> None:
        """A contract was looked at and is at rest: what it was told is in its status."""
        uid = contract.metadata.uid
        if contract.status is None or not self._concerns(contract, contract.status):
            self._forget(uid)
            return
        self._reports.settle(uid, contract.status)
        known = self._followed.get(uid)
        self._followed[uid] = _Followed(contract, body, known.failures if known is not None else 0)
        self._loop.queue.put(uid)

    def _concerns(self, contract: Contract, status: ContractStatus) -> bool:
        if contract.metadata.deleting:
            return False
        return bool(open_job_tasks(status) or self.cache.of(contract.metadata.uid) or contract.spec.workspace)

    def contract_gone(self, key: ObjectKey) -> None:
        """A contract is gone, and its Jobs with it."""
        self._workspaces.forget(key.uid)
        self._forget(key.uid)

    def _forget(self, uid: str) -> None:
        """Nothing of this contract has to be followed."""
        self._followed.pop(uid, None)
        self._reports.forget(uid)
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
                await self._runs.step(contract, status, task)
            except ClusterError as error:
                failed = error
        outdated_at = await self._runs.throw_away(contract, status)
        cleared, clear_again_at = await self._workspaces.look(contract, status, followed.body)
        if cleared is not None:
            self._reports.tell(contract.metadata.uid, "workspace", cleared)
        if failed is not None:
            raise failed
        return min((moment for moment in (outdated_at, clear_again_at) if moment is not None), default=None)
