"""Where a person works: which kubeconfig, context and namespace, and which way to makima's API."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Place:
    """What the command line says about it; None = as kubectl would find it.

    Attributes:
        kubeconfig: the file; else KUBECONFIG, else ~/.kube/config, else the pod's own account.
        context: in that file; else its current one.
        namespace: else that of the context, else `default`.
        api: address of makima's API service; else MAKIMA_API_URL, else the aggregated API of the cluster.
        token_file: bearer token for `api`; else MAKIMA_TOKEN_FILE, MAKIMA_TOKEN, else the token of the kubeconfig.
    """

    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str | None = None
    api: str | None = None
    token_file: Path | None = None

    @property
    def api_url(self) -> str | None:
        """Address of the API service, if it is not to be the aggregated API."""
        found = self.api or os.environ.get("MAKIMA_API_URL")
        return found.rstrip("/") if found else None


def namespace_of(place: Place) -> str:
    """The namespace to work in where none is named."""
    if place.namespace:
        return place.namespace
    from makima.adapters.kubernetes.kubeconfig import namespace_of_context  # noqa: PLC0415  # a second

    return namespace_of_context(place.kubeconfig, place.context) or _namespace_of_pod() or "default"


def _namespace_of_pod() -> str | None:
    try:
        return POD_NAMESPACE.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
