"""`makima.services.access.authentication.TokenReviews` on the real API server."""

from __future__ import annotations

from typing import Any

from makima.adapters.kubernetes.connection import Connection
from makima.services.access.identity import Identity, identity_named

PATH = "/apis/authentication.k8s.io/v1/tokenreviews"


class KubernetesTokenReviews:
    """TokenReview for one audience: a token that was made for somebody else, the API server included, is nobody's.

    `people`: tokens for the API server itself count too. They are what a kubeconfig has, and the only ones that can be
    forwarded.
    """

    def __init__(self, connection: Connection, audience: str, *, people: bool = False) -> None:
        self._connection, self._audience, self._people = connection, audience, people

    async def review(self, token: str) -> Identity | None:
        """Whose token this is."""
        status = await self._ask({"token": token, "audiences": [self._audience]})
        # An authenticator that knows no audiences answers with none: its yes is not for us.
        if status.get("authenticated") and self._audience in (status.get("audiences") or ()):
            return identity_of(status["user"])
        if not self._people:
            return None
        status = await self._ask({"token": token})  # without audiences: the API server's own
        return identity_of(status["user"]) if status.get("authenticated") else None

    async def _ask(self, spec: dict[str, Any]) -> dict[str, Any]:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        return (await self._connection.request("POST", PATH, body=body)).get("status") or {}


def identity_of(user: dict[str, Any]) -> Identity:
    """The identity in a TokenReview's `status.user`."""
    extra = {key: tuple(values) for key, values in (user.get("extra") or {}).items()}
    return identity_named(user.get("username", ""), user.get("uid", ""), tuple(user.get("groups") or ()), extra)
