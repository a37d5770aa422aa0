"""Who a caller is, as the API server knows it; `makima.services.access.authentication` finds it out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

SERVICE_ACCOUNT = "system:serviceaccount:"
POD_UID = "authentication.kubernetes.io/pod-uid"


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller, as the API server knows it.

    Attributes:
        pod_uid: the pod that the token was made for and dies with; None for everybody else.
        key: names the identity in caches.
    """

    user: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pod_uid: UUID | None = None
    key: str = ""

    @property
    def namespace(self) -> str | None:
        """Namespace of a service account."""
        if not self.user.startswith(SERVICE_ACCOUNT):
            return None
        return self.user.removeprefix(SERVICE_ACCOUNT).partition(":")[0]


def identity_named(user: str, uid: str, groups: tuple[str, ...], extra: Mapping[str, tuple[str, ...]]) -> Identity:
    """The identity that the API server gave these names: in a TokenReview, or in a front proxy's headers."""
    pods = extra.get(POD_UID, ())
    # What RBAC may look at, and no more: the token's own id must not make every renewed token a stranger.
    named = json.dumps([user, uid, groups, pods])
    return Identity(
        user=user,
        uid=uid,
        groups=groups,
        extra=extra,
        pod_uid=UUID(pods[0]) if pods else None,
        key=hashlib.sha256(named.encode()).hexdigest(),
    )
