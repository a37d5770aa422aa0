"""Somebody who may read and change a contract, but not list or watch any; and one that is deleted meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from makima.cli.contracts.exits import Exit
from makima.cli.contracts.pause import command as pause
from makima.cli.contracts.show import command as show
from makima.errors import Denied, NotFound
from tests.support.builders import active, an_id

SECONDS = ("--timeout", "5s")


class Cluster:
    """One contract, which the operator never takes up again."""

    connection = None

    def __init__(self, listed: list[dict[str, Any]] | None) -> None:
        self.listed, self.written = listed, 0

    async def get(self, plural: str, *_: Any) -> dict[str, Any]:
        if plural != "contracts":
            raise NotFound(plural)
        body = active().model_dump(mode="json", by_alias=True, exclude_none=True)
        return {**body, "metadata": {**body["metadata"], "uid": an_id(1), "generation": 7, "resourceVersion": "1"}}

    async def merge(self, *_: Any, **__: Any) -> dict[str, Any]:
        self.written += 1
        return await self.get("contracts")

    async def page(self, *_: Any, **__: Any) -> dict[str, Any]:
        if self.listed is None:
            raise Denied("contracts.makima.dev is forbidden: cannot list", status=403)
        return {"items": self.listed, "metadata": {"resourceVersion": "1"}}


def run(monkeypatch: pytest.MonkeyPatch, cluster: Cluster, command: Any, *words: str) -> Result:
    @asynccontextmanager
    async def connect(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(cluster=cluster, namespace="ns")

    monkeypatch.setattr("makima.client.connect", connect)
    return CliRunner().invoke(command, ("work", *words))


def test_a_change_that_was_let_in_is_no_failure_where_its_outcome_may_not_be_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = Cluster(None)
    done = run(monkeypatch, cluster, pause, *SECONDS)
    assert (done.exit_code, cluster.written) == (0, 1)
    assert "not yours to watch" in done.stderr and "to be paused" in done.stdout


def test_a_watch_that_is_not_allowed_ends_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, Cluster(None), show, "-w", *SECONDS)
    assert getattr(done.exception, "exit_code", None) == Exit.FORBIDDEN
    assert "waits for" in done.stdout


@pytest.mark.parametrize("uid", [None, an_id(2)])
def test_a_contract_that_was_deleted_before_anybody_looked_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, uid: str | None
) -> None:
    other = {"metadata": {"name": "work", "uid": uid, "resourceVersion": "2"}}
    done = run(monkeypatch, Cluster([] if uid is None else [other]), pause, *SECONDS)
    assert getattr(done.exception, "exit_code", None) == Exit.NOT_FOUND
    assert "was deleted" in str(done.exception)
