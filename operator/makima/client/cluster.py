"""Contracts and supervisors on the Kubernetes API, as the person who asks. Objects are plain JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from makima.client.lines import lines_of
from makima.errors import ClusterUnavailable
from makima.models.markers import API_GROUP, API_VERSION

if TYPE_CHECKING:
    from makima.adapters.kubernetes.connection import Connection

JsonObject = dict[str, Any]

ROOT = f"/apis/{API_GROUP}/{API_VERSION}"
PAGE = 500
FIELD_MANAGER = "makima-cli"
MERGE_PATCH, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"


def path_of(plural: str, namespace: str | None = None, name: str | None = None) -> str:
    """The path of a kind of makima's, in a namespace or (None) in all, or of one object."""
    place = [] if namespace is None else ["namespaces", quote(namespace, safe="")]
    return "/".join([ROOT, *place, plural, *([] if name is None else [quote(name, safe="")])])


class Cluster:
    """The API server, as one person sees it.

    Every call raises `makima.errors.ClusterError`: `NotFound`, `Denied`, `Conflict`, `ClusterUnavailable`.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def get(self, plural: str, namespace: str, name: str) -> JsonObject:
        """One object."""
        return await self.connection.request("GET", path_of(plural, namespace, name))

    async def page(
        self, plural: str, namespace: str | None, *, selector: str = "", fields: str = "", token: str = ""
    ) -> JsonObject:
        """One page of a list, with `metadata.continue` for the next."""
        query = {"limit": str(PAGE), "labelSelector": selector, "fieldSelector": fields, "continue": token}
        chosen = {key: value for key, value in query.items() if value}
        return await self.connection.request("GET", path_of(plural, namespace), query=chosen)

    async def every(
        self, plural: str, namespace: str | None, *, selector: str = "", fields: str = ""
    ) -> AsyncGenerator[JsonObject, None]:
        """All objects of a kind, page by page."""
        token = ""
        while True:
            page = await self.page(plural, namespace, selector=selector, fields=fields, token=token)
            for item in page.get("items") or ():
                yield item
            token = page["metadata"].get("continue") or ""
            if not token:
                return

    async def create(self, plural: str, namespace: str, body: JsonObject, *, dry_run: bool = False) -> JsonObject:
        """Make an object."""
        return await self.connection.request("POST", path_of(plural, namespace), body=body, query=_write(dry_run))

    async def merge(
        self, plural: str, namespace: str, name: str, patch: Mapping[str, Any], *, dry_run: bool = False
    ) -> JsonObject:
        """Change fields by a merge patch (RFC 7386: null takes a field away)."""
        path, query = path_of(plural, namespace, name), _write(dry_run)
        return await self.connection.request("PATCH", path, body=patch, query=query, content_type=MERGE_PATCH)

    async def patch(
        self, plural: str, namespace: str, name: str, steps: Sequence[Mapping[str, Any]], *, dry_run: bool = False
    ) -> JsonObject:
        """Change fields by a JSON patch (RFC 6902), which can append to lists."""
        path, query = path_of(plural, namespace, name), _write(dry_run)
        return await self.connection.request("PATCH", path, body=steps, query=query, content_type=JSON_PATCH)

    async def delete(self, plural: str, namespace: str, name: str, uid: str, version: str | None = None) -> None:
        """Delete exactly this object, or exactly this version of it."""
        same = {"uid": uid, **({"resourceVersion": version} if version is not None else {})}
        options = {"propagationPolicy": "Background", "preconditions": same}
        await self.connection.request("DELETE", path_of(plural, namespace, name), body=options)

    async def may(self, verb: str, plural: str, namespace: str = "", name: str = "") -> bool:
        """Whether this person may do that (SelfSubjectAccessReview); no namespace = in all of them."""
        asked = {"verb": verb, "group": API_GROUP, "resource": plural, "namespace": namespace, "name": name}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        body = {"spec": {"resourceAttributes": asked}}
        return bool((await self.connection.request("POST", path, body=body))["status"].get("allowed"))

    async def whoami(self) -> str:
        """The name by which the API server knows this person (SelfSubjectReview)."""
        found = await self.connection.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body={})
        return str(found["status"]["userInfo"]["username"])

    async def namespaces(self) -> list[str]:
        """Names of all namespaces, where this person may list them."""
        answer = await self.connection.request("GET", "/api/v1/namespaces")
        return [item["metadata"]["name"] for item in answer.get("items") or ()]

    async def pods(self, namespace: str, selector: str) -> list[JsonObject]:
        """Pods with these labels, oldest first."""
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"
        answer = await self.connection.request("GET", path, query={"labelSelector": selector})
        found: list[JsonObject] = answer.get("items") or []
        return sorted(found, key=lambda pod: str(pod["metadata"].get("creationTimestamp")))

    async def log(self, namespace: str, pod: str, **query: str) -> AsyncGenerator[str, None]:
        """The log of a pod's container, line by line (query: container, tailLines, follow, previous, …)."""
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/log"
        async with await self.connection.stream("GET", path, query=query) as response:
            async for line in lines_of(response.content):
                yield line.decode(errors="replace")

    async def watch(
        self, plural: str, namespace: str | None, version: str, *, selector: str = "", fields: str = ""
    ) -> AsyncGenerator[JsonObject, None]:
        """Events of a watch from this resourceVersion on, until the API server ends it (each minute or so).

        Raises:
            ClusterUnavailable: it was cut, or went silent.
        """
        import aiohttp  # noqa: PLC0415  # heavy

        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "labelSelector": selector,
            "fieldSelector": fields,
            "timeoutSeconds": "290",
        }
        chosen = {key: value for key, value in query.items() if value}
        try:
            async with await self.connection.stream("GET", path_of(plural, namespace), query=chosen) as response:
                async for line in lines_of(response.content):
                    yield _json(line)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterUnavailable(f"the watch was cut: {error or type(error).__name__}") from None


def _json(line: bytes) -> JsonObject:
    found: JsonObject = json.loads(line)
    return found


def _write(dry_run: bool) -> dict[str, str]:
    return {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if dry_run else {})}
