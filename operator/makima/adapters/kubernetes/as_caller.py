"""`makima.ports.AsCaller`: the API server, called with a caller's own bearer token and nothing of makima's.

Connections of their own: one that shows a client certificate of makima's would be makima to the API server, whatever
token is sent along.
"""

from __future__ import annotations

import aiohttp
from kubernetes.aio.client import Configuration

from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.contracts import path_of
from makima.models.credential import Credential
from makima.ports import JsonObject, ObjectKey, Operations

JSON_PATCH = "application/json-patch+json"
TRUSTED = (
    "host",
    "ssl_ca_cert",
    "ca_cert_data",
    "verify_ssl",
    "disable_strict_ssl_verification",
    "tls_server_name",
    "proxy",
    "proxy_headers",
    "no_proxy",
    "connection_pool_maxsize",
)
"""What says where the API server is and how it is recognised; not who calls."""


class KubernetesAsCaller:
    """Contracts, written as whoever calls."""

    def __init__(self, configuration: Configuration) -> None:
        self._connection = Connection(without_credentials(configuration), "makima-api for-a-caller")

    async def close(self) -> None:
        """Close every connection."""
        await self._connection.close()

    async def create_contract(self, credential: Credential, body: JsonObject, manager: str) -> JsonObject:
        """POST; unknown fields are refused, not dropped."""
        return await self._connection.request(
            "POST",
            path_of("contracts", body["metadata"]["namespace"]),
            body=body,
            query={"fieldManager": manager, "fieldValidation": "Strict"},
            headers=_as(credential),
        )

    async def patch_contract(
        self, credential: Credential, namespace: str, name: str, operations: Operations, manager: str
    ) -> JsonObject:
        """PATCH with a JSON patch."""
        return await self._connection.request(
            "PATCH",
            path_of("contracts", namespace, name),
            body=list(operations),
            query={"fieldManager": manager},
            content_type=JSON_PATCH,
            headers=_as(credential),
        )

    async def delete_contract(self, credential: Credential, key: ObjectKey, resource_version: str | None) -> None:
        """DELETE with the UID, and perhaps the resourceVersion, as preconditions."""
        preconditions = {"uid": key.uid} | ({"resourceVersion": resource_version} if resource_version else {})
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Background",
            "preconditions": preconditions,
        }
        path = path_of("contracts", key.namespace, key.name)
        await self._connection.request("DELETE", path, body=options, headers=_as(credential))


def without_credentials(configuration: Configuration) -> Configuration:
    """The same API server, with nobody to be."""
    bare = Configuration()
    for name in TRUSTED:
        setattr(bare, name, getattr(configuration, name, None))
    bare.retries = None
    bare.client_session_kwargs = {"cookie_jar": aiohttp.DummyCookieJar()}  # nothing is carried from caller to caller
    return bare


def _as(credential: Credential) -> dict[str, str]:
    return {"Authorization": credential.authorization()}
