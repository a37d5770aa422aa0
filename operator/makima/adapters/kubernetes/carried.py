"""`makima.services.supervisor_calls.carried_work.CarriedCluster` on the real API server: the API service's own hand."""

from __future__ import annotations

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.contracts import KubernetesCluster, path_of
from makima.adapters.kubernetes.supervisors import KubernetesSupervisors
from makima.ports import JsonObject

FIELD_MANAGER = "makima-api"


class KubernetesCarried(KubernetesCluster):
    """Contracts and Supervisors by quorum reads; contracts' status is written as makima-api."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._requests = connection
        self._supervisors = KubernetesSupervisors(connection)

    async def supervisor(self, namespace: str, name: str) -> JsonObject | None:
        """The Supervisor as it is now."""
        return await self._supervisors.supervisor(namespace, name)

    async def write_status(self, body: JsonObject) -> JsonObject:
        """PUT the status; resourceVersion and uid in the body are the preconditions."""
        meta = body["metadata"]
        path = path_of("contracts", meta["namespace"], meta["name"], "status")
        return await self._requests.request("PUT", path, body=body, query={"fieldManager": FIELD_MANAGER})
