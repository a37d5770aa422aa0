"""What every kind of object needs of the API server: read it, make it once, replace it, delete exactly this one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from makima.adapters.kubernetes.connection import Connection
from makima.errors import Conflict, NotFound

FIELD_MANAGER = "makima-operator"
PAGE = "2000"

JsonObject = dict[str, Any]


class Objects:
    """One kind, in every namespace.

    Args:
        connection: to the API server.
        root: `/api/v1` or `/apis/GROUP/VERSION`.
        plural: name of the kind in paths.
    """

    def __init__(self, connection: Connection, root: str, plural: str) -> None:
        self._connection, self._root, self._plural = connection, root, plural

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """Where they are."""
        place = [] if namespace is None else ["namespaces", quote(namespace, safe="")]
        rest = [quote(part, safe="") for part in (name, subresource) if part is not None]
        return "/".join([self._root, *place, self._plural, *rest])

    async def get(self, namespace: str, name: str) -> JsonObject | None:
        """The object as it is now (a quorum read), or None."""
        try:
            return await self._connection.request("GET", self.path(namespace, name))
        except NotFound:
            return None

    async def create(self, body: JsonObject) -> JsonObject:
        """Make it.

        Raises:
            Conflict: one of that name is there.
        """
        path = self.path(body["metadata"]["namespace"])
        return await self._connection.request("POST", path, body=body, query={"fieldManager": FIELD_MANAGER})

    async def replace(self, body: JsonObject, subresource: str | None = None) -> JsonObject:
        """Replace it; resourceVersion and uid in the body are the preconditions."""
        meta = body["metadata"]
        path = self.path(meta["namespace"], meta["name"], subresource)
        return await self._connection.request("PUT", path, body=body, query={"fieldManager": FIELD_MANAGER})

    async def delete(self, namespace: str, name: str, uid: str, *, at_once: bool = False) -> None:
        """Delete exactly this one, with what belongs to it; gone already, or another one by now, is fine.

        Args:
            at_once: do not wait for the grace period, nor for a node that does not answer.
        """
        options: JsonObject = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        }
        if at_once:
            options["gracePeriodSeconds"] = 0
        with suppress(NotFound, Conflict):
            await self._connection.request("DELETE", self.path(namespace, name), body=options)

    async def every(self, namespaces: tuple[str, ...], selector: str) -> AsyncIterator[JsonObject]:
        """All of these namespaces (none = all there are) with such labels, in pages."""
        for namespace in namespaces or (None,):
            query = {"limit": PAGE, "labelSelector": selector}
            while True:
                page = await self._connection.request("GET", self.path(namespace), query=query)
                for item in page.get("items") or ():
                    yield item
                if not page["metadata"].get("continue"):
                    break
                query = {**query, "continue": page["metadata"]["continue"]}
