"""`makima api` as a process of its own, and callers with real tokens."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from makima.adapters.kubernetes.connection import Connection
from makima.sandbox import Sandbox

API_USER = "system:serviceaccount:makima-system:makima-api"
API_GROUPS = ("system:serviceaccounts", "system:serviceaccounts:makima-system", "system:authenticated")
AUDIENCE = "makima.dev"


class ApiUnderTest:
    """One API process. Its log is kept, and shown when a test fails."""

    def __init__(self, log: Path, kubeconfig: Path, database_url: str, **settings: object) -> None:
        self.log, self.ports_file = log, log.with_suffix(".ports")
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "MAKIMA_DATABASE_URL": database_url,
            "MAKIMA_API__PORT": "0",
            "MAKIMA_API__HEALTH_PORT": "0",
            "MAKIMA_API__METRICS_PORT": "0",
            "MAKIMA_API__PORTS_FILE": str(self.ports_file),
            **{f"MAKIMA_{key.upper()}": str(value) for key, value in settings.items()},
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.ports: dict[str, str] = {}

    def start(self) -> ApiUnderTest:
        """Start it; returns once it is ready."""
        self.ports_file.unlink(missing_ok=True)
        with self.log.open("ab") as out:
            command = [sys.executable, "-X", "faulthandler", "-m", "makima", "api"]
            self.process = subprocess.Popen(command, env=self._environment, stdout=out, stderr=out)
        return self._wait_ready()

    def _wait_ready(self, seconds: float = 60) -> ApiUnderTest:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.running, f"the API service ended: {self.log.read_text()[-3000:]}"
            text = self.ports_file.read_text() if self.ports_file.exists() else ""
            found = dict(line.split("=") for line in text.split())
            try:
                if "metrics" in found:
                    self.ports = found  # until then callers meet the old ones, where nobody answers
                    if self.probe("health", "/readyz")[0] == 200:
                        return self
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the API service did not become ready: {self.log.read_text()[-3000:]}")

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.ports['api']}"

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def probe(self, kind: str, path: str) -> tuple[int, str]:
        """GET from its health or metrics port."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[kind]}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def memory(self) -> int:
        """Bytes in memory."""
        assert self.process is not None
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=10)

    def stop(self) -> int:
        """End it in good order; gives its exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process is not None else 0
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


StartApi = Callable[..., ApiUnderTest]
"""Starts one more API process; takes settings by keyword."""


@contextmanager
def apis(sandbox: Sandbox, database_url: str, folder: Path, **settings: object) -> Iterator[StartApi]:
    """Start API processes on the API service's own account; all are ended at the end."""
    account = sandbox.cluster.kubeconfig_for(API_USER, API_GROUPS)
    number = count()
    with ExitStack() as ends:

        def start(kubeconfig: Path = account, **own: object) -> ApiUnderTest:
            log = folder / f"api-{next(number)}.log"
            found = ApiUnderTest(log, kubeconfig, own.pop("database_url", database_url), **{**settings, **own})
            ends.callback(found.stop)
            return found.start()

        yield start


async def make_account(admin: Connection, namespace: str, name: str) -> None:
    """A service account."""
    body = {"metadata": {"name": name}}
    await admin.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", body=body)


async def token_of(
    admin: Connection, namespace: str, account: str, *, audience: str = AUDIENCE, pod: tuple[str, str] | None = None
) -> str:
    """A token of a service account, perhaps one that names a pod (name, UID) and dies with it."""
    spec: dict[str, Any] = {"audiences": [audience], "expirationSeconds": 3600}
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
