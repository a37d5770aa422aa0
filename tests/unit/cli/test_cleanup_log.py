"""What a clean-up has done is told, also where it does not come to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from makima.cli.contracts.cleanup import command
from makima.cli.contracts.exits import Exit
from makima.cli.contracts.text import Screen
from makima.errors import Denied
from makima.models.contract_spec import Workspace
from makima.models.contract_status import WorkspaceStatus
from makima.models.enums import ContractState
from tests.support.builders import START, accepted, an_id, with_status

CLEANUP = ("--delete-archived", "--older-than", "0s", "--force", "--timeout", "1s")


class Held:
    """A cluster in which the first is deleted, the second may not be, and the third deletion is never answered."""

    async def every(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        contract = with_status(accepted(), state=ContractState.ARCHIVED)
        for number, name in enumerate(("first", "second", "third", "fourth")):
            body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
            yield {**body, "metadata": {**body["metadata"], "name": name, "uid": an_id(number), "resourceVersion": "1"}}

    async def delete(self, plural: str, namespace: str, name: str, *_: Any) -> None:
        if name == "second":
            raise Denied("FORBIDDEN: not yours", code="FORBIDDEN", status=403)
        if name == "third":
            await asyncio.Event().wait()
        assert name == "first", f"{plural} {namespace}/{name} is deleted after the time was over"


def run(monkeypatch: pytest.MonkeyPatch, cluster: object, *words: str) -> Result:
    @asynccontextmanager
    async def connect(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(cluster=cluster, namespace="ns")

    monkeypatch.setattr("makima.client.connect", connect)
    return CliRunner().invoke(command, words)


def test_deletions_before_the_time_was_over_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, Held(), *CLEANUP)
    assert getattr(done.exception, "exit_code", None) == Exit.TIMED_OUT
    told = [line.partition("/")[2] for line in done.stderr.splitlines() if line.startswith("  ")]
    assert told == [
        f"first ({an_id(0)}): deleted",
        f"second ({an_id(1)}): failed: FORBIDDEN: not yours",
        f"third ({an_id(2)}): delete cut off; look again",
    ]


def test_each_deletion_is_told_before_the_next_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(Screen, "note", lambda _, text: told.append(text.strip()))

    class Killed(Held):
        """A cluster whose third deletion is the last thing that the process does."""

        async def delete(self, plural: str, namespace: str, name: str, *_: Any) -> None:
            told.append(f"{name} begins")
            await super().delete(plural, namespace, name)

    run(monkeypatch, Killed(), *CLEANUP)
    before = [line.partition("/")[2] or line for line in told[: told.index("third begins")]]
    assert before == [
        "first begins",
        f"first ({an_id(0)}): deleted",
        "second begins",
        f"second ({an_id(1)}): failed: FORBIDDEN: not yours",
    ]


class Spaces:
    """Archived contracts with workspaces: nobody may ask about the first, the second's Job fails, the third is fine."""

    def __init__(self) -> None:
        self.gone: list[str] = []
        self.cleared = 0

    def _body(self, name: str, number: int = 0, failed: int = 0, removed: int = 0) -> dict[str, Any]:
        there = WorkspaceStatus(
            worktrees=1,
            worktrees_removed=removed,
            worktrees_failed=failed,
            cleared_time=START,
            orphans=0 if removed else 2,
            clearings=number,
        )
        contract = with_status(accepted(workspace=Workspace()), state=ContractState.ARCHIVED, workspace=there)
        body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
        uid = an_id(NAMES.index(name))
        return {**body, "metadata": {**body["metadata"], "name": name, "uid": uid, "resourceVersion": "1"}}

    async def every(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        for name in NAMES:
            yield self._body(name)

    async def get(self, _: str, __: str, name: str) -> dict[str, Any]:
        return self._body(name)

    async def merge(self, _: str, __: str, name: str, body: dict[str, Any], **___: Any) -> None:
        if name == "refused":
            raise Denied("FORBIDDEN: not yours", code="FORBIDDEN", status=403)
        self.dry = body["spec"]["clearWorkspace"]["dryRun"]

    async def page(self, *_: Any, fields: str, **__: Any) -> dict[str, Any]:
        name = fields.partition("=")[2]
        broken = name == "broken" and not self.dry
        body = self._body(name, 1, failed=int(broken), removed=0 if self.dry or broken else 2)
        return {"items": [body], "metadata": {"resourceVersion": "1"}}

    async def delete(self, _: str, __: str, name: str, *___: Any) -> None:
        self.gone.append(name)


NAMES = ("refused", "broken", "well")
ALL = ("--all", "--older-than", "0s")


def test_a_workspace_that_can_t_be_cleared_keeps_only_its_own_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Spaces()
    done = run(monkeypatch, cluster, *ALL, "--force")
    assert getattr(done.exception, "exit_code", None) == Exit.FAILED
    assert cluster.gone == ["well"]
    told = [line.partition("/")[2].partition(" ") for line in done.stderr.splitlines() if line.startswith("  ")]
    assert [(name, text.partition(": ")[2].partition(",")[0]) for name, _, text in told] == [
        ("refused", "failed: FORBIDDEN: not yours"),
        ("refused", "left alone: its worktrees were not cleared"),
        ("broken", "failed: removed 0 worktrees"),
        ("broken", "left alone: its worktrees were not cleared"),
        ("well", "removed 2 worktrees"),
        ("well", "deleted"),
    ]


def test_a_look_that_is_refused_is_told_in_a_dry_run_and_the_others_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = run(monkeypatch, Spaces(), *ALL, "--dry-run", "--format", "json")
    assert getattr(done.exception, "exit_code", None) == Exit.FAILED
    assert [(found["name"], found["result"]) for found in json.loads(done.stdout)] == [
        ("refused", "failed: FORBIDDEN: not yours"),
        ("refused", "left alone: its worktrees were not cleared"),
        ("broken", "would clear worktrees (2 orphaned worktrees)"),
        ("broken", "would delete"),
        ("well", "would clear worktrees (2 orphaned worktrees)"),
        ("well", "would delete"),
    ]
