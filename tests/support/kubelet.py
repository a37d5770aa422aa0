"""What runs pods and Jobs in a real cluster, played by the test on a real API server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from makima.adapters.kubernetes.connection import MERGE_PATCH, Connection
from makima.errors import NotFound

Body = dict[str, Any]


def now() -> str:
    """As Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Kubelet:
    """One node and the controllers, for one namespace."""

    def __init__(self, admin: Connection, namespace: str) -> None:
        self._admin, self._namespace = admin, namespace

    def _pod(self, name: str = "", subresource: str = "") -> str:
        parts = ["/api/v1/namespaces", self._namespace, "pods", name, subresource]
        return "/".join(part for part in parts if part)

    def _job(self, name: str = "", subresource: str = "") -> str:
        parts = ["/apis/batch/v1/namespaces", self._namespace, "jobs", name, subresource]
        return "/".join(part for part in parts if part)

    async def prepare(self) -> None:
        """What the controller manager makes in every namespace."""
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts"
        await self._admin.request("POST", path, body={"metadata": {"name": "default"}})

    async def pod(self, name: str, seconds: float = 120) -> Body:
        """The pod of this name; wait for it."""
        return await self._wait(self._pod(name), seconds)

    async def job(self, name: str, seconds: float = 120) -> Body:
        """The Job of this name; wait for it."""
        return await self._wait(self._job(name), seconds)

    async def _wait(self, path: str, seconds: float) -> Body:
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            try:
                return await self._admin.request("GET", path)
            except NotFound:
                assert asyncio.get_running_loop().time() < deadline, f"{path} was not made"
                await asyncio.sleep(0.05)

    async def pods(self) -> list[str]:
        """Names of all pods."""
        found = await self._admin.request("GET", self._pod())
        return sorted(item["metadata"]["name"] for item in found["items"])

    async def until_gone(self, name: str, seconds: float = 120) -> None:
        """Wait until the pod is gone."""
        deadline = asyncio.get_running_loop().time() + seconds
        while name in await self.pods():
            assert asyncio.get_running_loop().time() < deadline, f"pod {name} is still there"
            await asyncio.sleep(0.05)

    async def run(self, name: str) -> Body:
        """Bind the pod to a node and start its containers."""
        pod = await self.pod(name)
        binding = {"metadata": {"name": name}, "target": {"kind": "Node", "name": "node-of-the-test"}}
        await self._admin.request("POST", self._pod(name, "binding"), body=binding)
        await self._set(name, "Running", {"running": {"startedAt": now()}})
        return pod

    async def exit(self, name: str, code: int, reason: str = "Error", **more: Any) -> None:
        """The containers end."""
        state = {"terminated": {"exitCode": code, "reason": reason, "startedAt": now(), "finishedAt": now()}}
        await self._set(name, "Succeeded" if code == 0 else "Failed", state, **more)

    async def _set(self, name: str, phase: str, state: Body, **more: Any) -> None:
        containers = (await self.pod(name))["spec"]["containers"]
        common = {"ready": False, "restartCount": 0, "imageID": ""}
        statuses = [{"name": item["name"], "image": item["image"], "state": state, **common} for item in containers]
        body = {"status": {"phase": phase, "containerStatuses": statuses, **more}}
        await self._admin.request("PATCH", self._pod(name, "status"), body=body, content_type=MERGE_PATCH)

    async def end(self, name: str) -> None:
        """The pod's containers have ended after it was deleted: it goes."""
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
        await self._admin.request("DELETE", self._pod(name), body=body)

    async def delete(self, name: str) -> None:
        """Somebody deletes the pod."""
        await self._admin.request("DELETE", self._pod(name))

    async def until_leaving(self, name: str, seconds: float = 120) -> None:
        """Wait until the pod is asked to end."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not (await self.pod(name))["metadata"].get("deletionTimestamp"):
            assert asyncio.get_running_loop().time() < deadline, f"pod {name} was not asked to end"
            await asyncio.sleep(0.05)

    async def end_job(self, name: str, words: str = "", *, failed: bool = False) -> None:
        """A pod of the Job ends with these last words, and the Job with it."""
        job = await self.job(name)
        await self._leave_words(job, words)
        first, last = ("FailureTarget", "Failed") if failed else ("SuccessCriteriaMet", "Complete")
        stamp = now()
        common = {"status": "True", "reason": "Test", "message": "the test said so", "lastTransitionTime": stamp}
        status = {"startTime": stamp, "conditions": [{"type": kind, **common} for kind in (first, last)]}
        status |= {"failed": 1} if failed else {"succeeded": 1, "completionTime": stamp}
        body = {"status": {**status, "uncountedTerminatedPods": {}}}
        await self._admin.request("PATCH", self._job(name, "status"), body=body, content_type=MERGE_PATCH)

    async def _leave_words(self, job: Body, words: str) -> None:
        name = f"{job['metadata']['name'][:55]}-pod"
        template = job["spec"]["template"]
        labels = {**template["metadata"]["labels"], "batch.kubernetes.io/job-name": job["metadata"]["name"]}
        pod = {"metadata": {"name": name, "labels": labels}, "spec": template["spec"]}
        await self._admin.request("POST", self._pod(), body=pod)
        ended = {"exitCode": 0, "message": words, "startedAt": now(), "finishedAt": now()}
        await self._set(name, "Succeeded", {"terminated": ended})
