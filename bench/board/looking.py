"""Somebody who looks, over HTTP with a token of their own: one request after the other, with a pause between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from bench.cluster import NAMESPACE
from bench.deadlines import BenchError
from bench.results import percentile
from makima.adapters.kubernetes.connection import Connection

PAUSE = 0.05
RBAC = "/apis/rbac.authorization.k8s.io/v1"


async def viewer(admin: Connection, name: str, *, namespace: str | None) -> str:
    """A token for the API server of an account that may look, everywhere or in one namespace."""
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    await admin.request("POST", accounts, body={"metadata": {"name": name}})
    kind = "clusterrolebindings" if namespace is None else f"namespaces/{namespace}/rolebindings"
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "makima-view"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
    }
    await admin.request("POST", f"{RBAC}/{kind}", body=binding)
    answer = await admin.request("POST", f"{accounts}/{name}/token", body={"spec": {"expirationSeconds": 7200}})
    return str(answer["status"]["token"])


class Looker:
    """One connection that is kept open."""

    def __init__(self, session: aiohttp.ClientSession, port: int, token: str) -> None:
        self._session, self._url = session, f"http://127.0.0.1:{port}"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str) -> tuple[float, Any]:
        """Seconds until the answer was there, and the answer.

        Raises:
            BenchError: it is none.
        """
        began = time.perf_counter()
        async with self._session.get(self._url + path, headers=self._headers) as answer:
            body = await answer.read()
            seconds = time.perf_counter() - began
            if answer.status != 200:
                raise BenchError(f"GET {path}: {answer.status} {body[:300]!r}")
            return seconds, await answer.json()

    async def for_seconds(self, seconds: float, path: Callable[[], str]) -> list[float]:
        """Look again and again; how long each look took, in order of length."""
        until, found = time.monotonic() + seconds, []
        while time.monotonic() < until:
            found.append((await self.get(path()))[0])
            await asyncio.sleep(PAUSE)
        return sorted(found)


def figures(name: str, seconds: list[float]) -> dict[str, float]:
    """p50 and p99 in milliseconds."""
    return {f"{name}.p50": percentile(seconds, 0.5) * 1000, f"{name}.p99": percentile(seconds, 0.99) * 1000}
