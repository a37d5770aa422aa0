"""`makima.ports.Supervisors` on the real API server."""

from __future__ import annotations

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.contracts import ROOT
from makima.adapters.kubernetes.objects import Objects
from makima.errors import Conflict
from makima.ports import JsonObject


class KubernetesSupervisors:
    """Supervisors; every read is a quorum read, every write has its preconditions."""

    def __init__(self, connection: Connection) -> None:
        self._objects = Objects(connection, ROOT, "supervisors")

    async def supervisor(self, namespace: str, name: str) -> JsonObject | None:
        """The Supervisor as it is now."""
        return await self._objects.get(namespace, name)

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
