"""What people do about pods by the command line: logs of lives, a restart of a life that lives, worktrees cleared."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from makima.cli.contracts.exits import Exit
from makima.sandbox import Sandbox
from tests.e2e.carried_tasks import carried_in, volume
from tests.e2e.conftest import world_of_pods
from tests.e2e.in_pods import FOLDER, InPods
from tests.e2e.test_supervisors_in_pods import Carried
from tests.support.kills.supervisors import SETTINGS
from tests.support.kills.world import World

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("node"),
    pytest.mark.exhaustive,
]

SECONDS = 240.0
BEGINS = f'echo "life in $HOSTNAME begins"; exec python {FOLDER}/agent.py'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(installed_node: Sandbox, image: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The world of this module."""
    async with world_of_pods(installed_node, image, tmp_path_factory.mktemp("world")) as found:
        yield found


class Person:
    """Somebody with the node's kubeconfig, and nothing else."""

    def __init__(self, world: World, name: str) -> None:
        assert isinstance(world.supervisors, InPods)
        self.pods, self.name = world.supervisors, name
        self.key = f"{self.pods.kubectl.namespace}/{name}"

    @asynccontextmanager
    async def started(self, *words: str) -> AsyncIterator[Process]:
        """`makima contracts WORDS`, ended at the end if it has not ended by itself."""
        command = ("-m", "makima", "contracts", *words, "--kubeconfig", str(self.pods.kubectl.kubeconfig))
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=PIPE, stderr=PIPE, stdin=asyncio.subprocess.DEVNULL, env=environment
        )
        try:
            async with asyncio.timeout(SECONDS):
                yield process
        finally:
            if process.returncode is None:
                process.terminate()
                await process.communicate()

    async def does(self, *words: str) -> tuple[int, str]:
        """Run it to its end: exit code, and everything that it says."""
        async with self.started(*words) as process:
            out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode() + err.decode()


async def until_line(process: Process, text: str) -> None:
    """Wait for a line of its output."""
    assert process.stdout is not None
    async for line in process.stdout:
        if text in line.decode():
            return
    raise AssertionError(f"it ended without {text!r}")


async def test_logs_follow_from_life_to_life_and_a_restart_ends_a_life_that_lives(there: World) -> None:
    pods = there.supervisors
    assert isinstance(pods, InPods)
    restart = {"maxRestarts": 10, "backoff": {"seconds": 0}}
    settings = {**SETTINGS, "restart": restart, "template": pods.template("sh", "-c", BEGINS, WITNESS="1")}
    work = await Carried.created(there, **settings)
    question, person = await work.asks(), Person(there, work.name)
    code, said = await person.does("logs", person.key)
    assert code == 0 and said.startswith(f"life in {work.name}-1 begins\n"), said
    none = await person.does("logs", person.key, "--previous")
    assert none[0] == Exit.NOT_FOUND and "--conversation" in none[1]
    async with person.started("logs", person.key, "--follow") as following:
        await until_line(following, f"life in {work.name}-1 begins")
        code, said = await person.does("restart-supervisor", person.key, "--timeout", "120s")
        assert code == 0 and "life 1 of its supervisor ended; life 2 carries on" in said, said
        await until_line(following, f"life in {work.name}-2 begins")
        await work.life(2, "QuestionsRedelivered")
        gone = await person.does("logs", person.key, "--life", "1")
        assert gone[0] == Exit.NOT_FOUND, "its pod was taken away, as it was alive"

        await pods.kill(work.name, 2, whole_pod=False)
        await until_line(following, f"life in {work.name}-3 begins")
        await work.life(3, "QuestionsRedelivered")
        for words in (("--previous",), ("--life", "2")):
            code, said = await person.does("logs", person.key, *words)
            assert code == 0 and said.startswith(f"life in {work.name}-2 begins\n"), said
        code, last = await person.does("logs", person.key, "--previous", "--tail", "1")
        assert (code, last) == (0, said.splitlines()[-1] + "\n")
        assert (await person.does("logs", person.key))[1].startswith(f"life in {work.name}-3 begins\n")
        await work.answer(question)
        await work.contract("Completed")
        await following.communicate()
        assert following.returncode == 0, "the contract is over, and so is its log"


async def test_orphaned_worktrees_are_counted_and_cleared_by_a_job_of_the_node(there: World) -> None:
    pods = there.supervisors
    assert isinstance(pods, InPods)
    with volume(pods) as folder:
        work = ("python", "-c", "import time; time.sleep(600)")
        name = await carried_in(there, folder, work, "long=x")
        try:
            await there.driven.until(
                name, lambda now: any(task["state"] == "Running" for task in now.get("tasks", ())), 240
            )
            person = Person(there, name)
            where = ("--worktrees", "--namespace", pods.kubectl.namespace)
            code, said = await person.does("cleanup", *where, "--dry-run")
            assert code == 0 and "would clear worktrees (1 orphaned worktrees)" in said, said
            assert (folder / "worktrees" / "vanished").exists(), "nothing was touched"
            code, said = await person.does("cleanup", *where)
            assert "nobody is there to ask" in said and (folder / "worktrees" / "vanished").exists()
            code, said = await person.does("cleanup", *where, "--force")
            assert code == 0 and "removed 1 worktrees, 2 stay" in said, said
            left = {tree.name for tree in (folder / "worktrees").iterdir()}
            assert "vanished" not in left and "young" in left and len(left) == 2, (
                "the running task's stays, and a young one"
            )
        finally:
            pods.kubectl.run("delete", "contract", name, "--wait=false")
