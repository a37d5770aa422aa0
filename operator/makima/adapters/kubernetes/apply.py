"""Server-side apply of makima's own manifests, and waiting until the API server really works by them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from makima.adapters.kubernetes.connection import APPLY_PATCH, Connection
from makima.errors import ClusterError, Denied, MakimaError

FIELD_MANAGER = "makima-install"
PLURALS = {
    "Namespace": "namespaces",
    "ServiceAccount": "serviceaccounts",
    "Secret": "secrets",
    "Service": "services",
    "APIService": "apiservices",
    "CustomResourceDefinition": "customresourcedefinitions",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
}
"""The kinds that makima installs; no discovery needed."""

CANARY = "makima-policy-probe"


class NotEnforced(MakimaError):
    """The API server took the CRDs and policies, but does not act on them."""


def manifest_path(manifest: dict[str, Any]) -> str:
    """Where the object of a manifest lives."""
    version, meta = manifest["apiVersion"], manifest["metadata"]
    root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    namespace = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
    return f"{root}{namespace}/{PLURALS[manifest['kind']]}/{meta['name']}"


async def apply_manifests(connection: Connection, manifests: Sequence[dict[str, Any]]) -> list[str]:
    """Apply in order; applying again changes nothing.

    Returns:
        What was applied, as Kind/name.

    Raises:
        ClusterError: the API server refused or was not there; what came before is applied.
    """
    done = []
    for manifest in manifests:
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        path = manifest_path(manifest)
        await connection.request("PATCH", path, body=manifest, query=query, content_type=APPLY_PATCH)
        done.append(f"{manifest['kind']}/{manifest['metadata']['name']}")
    return done


async def wait_enforced(connection: Connection, namespace: str, seconds: float = 60) -> None:
    """Wait until the API server serves the kinds and enforces the policies (it takes some seconds to notice them).

    Probes with dry runs what each of the first and the last policy has to refuse; the API server takes them in order.

    Raises:
        NotEnforced: it did not happen in time.
    """
    deadline, last = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        last = await _let_in(connection, namespace)
        if not last:
            return
        await asyncio.sleep(0.1)
    raise NotEnforced(
        f"the policies are not enforced after {seconds:.0f} s: {last}", hint="look at the API server's log"
    )


async def _let_in(connection: Connection, namespace: str) -> str:
    """What is not served, or not refused though it has to be; "" when all is well."""
    for plural in ("contracts", "contracttypes", "supervisors"):
        try:
            await connection.request("GET", f"/apis/makima.dev/v1alpha1/{plural}", query={"limit": "1"})
        except ClusterError as error:  # "storage is (re)initializing": the API server fills its cache of a new kind
            return str(error)
    advancing = {"kind": "Contract", "spec": {"advance": {"to": "execute", "expectedVersion": 1}}}
    claiming = {"kind": "Supervisor", "spec": {}}
    for manifest, labels in ((advancing, {}), (claiming, {"makima.dev/contract": "another"})):
        kind = str(manifest["kind"])
        metadata = {"name": CANARY, "namespace": namespace, "labels": labels}
        body = {"apiVersion": "makima.dev/v1alpha1", "metadata": metadata, **manifest}
        path = f"/apis/makima.dev/v1alpha1/namespaces/{namespace}/{kind.lower()}s"
        try:
            await connection.request("POST", path, body=body, query={"dryRun": "All"})
        except Denied as error:
            if not error.code:
                return str(error)
        except ClusterError as error:
            return str(error)
        else:
            return f"a {kind} that must be refused was let in"
    return ""
