"""`makima.ports.Cluster` on the real API server."""

from __future__ import annotations

from urllib.parse import quote

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.version_lists import list_versions
from makima.errors import NotFound
from makima.models.contract_type import ContractType
from makima.models.markers import API_GROUP, API_VERSION
from makima.ports import JsonObject, ObjectKey

ROOT = f"/apis/{API_GROUP}/{API_VERSION}"
FIELD_MANAGER = "makima-operator"


def path_of(plural: str, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
    """The path of a kind, or of one object, of makima's API group."""
    parts = [ROOT]
    if namespace is not None:
        parts += ["namespaces", quote(namespace, safe="")]
    parts += [plural, *(quote(part, safe="") for part in (name, subresource) if part is not None)]
    return "/".join(parts)


class KubernetesCluster:
    """Contracts on the API server; every read is a quorum read, every write has its preconditions.

    `namespaces` limits what is listed; empty = all.
    """

    def __init__(self, connection: Connection, namespaces: tuple[str, ...] = ()) -> None:
        self._connection, self._namespaces = connection, namespaces

    async def contract(self, namespace: str, name: str) -> JsonObject | None:
        """The contract as it is now."""
        return await self._get(path_of("contracts", namespace, name))

    async def contract_type(self, namespace: str, name: str) -> ContractType | None:
        """The ContractType as it is now."""
        found = await self._get(path_of("contracttypes", namespace, name))
        return ContractType.model_validate(found) if found is not None else None

    async def write_status(self, body: JsonObject) -> JsonObject:
        """PUT the status; resourceVersion and uid in the body are the preconditions."""
        meta = body["metadata"]
        path = path_of("contracts", meta["namespace"], meta["name"], "status")
        return await self._connection.request("PUT", path, body=body, query={"fieldManager": FIELD_MANAGER})

    async def delete_contract(self, key: ObjectKey, resource_version: str) -> None:
        """DELETE with uid and resourceVersion as preconditions; gone already is fine."""
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Background",
            "preconditions": {"uid": key.uid, "resourceVersion": resource_version},
        }
        try:
            await self._connection.request("DELETE", path_of("contracts", key.namespace, key.name), body=options)
        except NotFound:
            return

    async def list_contract_versions(self) -> dict[ObjectKey, str]:
        """Which contracts there are, and as of which resourceVersion: in pages, without their content."""
        paths = [path_of("contracts", namespace) for namespace in self._namespaces or (None,)]
        return await list_versions(self._connection, paths)

    async def _get(self, path: str) -> JsonObject | None:
        try:
            return await self._connection.request("GET", path)
        except NotFound:
            return None
