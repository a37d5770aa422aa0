"""Which objects of a kind there are, and as of which resourceVersion: what a comparison with one's memory needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from makima.adapters.kubernetes.connection import Connection
from makima.errors import Expired
from makima.ports import CONTRACTS_PAGE, ObjectKey

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


async def list_versions(connection: Connection, paths: Iterable[str]) -> dict[ObjectKey, str]:
    """All that there are at these paths, in pages, without their content.

    Raises:
        ClusterError: by what the API server said.
    """
    found: dict[ObjectKey, str] = {}
    for path in paths:
        try:
            found |= await _pages(connection, path)
        except Expired:
            found |= await _pages(connection, path)  # the pages of a list are of one moment: that was forgotten
    return found


async def _pages(connection: Connection, path: str) -> dict[ObjectKey, str]:
    found: dict[ObjectKey, str] = {}
    query = {"limit": str(CONTRACTS_PAGE)}
    while True:
        page = await connection.request("GET", path, query=query, accept=METADATA_ONLY)
        found |= {_key(item): item["metadata"]["resourceVersion"] for item in page.get("items") or ()}
        more = page["metadata"].get("continue")
        if not more:
            return found
        query["continue"] = more


def _key(item: dict[str, Any]) -> ObjectKey:
    meta = item["metadata"]
    return ObjectKey(meta.get("namespace", ""), meta["name"], meta["uid"])
