"""`makima.services.access.rbac.AccessReviews` on the real API server."""

from __future__ import annotations

from makima.adapters.kubernetes.connection import Connection
from makima.models.markers import API_GROUP
from makima.services.access.identity import Identity
from makima.services.access.rbac import Access

PATH = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class KubernetesAccessReviews:
    """SubjectAccessReview: RBAC, and whatever other authorizers the cluster has, decide."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def allowed(self, identity: Identity, access: Access) -> bool:
        """Whether the identity may do this."""
        attributes = {
            "namespace": access.namespace,
            "verb": access.verb,
            "group": API_GROUP,
            "version": "*",
            "resource": access.resource,
            "name": access.name,
        }
        spec = {
            "user": identity.user,
            "uid": identity.uid,
            "groups": list(identity.groups),
            "extra": {key: list(values) for key, values in identity.extra.items()},
            "resourceAttributes": attributes,
        }
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        return bool((await self._connection.request("POST", PATH, body=body))["status"].get("allowed"))
