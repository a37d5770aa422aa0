"""LIST and WATCH over a plain connection, for the load generator and the raw twin."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from makima.adapters.kubernetes.connection import Connection

Object = dict[str, Any]
ROOT = "/apis/makima.dev/v1alpha1"
CONTRACTS = f"{ROOT}/contracts"


def contract_path(namespace: str, name: str | None = None, subresource: str | None = None) -> str:
    """The path of contracts, of one, or of its status."""
    parts = [f"{ROOT}/namespaces/{namespace}/contracts", name, subresource]
    return "/".join(part for part in parts if part is not None)


async def list_all(connection: Connection, path: str = CONTRACTS) -> tuple[list[Object], str]:
    """Every object in one answer, and the version to watch from."""
    async with await connection.open("GET", path, limits=aiohttp.ClientTimeout(total=120)) as response:
        response.raise_for_status()
        body = json.loads(await response.read())
    return body["items"], body["metadata"]["resourceVersion"]


async def watch(connection: Connection, version: str, path: str = CONTRACTS) -> AsyncIterator[Object]:
    """Events from `version` on, until the server ends the watch."""
    query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "3000"}
    limits = aiohttp.ClientTimeout(total=None, sock_connect=10)
    async with await connection.open("GET", path, query=query, limits=limits) as response:
        response.raise_for_status()
        rest = b""
        async for chunk in response.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield json.loads(line)
