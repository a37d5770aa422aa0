"""From a pod template to a pod: who the supervisor is goes in, what `restricted` Pod Security forbids stays out.

The supervisor itself is the first container; it alone gets the token, since a container beside it must not be able to
act in its name.
"""

from __future__ import annotations

from typing import Any

from makima.domain.supervision.pod_spec import Injection, pod_spec
from makima.domain.supervision.pods import pod_name
from makima.models.contract_spec import Workspace
from makima.models.labels import (
    CONTRACT_LABEL,
    INCARNATION_LABEL,
    MANAGED_BY,
    ROLE_LABEL,
    SUPERVISOR_ROLE,
    TOKEN_AUDIENCE,
    TOKEN_FILE,
    TOKEN_FOLDER,
    TOKEN_SECONDS,
)
from makima.models.markers import API_GROUP, API_VERSION
from makima.models.metadata import Metadata
from makima.models.supervisor import Supervisor

Manifest = dict[str, Any]

TOKEN_VOLUME = "makima-token"  # noqa: S105  # a name


def supervisor_pod(supervisor: Supervisor, incarnation: int, api_url: str, workspace: Workspace | None) -> Manifest:
    """The pod of one life.

    Args:
        supervisor: with a pod template.
        incarnation: which life; it is part of the pod's name.
        api_url: where the pod reaches the API service.
        workspace: of the contract; its volume is mounted where it says.

    Raises:
        ValueError: the supervisor has no template.
    """
    template, meta = supervisor.spec.template, supervisor.metadata
    if template is None:
        raise ValueError(f"supervisor {meta.namespace}/{meta.name} is external: it has no pod")
    injected = Injection(
        environment=identity(meta, incarnation, api_url),
        volumes=(token_volume(),),
        mounts=({"name": TOKEN_VOLUME, "mountPath": TOKEN_FOLDER, "readOnly": True},),
        workspace=workspace,
        contract=meta.name,
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod_name(meta.name, incarnation),
            "namespace": meta.namespace,
            "labels": {
                **MANAGED_BY,
                CONTRACT_LABEL: meta.name,
                ROLE_LABEL: SUPERVISOR_ROLE,
                INCARNATION_LABEL: str(incarnation),
            },
            "ownerReferences": [owner_reference("Supervisor", meta)],
        },
        "spec": pod_spec(template, injected),
    }


def identity(meta: Metadata, incarnation: int, api_url: str) -> dict[str, str]:
    """What the client library reads from its environment to know whom it carries, as which life."""
    return {
        "MAKIMA_API_URL": api_url,
        "MAKIMA_CONTRACT": f"{meta.namespace}/{meta.name}",
        "MAKIMA_INCARNATION": str(incarnation),
        "MAKIMA_TOKEN_FILE": f"{TOKEN_FOLDER}/{TOKEN_FILE}",
    }


def token_volume() -> Manifest:
    """A token of the pod's own: for our audience only, short-lived, and it names this pod."""
    token = {"audience": TOKEN_AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": TOKEN_FILE}
    return {"name": TOKEN_VOLUME, "projected": {"sources": [{"serviceAccountToken": token}]}}


def owner_reference(kind: str, meta: Metadata) -> Manifest:
    """The owner with which an object goes; nothing is kept from deletion by it."""
    return {
        "apiVersion": f"{API_GROUP}/{API_VERSION}",
        "kind": kind,
        "name": meta.name,
        "uid": meta.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
