"""`makima api` as a process of its own, and callers with real tokens."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

import aiohttp

from makima.adapters.kubernetes.connection import Connection
from makima.aggregated_wiring import connect_local_api, disconnect_api
from makima.sandbox import Sandbox
from makima.sandbox.local_cluster import LocalCluster
from tests.support.own_process import MAKIMA_GROUPS, ProcessUnderTest

API_USER = "system:serviceaccount:makima-system:makima-api"
AUDIENCE = "makima.dev"
OF_THE_API_SERVER = "https://kubernetes.default.svc"
"""Its own audience, where one is to be named."""


class ApiUnderTest(ProcessUnderTest):
    """One API process."""

    command = ("-m", "makima", "api")
    section = "API"
    stop_seconds = 30

    def __init__(self, log: Path, kubeconfig: Path, database_url: str, **settings: object) -> None:
        super().__init__(log, kubeconfig, database_url, **{"api__port": 0, **settings})

    def start(self) -> Self:
        """Start it; returns once it is ready."""
        return super().start().wait_ready(60)

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.ports['api']}"

    def memory(self) -> int:
        """Bytes in memory that are its own: of programs and libraries more may come in at any time."""
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


StartApi = Callable[..., ApiUnderTest]
"""Starts one more API process; takes settings by keyword."""


@contextmanager
def apis(sandbox: Sandbox, database_url: str, folder: Path, **settings: object) -> Iterator[StartApi]:
    """Start API processes on the API service's own account; all are ended at the end."""
    account = sandbox.cluster.kubeconfig_for(API_USER, MAKIMA_GROUPS)
    number = count()
    with ExitStack() as ends:

        def start(kubeconfig: Path = account, **own: object) -> ApiUnderTest:
            log = folder / f"api-{next(number)}.log"
            found = ApiUnderTest(log, kubeconfig, own.pop("database_url", database_url), **{**settings, **own})
            ends.callback(found.stop)
            return found.start()

        yield start


@contextmanager
def aggregated_api(sandbox: Sandbox, database_url: str, folder: Path, **settings: object) -> Iterator[ApiUnderTest]:
    """An API process that the sandbox's API server forwards to; taken away again. There is one of them at a time."""
    assert isinstance(sandbox.cluster, LocalCluster)
    cluster, listener = sandbox.cluster, sandbox.cluster.api_listener
    listening = {key.removeprefix("MAKIMA_").lower(): value for key, value in listener.environment.items()}
    with apis(sandbox, database_url, folder, api__front_proxy_seconds=0.2, **listening, **settings) as start:
        found = start()
        certificate = listener.pair.certificate.read_bytes()
        asyncio.run(connect_local_api(cluster.kubeconfig, certificate, listener.port))
        yield found
        asyncio.run(disconnect_api(cluster.kubeconfig))


async def make_account(admin: Connection, namespace: str, name: str) -> None:
    """A service account."""
    body = {"metadata": {"name": name}}
    await admin.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", body=body)


async def token_of(
    admin: Connection,
    namespace: str,
    account: str,
    *,
    audience: str | tuple[str, ...] = AUDIENCE,
    pod: tuple[str, str] | None = None,
) -> str:
    """A token of a service account, perhaps one that names a pod (name, UID) and dies with it.

    Args:
        audience: "" = the API server's own; several = good for each.
    """
    audiences = [audience] if isinstance(audience, str) else list(audience)
    spec: dict[str, Any] = {"audiences": [each for each in audiences if each], "expirationSeconds": 3600}
    if pod is not None:
        spec["boundObjectRef"] = {"kind": "Pod", "apiVersion": "v1", "name": pod[0], "uid": pod[1]}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    answer = await admin.request("POST", path, body={"spec": spec})
    return str(answer["status"]["token"])


class CallerOf:
    """Somebody with a token who calls an API process."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str | None) -> None:
        self.session, self.url, self.token = session, url, token

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Status and JSON of the answer; a body of bytes is sent as it is."""
        kind = {"data": io.BytesIO(body)} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        async with self.session.request(method, self.url + path, headers=self.headers, **kind, **more) as answer:
            return answer.status, await answer.json()

    async def good(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a call that succeeds."""
        status, answer = await self.call(method, path, body)
        assert status == 200, answer
        return answer

    async def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """HTTP status and code of a call that is refused."""
        status, answer = await self.call(method, path, body)
        assert status >= 400, answer
        assert answer["error"]["message"]
        return status, answer["error"]["code"]
