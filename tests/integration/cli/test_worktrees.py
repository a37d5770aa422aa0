"""Orphaned worktrees: counted by the operator, shown to the person, and taken away when they agree."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from makima.adapters.kubernetes.connection import Connection
from makima.errors import Conflict
from tests.support.command_line import Stage
from tests.support.kubelet import Kubelet

TEMPLATE = {"name": "build", "template": {"containers": [{"name": "main", "image": "x.test/build:1"}]}}
COUNTED = '{"removed":0,"left":1,"failed":0,"orphans":2}'
CLEARED = '{"removed":2,"left":1,"failed":0,"orphans":0}'


async def run_jobs(admin: Connection, namespace: str, job: str, endings: tuple[str, ...]) -> None:
    """Play the node: each time the Job is made anew, it ends with the next of these words."""
    kubelet, before = Kubelet(admin, namespace), ""
    with suppress(Conflict):  # another test of the namespace has
        await kubelet.prepare()
    for words in endings:
        while (uid := (await kubelet.job(job, 120))["metadata"]["uid"]) == before:
            await asyncio.sleep(0.1)
        for pod in await kubelet.pods():
            await kubelet.end(pod)
        while await kubelet.pods():
            await asyncio.sleep(0.1)
        await kubelet.end_job(job, words)
        before = uid


def test_orphans_are_counted_shown_and_taken_away(driven: Stage) -> None:
    driven.create("space", workspace={"claimName": "there"}, taskTemplates=[TEMPLATE])
    uid = driven.until("space", lambda status: True)["metadata"]["uid"]
    endings = (COUNTED, COUNTED, CLEARED)
    node = threading.Thread(
        target=lambda: driven.do(lambda admin: run_jobs(admin, driven.namespace, f"worktrees-{uid}", endings))
    )
    node.start()
    where = ("--worktrees", "--namespace", driven.namespace)
    dry = driven.makima("ed", "cleanup", *where, "--dry-run").ok()
    assert "would clear worktrees (2 orphaned worktrees)" in dry.out
    found = driven.get("space")["status"]["workspace"]
    assert (found["orphans"], found["worktreesRemoved"], found["clearings"]) == (2, 0, 1)
    done = driven.makima("ed", "cleanup", *where, "--force").ok()
    assert "removed 2 worktrees, 1 stay" in done.out
    node.join(60)
    found = driven.get("space")["status"]["workspace"]
    assert (found["orphans"], found["worktreesRemoved"], found["clearings"]) == (0, 2, 3)


def test_worktrees_are_taken_away_before_their_contract_is_deleted(driven: Stage) -> None:
    driven.create("old", workspace={"claimName": "there"}, taskTemplates=[TEMPLATE], archived=True)
    uid = driven.until("old", lambda status: status["state"] == "Archived")["metadata"]["uid"]
    driven.patch("old", {"metadata": {"labels": {"age": "old"}}})
    node = threading.Thread(
        target=lambda: driven.do(
            lambda admin: run_jobs(admin, driven.namespace, f"worktrees-{uid}", (COUNTED, CLEARED))
        )
    )
    node.start()
    where = ("--delete-archived", "--worktrees", "--older-than", "0s", "-l", "age=old", "--namespace", driven.namespace)
    done = driven.makima("ed", "cleanup", *where, "--force", "--format", "json")
    node.join(60)
    done.ok()
    assert [(found["action"], found["result"]) for found in done.json] == [
        ("clear worktrees", "removed 2 worktrees, 1 stay"),
        ("delete", "deleted"),
    ]
    assert [line.partition(": ")[2] for line in done.err.splitlines() if f"old ({uid})" in line] == [
        "removed 2 worktrees, 1 stay",
        "deleted",
    ]


def test_a_contract_without_a_workspace_has_none(driven: Stage) -> None:
    driven.create("bare")
    driven.until("bare", lambda status: True)
    done = driven.makima(
        "ed", "cleanup", "--worktrees", "--namespace", driven.namespace, "-l", "no=such", "--force"
    ).ok()
    assert "there is nothing to clean up" in done.err
