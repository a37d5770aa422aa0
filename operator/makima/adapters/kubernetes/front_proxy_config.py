"""`makima.services.access.front_proxy_follow.FrontProxySource` on the real API server."""

from __future__ import annotations

from collections.abc import Mapping

from makima.adapters.kubernetes.connection import Connection
from makima.errors import Denied

PATH = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"


class FrontProxyConfig:
    """ConfigMap `extension-apiserver-authentication`, which every kube-apiserver keeps up to date."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(self) -> Mapping[str, str]:
        """Its data; from the API server's cache, since this is asked for again and again."""
        try:
            found = await self._connection.request("GET", PATH, query={"resourceVersion": "0"})
        except Denied as error:
            role = "Role extension-apiserver-authentication-reader in kube-system"
            raise Denied(error.message, f"bind {role} to this account; makima install does") from None
        return found.get("data") or {}
