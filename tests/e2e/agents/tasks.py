"""Spawns tasks that run as Jobs, waits for all of them, and ends its contract.

Arguments: the tasks, each as NAME=ARGUMENT. With `REPOSITORY` in the environment a git repository is made there first,
with worktrees of two tasks that nobody knows: one of yesterday, one of now.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from makima.supervisor import Supervisor

YESTERDAY = time.time() - 86400


def git(folder: Path, *arguments: str) -> None:
    """Run git there."""
    identity = ("-c", "user.name=agent", "-c", "user.email=agent@example.test")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


def make_repository(repository: Path) -> None:
    """Once; what a life before left half made is made anew."""
    made, worktrees = repository.parent / "made", repository.parent / "worktrees"
    if made.exists():
        return
    for half in (repository, worktrees):
        shutil.rmtree(half, ignore_errors=True)
    repository.mkdir()
    git(repository, "init", "--quiet")
    (repository / "README").write_text("what the tasks work on\n")
    git(repository, "add", "README")
    git(repository, "commit", "--quiet", "--message", "begin")
    for name, changed in (("vanished", YESTERDAY), ("young", time.time())):
        tree = worktrees / name
        git(repository, "worktree", "add", "--quiet", "-b", f"makima/{name}", str(tree))
        os.utime(tree / ".git", (changed, changed))
    made.touch()


async def live(wanted: list[str]) -> None:
    """From the first task to the end of the contract."""
    async with Supervisor(patience=300) as supervisor:
        if "REPOSITORY" in os.environ:
            make_repository(Path(os.environ["REPOSITORY"]))
        pairs = [item.partition("=") for item in wanted]
        tasks = [await supervisor.spawn_task(name, template="work", arguments=[what]) for name, _, what in pairs]
        ends = [await task.ended for task in tasks]
        told = "; ".join(f"{task.name} {state} {message}" for task, (state, message) in zip(tasks, ends, strict=True))
        await supervisor.on_llm_response(told, key="told")
        await supervisor.complete_deliverable("report")
        while not supervisor.picture.completed:
            await supervisor.ask_advance("Completed")


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1:]))
