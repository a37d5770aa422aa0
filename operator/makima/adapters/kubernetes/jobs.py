"""`makima.ports.Jobs` on the real API server."""

from __future__ import annotations

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.objects import Objects
from makima.errors import Conflict
from makima.models.labels import ROLE_LABEL
from makima.ports import JsonObject

JOB_NAME = "batch.kubernetes.io/job-name"


class KubernetesJobs:
    """Jobs of tasks and of workspaces. `namespaces` limits what is listed; empty = all."""

    def __init__(self, connection: Connection, namespaces: tuple[str, ...] = ()) -> None:
        self._jobs = Objects(connection, "/apis/batch/v1", "jobs")
        self._pods, self._namespaces = Objects(connection, "/api/v1", "pods"), namespaces

    async def job(self, namespace: str, name: str) -> JsonObject | None:
        """The Job as it is now."""
        return await self._jobs.get(namespace, name)

    async def create_job(self, body: JsonObject) -> None:
        """Make it, unless there is one of that name: the name says what it is for."""
        try:
            await self._jobs.create(body)
        except Conflict:
            return

    async def delete_job(self, namespace: str, name: str, uid: str) -> None:
        """Delete exactly this Job and its pods."""
        await self._jobs.delete(namespace, name, uid)

    async def list_jobs(self) -> list[JsonObject]:
        """Every Job that the operator made."""
        return [item async for item in self._jobs.every(self._namespaces, ROLE_LABEL)]

    async def last_words(self, namespace: str, name: str) -> str:
        """What the newest pod of a Job left as its termination message; "" where there is none."""
        pods = [item async for item in self._pods.every((namespace,), f"{JOB_NAME}={name}")]
        pods.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp")))
        return next((text for pod in reversed(pods) if (text := _message(pod))), "")


def _message(pod: JsonObject) -> str:
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        ended = (container.get("state") or {}).get("terminated") or {}
        if ended.get("message"):
            return str(ended["message"])
    return ""
