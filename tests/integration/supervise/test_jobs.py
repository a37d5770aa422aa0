"""Tasks as Jobs and workspaces on a real API server: what is made is valid, and ends arrive."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from makima.models.enums import TaskState
from makima.models.supervision import StoredTask
from tests.integration.supervise.conftest import Lives
from tests.support.kube import Body

pytestmark = [pytest.mark.xdist_group("supervise jobs"), pytest.mark.usefixtures("operator")]

TEMPLATE: Body = {
    "name": "build",
    "backoffLimit": 2,
    "activeDeadlineSeconds": 600,
    "template": {"containers": [{"name": "main", "image": "example.test/build:1", "command": ["build"]}]},
}


async def contract_with_tasks(lives: Lives, name: str, **spec: object) -> UUID:
    """An Active contract that may run tasks."""
    body = await lives.started(name, {"name": "one", "deliverables": [{"id": "a"}]}, taskTemplates=[TEMPLATE], **spec)
    assert body["state"] == "Active"
    return UUID((await lives.admin.get(name))["metadata"]["uid"])


async def spawn(lives: Lives, name: str, contract: UUID) -> str:
    """The API service takes a task: Postgres first, then the status."""
    task, now = uuid4(), datetime.now(UTC)
    await lives.stores.work.spawn_task(
        StoredTask(task, contract, "one", "it", TaskState.PENDING, now, "build", arguments=("--fast",))
    )
    status = await lives.status(name)
    listed = {"id": str(task), "name": "it", "phase": "one", "state": "Pending", "template": "build"}
    tasks = [*status.get("tasks", []), {**listed, "startTime": now.isoformat()}]
    await lives.admin.patch({"status": {"tasks": tasks}}, name, subresource="status")
    return str(task)


async def until_task(lives: Lives, name: str, task: str, state: str) -> Body:
    """Wait for the state of a task in the contract's status."""

    def found(status: Body) -> Body | None:
        return next((t for t in status.get("tasks", []) if t["id"] == task and t["state"] == state), None)

    wanted = found(await lives.until(name, found))
    assert wanted is not None
    return wanted


@pytest.mark.parametrize("failed", [False, True])
async def test_a_task_with_a_template_runs_as_a_job_to_its_end(lives: Lives, failed: bool) -> None:
    name = f"tasks-{failed}".lower()
    contract = await contract_with_tasks(lives, name)
    task = await spawn(lives, name, contract)
    job = await lives.kubelet.job(f"task-{task}")
    assert (job["spec"]["backoffLimit"], job["spec"]["activeDeadlineSeconds"]) == (2, 600)
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["--fast"]
    assert job["metadata"]["ownerReferences"][0]["uid"] == str(contract)
    await until_task(lives, name, task, "Running")
    await lives.kubelet.end_job(f"task-{task}", "all is well" if not failed else "", failed=failed)
    ended = await until_task(lives, name, task, "Failed" if failed else "Completed")
    assert ended["message"] == ("Test: the test said so" if failed else "all is well")
    (stored,) = await lives.stores.work.tasks(contract)
    assert stored.state is (TaskState.FAILED if failed else TaskState.COMPLETED)
    commands = [item for item in await lives.stores.commands.unacknowledged([contract]) if item.kind == "TaskFinished"]
    assert [item.payload["task_id"] for item in commands] == [task]


async def test_a_workspace_has_a_claim_worktrees_and_is_cleared_up(lives: Lives) -> None:
    contract = await contract_with_tasks(lives, "space", workspace={"volumeClaim": {"size": "2Gi"}})
    task = await spawn(lives, "space", contract)
    job = await lives.kubelet.job(f"task-{task}")
    path = f"/api/v1/namespaces/{lives.admin.namespace}/persistentvolumeclaims/space-workspace"
    claim = await lives.admin.connection.request("GET", path)
    assert claim["spec"]["resources"]["requests"]["storage"] == "2Gi"
    assert claim["metadata"]["ownerReferences"][0]["uid"] == str(contract)
    pod = job["spec"]["template"]["spec"]
    assert pod["initContainers"][0]["name"] == "makima-worktree"
    assert pod["containers"][0]["workingDir"] == f"/workspace/worktrees/{task}"
    await until_task(lives, "space", task, "Running")
    await lives.kubelet.end_job(f"task-{task}")
    clearing = f"worktrees-{contract}"
    await lives.kubelet.job(clearing)
    await lives.kubelet.end_job(clearing, '{"removed":1,"left":0,"failed":0}')
    status = await lives.until("space", lambda now: now.get("workspace"))
    assert (status["workspace"]["worktreesRemoved"], status["workspace"]["worktrees"]) == (1, 0)
