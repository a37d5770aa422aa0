"""Supervisors in pods that the operator makes; they are killed where the node runs them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from makima.errors import NotFound
from makima.sandbox import Sandbox
from tests.e2e.kubectl import Kubectl
from tests.support.driven import Driven
from tests.support.kills.supervisors import SCRIPT, SETTINGS
from tests.support.kube import Body, until

AGENTS = (SCRIPT, Path(__file__).parent / "agents" / "tasks.py")
FOLDER = "/agents"


@dataclass
class InPods:
    """Pods of makima's own image, with the agents' scripts from a ConfigMap."""

    sandbox: Sandbox
    kubectl: Kubectl
    image: str
    _driven: Driven | None = None

    @asynccontextmanager
    async def for_world(self, driven: Driven, api_url: str) -> AsyncIterator[None]:
        """The scripts; the operator does the rest, and the namespace goes with its test."""
        del api_url  # the operator tells them
        self._driven = driven
        scripts = {file.name: file.read_text() for file in AGENTS}
        body = {"metadata": {"name": "agents"}, "data": scripts}
        await driven.admin.connection.request("POST", self._path("configmaps"), body=body)
        yield

    def spec(self, left_out: str = "") -> Mapping[str, Any]:
        """`spec.supervisor` for `agent.py`."""
        variables = {"WITNESS": "1", "LEFT_OUT": left_out}
        return {**SETTINGS, "template": self.template("python", f"{FOLDER}/agent.py", **variables)}

    def template(self, *command: str, **environment: str) -> Body:
        """A pod template for a command."""
        container = {
            "name": "main",
            "image": self.image,
            "command": list(command),
            "env": [{"name": name, "value": value} for name, value in environment.items()],
            "volumeMounts": [{"name": "agents", "mountPath": FOLDER, "readOnly": True}],
        }
        volumes = [{"name": "agents", "configMap": "agents"}]
        return {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 1}

    async def begin(self, name: str, left_out: str = "") -> None:
        """The operator does."""

    async def kill(self, name: str, life: int | None, *, whole_pod: bool) -> None:
        """SIGKILL of its process, or of the whole pod."""
        pod = f"{name}-{life}"
        pids = await self.processes(pod)
        assert pids, f"nothing runs in {pod}, so nothing was killed"
        if whole_pod:
            with suppress(NotFound):
                await self._request("DELETE", self._path("pods", pod), {"gracePeriodSeconds": 0})
        else:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        await until(f"the end of {pod}", lambda: asyncio.to_thread(_are_gone, pids), 120)

    async def processes(self, pod: str) -> list[int]:
        """The processes of a pod's container, as this machine counts them."""
        status = (await self._request("GET", self._path("pods", pod)))["status"]
        assert self.sandbox.node is not None
        return self.sandbox.node.container_pids(status["containerStatuses"][0]["containerID"])

    async def pod(self, name: str) -> Body | None:
        """The pod; None if there is none."""
        with suppress(NotFound):
            return await self._request("GET", self._path("pods", name))
        return None

    async def until_gone(self, pod: str) -> None:
        """Wait until there is no such pod."""

        async def gone() -> bool:
            return await self.pod(pod) is None

        await until(f"the end of pod {pod}", gone, 120)

    async def words(self, name: str) -> str:
        """Logs of the contract's pods that are there, and how they are."""
        return await asyncio.to_thread(self._words, name)

    def _words(self, name: str) -> str:
        label = f"makima.dev/contract={name}"
        try:
            listed = self.kubectl.run("get", "pods", "-l", label, "-o", "wide")
            return listed + self.kubectl.run("logs", "-l", label, "--prefix", "--tail=50")
        except AssertionError as error:
            return str(error)

    async def _request(self, method: str, path: str, body: Body | None = None) -> Body:
        assert self._driven is not None
        return await self._driven.admin.connection.request(method, path, body=body)

    def _path(self, plural: str, name: str = "") -> str:
        path = f"/api/v1/namespaces/{self.kubectl.namespace}/{plural}"
        return f"{path}/{name}" if name else path


def _are_gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)
