"""The aggregated API in the cluster: Service and APIService.

They are not among the base manifests: an APIService that does not answer blocks the deletion of every namespace, so it
comes with an API service that runs, and goes before it.
"""

from __future__ import annotations

import base64
from typing import Any

from makima.models.markers import MONITOR_GROUP, MONITOR_VERSION
from makima.schema.rbac import API_SERVICE, NAMESPACE
from makima.schema.version import PART_OF

PORT = 8443
TLS_SECRET = "makima-api-tls"  # noqa: S105  # a name
LOCAL_SERVICE = "makima-api-local"


def serving_name(service: str = API_SERVICE) -> str:
    """The name that the API server expects in the listener's certificate."""
    return f"{service}.{NAMESPACE}.svc"


def render_service() -> dict[str, Any]:
    """The listener for the front proxy, of whichever pods are API services."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(API_SERVICE, namespace=NAMESPACE),
        "spec": {
            "selector": {**PART_OF, "app.kubernetes.io/component": "api"},
            "ports": [{"name": "aggregated", "port": 443, "targetPort": PORT}],
        },
    }


def render_local_service() -> dict[str, Any]:
    """The same for an API service that is a process on the API server's own machine."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(LOCAL_SERVICE, namespace=NAMESPACE),
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }


def render_api_service(trusted: bytes | None = None, service: str = API_SERVICE, port: int = 443) -> dict[str, Any]:
    """The APIService.

    Args:
        trusted: certificates (PEM) that the listener may have; None: left to whoever fills in `caBundle`.
        service: in makima's own namespace.
        port: of the service.
    """
    bundle = {"caBundle": base64.b64encode(trusted).decode()} if trusted is not None else {}
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": _metadata(f"{MONITOR_VERSION}.{MONITOR_GROUP}"),
        "spec": {
            "group": MONITOR_GROUP,
            "version": MONITOR_VERSION,
            # Behind the group of the resources themselves, wherever a client has to choose.
            "groupPriorityMinimum": 100,
            "versionPriority": 10,
            "service": {"namespace": NAMESPACE, "name": service, "port": port},
            **bundle,
        },
    }


def render_secret(certificate: bytes, key: bytes) -> dict[str, Any]:
    """The listener's certificate, for the pods of the API service to mount."""
    data = {"tls.crt": certificate, "tls.key": key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": _metadata(TLS_SECRET, namespace=NAMESPACE),
        "data": {name: base64.b64encode(value).decode() for name, value in data.items()},
    }


def _metadata(name: str, **more: str) -> dict[str, Any]:
    return {"name": name, **more, "labels": dict(PART_OF)}
