"""`makima.ports.Volumes` on the real API server."""

from __future__ import annotations

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.objects import Objects
from makima.errors import Conflict
from makima.ports import JsonObject


class KubernetesVolumes:
    """Claims of workspaces."""

    def __init__(self, connection: Connection) -> None:
        self._objects = Objects(connection, "/api/v1", "persistentvolumeclaims")

    async def create_claim(self, body: JsonObject) -> None:
        """Make the claim, unless there is one of that name."""
        try:
            await self._objects.create(body)
        except Conflict:
            return
