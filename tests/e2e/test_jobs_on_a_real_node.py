"""Tasks that run as Jobs, and a workspace with a worktree for each, on a real node."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from makima.models.enums import TaskState
from makima.sandbox import Sandbox
from tests.e2e.carried_tasks import carried, carried_in, volume
from tests.e2e.conftest import world_of_pods
from tests.e2e.in_pods import InPods
from tests.support.kills.suite import stored
from tests.support.kills.world import World
from tests.support.kube import Body

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900), pytest.mark.xdist_group("node")]

SECONDS = 300.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(installed_node: Sandbox, image: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The world of this module."""
    async with world_of_pods(installed_node, image, tmp_path_factory.mktemp("world")) as found:
        yield found


async def until_completed(world: World, name: str, *, cleared: int = 0) -> Body:
    """Wait for its end, and until so many worktrees are away; shows what its pods said if it does not come."""
    try:
        return await world.driven.until(
            name,
            lambda now: now.get("state") == "Completed" and removed(now) == cleared,
            SECONDS,
        )
    except AssertionError as error:
        raise AssertionError(f"{error}\n{await world.supervisors.words(name)}") from None


async def test_tasks_run_as_jobs_and_their_ends_reach_contract_and_supervisor(there: World) -> None:
    work = ("sh", "-c", 'echo "$MAKIMA_TASK_NAME in $MAKIMA_PHASE"; exit "$0"')
    name = await carried(there, work, "good=0", "bad=3")
    status = await until_completed(there, name)
    uid = await identity(there, name)
    kept = await stored(there, uid)
    ends = {task.name: (task.state.value, task.id) for task in kept.tasks}
    assert {task: state for task, (state, _) in ends.items()} == {"good": "Completed", "bad": "Failed"}
    assert status["taskCounts"] == [{"phase": "only", "completed": 1, "failed": 1}], (
        "no gate names them: they are counted"
    )
    pods = there.supervisors
    assert isinstance(pods, InPods)
    jobs = {task: pods.kubectl.get("job", f"task-{task_id}")["status"] for task, (_, task_id) in ends.items()}
    assert (jobs["good"].get("succeeded"), jobs["bad"].get("failed")) == (1, 1)
    assert pods.kubectl.run("logs", f"job/task-{ends['good'][1]}") == "good in only\n"
    (told,) = kept.messages
    assert "good completed" in told.content
    assert "bad failed" in told.content


async def test_each_task_has_a_worktree_and_what_nobody_needs_is_cleared_away(there: World) -> None:
    pods = there.supervisors
    assert isinstance(pods, InPods)
    with volume(pods) as folder:
        work = ("sh", "-c", 'git branch --show-current > "$0"; git show HEAD:README >> "$0"')
        name = await carried_in(there, folder, work, "one=made")
        status = await until_completed(there, name, cleared=2)
        (task,) = (await stored(there, await identity(there, name))).tasks
        assert task.state is TaskState.COMPLETED, await pods.words(name)
        cleared = status["workspace"]
        assert (cleared["worktrees"], cleared.get("worktreesFailed", 0)) == (1, 0)
        assert [tree.name for tree in (folder / "worktrees").iterdir()] == ["young"]
        assert shown(folder, f"makima/{task.id}:made").splitlines() == [f"makima/{task.id}", "what the tasks work on"]


async def identity(world: World, name: str) -> UUID:
    """The contract's UID."""
    return UUID((await world.driven.admin.get(name))["metadata"]["uid"])


def shown(volume: Path, what: str) -> str:
    """A file of a branch, read on this machine."""
    command = ["git", "-c", "safe.directory=*", "-C", str(volume / "repository"), "show", what]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def removed(status: Body) -> int:
    """Worktrees that were removed so far."""
    return int(status.get("workspace", {}).get("worktreesRemoved", 0))
