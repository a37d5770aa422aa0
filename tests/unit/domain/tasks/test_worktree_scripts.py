"""The scripts of a workspace, run by a real shell on real git worktrees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from makima.domain.tasks.worktree_scripts import ADD_WORKTREE, CLEAR_WORKTREES

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git on this machine: install it")

IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@example.test")


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *IDENTITY, "-C", str(folder), *words], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    (repository / "file").write_text("first\n")
    git(repository, "add", "file")
    git(repository, "commit", "-q", "-m", "first")
    return tmp_path


def run(script: str, **variables: object) -> None:
    environment = {"PATH": os.environ["PATH"], **{key: str(value) for key, value in variables.items()}}
    subprocess.run(["sh", "-ec", script], check=True, env=environment, capture_output=True)


def add(workspace: Path, task: str) -> Path:
    tree = workspace / "worktrees" / task
    run(ADD_WORKTREE, REPOSITORY=workspace / "repository", WORKTREE=tree, BRANCH=f"makima/{task}")
    return tree


def clear(
    workspace: Path, *, stay: str = "", ended: str = "", before: float = 0, only_count: str = ""
) -> dict[str, int]:
    report = workspace / "report"
    run(
        CLEAR_WORKTREES,
        REPOSITORY=workspace / "repository",
        WORKTREES=workspace / "worktrees",
        OPEN=stay,
        ENDED=ended,
        BEFORE=int(before),
        ONLY_COUNT=only_count,
        REPORT=report,
    )
    found: dict[str, int] = json.loads(report.read_text())
    return found


def test_a_task_gets_a_worktree_and_a_retry_finds_what_was_left(workspace: Path) -> None:
    tree = add(workspace, "one")
    assert (tree / "file").read_text() == "first\n"
    (tree / "file").write_text("changed\n")
    assert (add(workspace, "one") / "file").read_text() == "changed\n"


def test_a_worktree_that_was_deleted_by_hand_is_made_again(workspace: Path) -> None:
    tree = add(workspace, "one")
    subprocess.run(["rm", "-r", str(tree)], check=True)
    assert (add(workspace, "one") / "file").exists()


def test_worktrees_of_ended_tasks_go_and_those_of_open_ones_stay(workspace: Path) -> None:
    for task in ("open", "ended", "fresh"):
        add(workspace, task)
    assert clear(workspace, stay="open", ended="ended other") == {"removed": 1, "left": 2, "failed": 0, "orphans": 0}
    assert sorted(item.name for item in (workspace / "worktrees").iterdir()) == ["fresh", "open"]


def test_a_worktree_that_belongs_to_no_task_goes_once_it_is_old(workspace: Path) -> None:
    add(workspace, "vanished")
    add(workspace, "open")
    assert clear(workspace, stay="open", before=time.time() - 60) == {
        "removed": 0,
        "left": 2,
        "failed": 0,
        "orphans": 0,
    }
    assert clear(workspace, stay="open", before=time.time() + 60) == {
        "removed": 1,
        "left": 1,
        "failed": 0,
        "orphans": 0,
    }


def test_what_was_not_committed_is_kept_on_the_branch(workspace: Path) -> None:
    tree = add(workspace, "one")
    (tree / "file").write_text("unfinished\n")
    (tree / "new").write_text("new\n")
    assert clear(workspace, ended="one")["removed"] == 1
    assert not tree.exists()
    assert git(workspace / "repository", "show", "makima/one:file") == "unfinished\n"
    assert git(workspace / "repository", "show", "makima/one:new") == "new\n"


def test_a_workspace_without_worktrees_is_clear(workspace: Path) -> None:
    assert clear(workspace) == {"removed": 0, "left": 0, "failed": 0, "orphans": 0}


def test_counting_takes_nothing_away(workspace: Path) -> None:
    trees = [add(workspace, task) for task in ("open", "ended", "vanished")]
    found = clear(workspace, stay="open", ended="ended", before=time.time() + 60, only_count="yes")
    assert found == {"removed": 0, "left": 1, "failed": 0, "orphans": 2}
    assert all(tree.exists() for tree in trees)
    assert clear(workspace, stay="open", ended="ended", before=time.time() + 60)["removed"] == 2
