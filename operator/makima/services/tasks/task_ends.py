"""The end of a task that ran as a Job, into Postgres, together with the command that tells its supervisor."""

from __future__ import annotations

from uuid import UUID, uuid5

from makima.domain.tasks.job_reading import JobSeen
from makima.domain.tasks.task_jobs import SayEnded
from makima.errors import NotFound
from makima.models.contract import Contract
from makima.models.contract_status import TaskStatus
from makima.models.enums import CommandKind, TaskState
from makima.models.supervision import StoredCommand, StoredTask
from makima.ports import Jobs
from makima.stores import CommandStore, WorkStore

MESSAGE = 256


class TaskEnds:
    """Stores ends. Doing it again changes nothing: the first end stays, and the command's id is made of the task's."""

    def __init__(self, jobs: Jobs, work: WorkStore, commands: CommandStore) -> None:
        self._jobs, self._work, self._commands = jobs, work, commands

    async def store(self, contract: Contract, task: TaskStatus, ended: SayEnded, job: JobSeen | None) -> StoredTask:
        """Store the end of a task.

        Args:
            job: whose pod is asked for its last words, where it ended by itself.

        Returns:
            The task as it is stored: perhaps with an end that it had before.

        Raises:
            MakimaError: Postgres or the API server is away.
        """
        words = ""
        if ended.ask_pod and job is not None:
            words = await self._jobs.last_words(job.namespace, job.name)
        message = (words.strip() or ended.message).replace("\0", "")[:MESSAGE]
        stored = await self._stored(_ended(contract, task, ended, message))
        await self._commands.put([_finished(stored)])
        return stored

    async def _stored(self, end: StoredTask) -> StoredTask:
        try:
            return await self._work.end_task(end)
        except NotFound:  # Postgres lost it; the status and the Job have it
            return await self._work.spawn_task(end)


def _ended(contract: Contract, task: TaskStatus, ended: SayEnded, message: str) -> StoredTask:
    return StoredTask(
        id=UUID(task.id),
        contract_id=UUID(contract.metadata.uid),
        phase=task.phase,
        name=task.name,
        state=TaskState.FAILED if ended.failed else TaskState.COMPLETED,
        created_at=task.start_time or ended.at,
        template=task.template,
        message=message or None,
        completed_at=ended.at,
    )


def _finished(task: StoredTask) -> StoredCommand:
    payload = {"task_id": str(task.id), "state": task.state.snake, "message": task.message or ""}
    at = task.completed_at or task.created_at
    return StoredCommand(uuid5(task.id, "finished"), task.contract_id, CommandKind.TASK_FINISHED, at, payload)
