"""`makima.ports.Supervisors` on the real API server."""

from __future__ import annotations

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.contracts import ROOT
from makima.adapters.kubernetes.objects import Objects
from makima.adapters.kubernetes.version_lists import list_versions
from makima.errors import Conflict
from makima.ports import JsonObject, ObjectKey


class KubernetesSupervisors:
    """Supervisors; every read is a quorum read, every write has its preconditions.

    `namespaces` limits what is listed; empty = all.
    """

    def __init__(self, connection: Connection, namespaces: tuple[str, ...] = ()) -> None:
        self._connection, self._namespaces = connection, namespaces
        self._objects = Objects(connection, ROOT, "supervisors")

    async def supervisor(self, namespace: str, name: str) -> JsonObject | None:
        """The Supervisor as it is now."""
        return await self._objects.get(namespace, name)

    async def list_supervisor_versions(self) -> dict[ObjectKey, str]:
        """Which there are, and as of which resourceVersion."""
        paths = [self._objects.path(namespace) for namespace in self._namespaces or (None,)]
        return await list_versions(self._connection, paths)

    async def create_supervisor(self, body: JsonObject) -> JsonObject | None:
        """Make it; None if there is one of that name."""
        try:
            return await self._objects.create(body)
        except Conflict:
            return None

    async def replace_supervisor(self, body: JsonObject) -> JsonObject:
        """Replace its spec."""
        return await self._objects.replace(body)

    async def write_status(self, body: JsonObject) -> JsonObject:
        """Replace its status."""
        return await self._objects.replace(body, "status")
