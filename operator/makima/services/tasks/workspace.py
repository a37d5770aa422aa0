"""Workspaces: the claim of each, and Jobs that take worktrees of ended and vanished tasks away."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from makima.domain.notices import Notice
from makima.domain.reasons import EventReason
from makima.domain.reconcile.states import FINISHED
from makima.domain.reconcile.task_list import ENDED
from makima.domain.supervisor_calls.take_told import is_new_clearing
from makima.domain.supervisor_calls.told import WorkspaceCleared
from makima.domain.tasks.job_reading import Cleared, JobSeen, read_cleared
from makima.domain.tasks.task_jobs import clear_at, clearing_wished, only_counts
from makima.domain.tasks.workspace_manifest import (
    Clearing,
    clearing_job,
    clearing_job_name,
    git_image_of,
    workspace_claim,
)
from makima.models.contract import Contract
from makima.models.contract_status import ContractStatus
from makima.ports import Clock, EventSink, Jobs, JsonObject, Volumes
from makima.services.tasks.job_cache import JobCache
from makima.stores import WorkStore

VANISHED = timedelta(hours=1)
"""Age from which on a worktree that belongs to no task is nobody's: one that is younger may be of a task that was
spawned after the clearing began."""

NO_IMAGE = "the workspace can't be cleared up: no image with git is known; set git_image of [supervisors]"

log = logging.getLogger(__name__)


class WorkspaceMetrics(Protocol):
    """What is counted of workspaces."""

    def workspace_cleared(self, uid: str, left: int, removed: int, failed: int) -> None:
        """A clearing of the workspace of this contract ended."""
        ...

    def workspace_gone(self, uid: str) -> None:
        """The contract is gone."""
        ...


@dataclass(frozen=True, slots=True)
class WorkspacePorts:
    """Everything that workspaces talk to."""

    jobs: Jobs
    volumes: Volumes
    work: WorkStore
    events: EventSink
    metrics: WorkspaceMetrics
    clock: Clock


class Workspaces:
    """The workspaces of all contracts.

    Attributes:
        cache: Jobs as last seen; shared with whoever follows those of tasks.
        git_image: image with a shell and git; "" = that of the contract's own pods.
    """

    def __init__(self, ports: WorkspacePorts, git_image: str = "") -> None:
        self._jobs, self._volumes, self._work = ports.jobs, ports.volumes, ports.work
        self._events, self._metrics, self._clock = ports.events, ports.metrics, ports.clock
        self._claimed: set[str] = set()
        self.cache, self.git_image = JobCache(), git_image

    async def ensure(self, contract: Contract) -> None:
        """Make the claim, once; a finished contract gets none.

        Raises:
            ClusterError: it could not be made.
        """
        uid, claim = contract.metadata.uid, workspace_claim(contract)
        finished = contract.status is None or contract.status.state in FINISHED
        if claim is None or finished or uid in self._claimed:
            return
        await self._volumes.create_claim(claim)
        self._claimed.add(uid)

    async def look(
        self, contract: Contract, status: ContractStatus, body: JsonObject
    ) -> tuple[WorkspaceCleared | None, datetime | None]:
        """Clear up where it is time.

        Returns:
            What the contract has to be told, and when to look again.

        Raises:
            MakimaError: the API server or Postgres is away.
        """
        meta = contract.metadata
        job = self.cache.get(meta.namespace, clearing_job_name(meta.uid))
        if job is not None and job.ended_at is None:
            return None, None
        if job is not None and job.ended_at and is_new_clearing(status.workspace, job.clearing, job.ended_at):
            return await self._cleared(status, body, job, job.ended_at), None
        due = clear_at(contract, status, self.cache.of(meta.uid))
        if due is None or due > self._clock.now():
            return None, due
        if job is not None:  # of the last time: its name is needed, and the watch tells when it is gone
            await self._jobs.delete_job(job.namespace, job.name, job.uid)
            return None, self._clock.now() + timedelta(seconds=5)
        await self._clear(contract, status, body)
        return None, None

    async def _clear(self, contract: Contract, status: ContractStatus, body: JsonObject) -> None:
        image, now = git_image_of(contract, self.git_image), self._clock.now()
        if image is None:  # nothing of the contract ever ran in the cluster, and no image is configured
            if clearing_wished(contract, status) is not None:
                notice = Notice(EventReason.WORKSPACE_NOT_CLEARED, NO_IMAGE, warning=True)
                self._events.publish(body, notice, now)
            return
        tasks = await self._work.tasks(UUID(contract.metadata.uid))
        clearing = Clearing(
            number=(status.workspace.clearings if status.workspace is not None else 0) + 1,
            open=tuple(str(task.id) for task in tasks if task.state not in ENDED),
            ended=tuple(str(task.id) for task in tasks if task.state in ENDED),
            before=now - VANISHED,
            only_counts=only_counts(contract, status, self.cache.of(contract.metadata.uid), now),
        )
        await self._jobs.create_job(clearing_job(contract, clearing, image))
        log.info("contract %s/%s: clears up its workspace", contract.metadata.namespace, contract.metadata.name)

    async def _cleared(
        self, status: ContractStatus, body: JsonObject, job: JobSeen, ended: datetime
    ) -> WorkspaceCleared:
        said = read_cleared(await self._jobs.last_words(job.namespace, job.name))
        if said is None:
            left = status.workspace.worktrees if status.workspace is not None else 0
            said = Cleared(0, left, 1, status.workspace.orphans if status.workspace is not None else 0)
            text = f"the workspace could not be cleared up: {job.message or 'its Job left no report'}"
            self._events.publish(body, Notice(EventReason.WORKSPACE_NOT_CLEARED, text, warning=True), ended)
        self._metrics.workspace_cleared(job.owner, said.left, said.removed, said.failed)
        return WorkspaceCleared(said.removed, said.left, said.failed, ended, orphans=said.orphans, number=job.clearing)

    def forget(self, uid: str) -> None:
        """The contract is gone."""
        self._claimed.discard(uid)
        self._metrics.workspace_gone(uid)
