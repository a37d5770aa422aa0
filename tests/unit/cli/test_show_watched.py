"""`show -w` while the API server is away: it says so once, and goes on; and its first line says everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from makima.cli.contracts import show
from makima.client import following
from makima.errors import ClusterUnavailable, NotFound
from makima.models.enums import ContractState
from tests.support.builders import active, an_id, with_status


class Cluster:
    """A contract that is paused; the API server is away for some calls after the first, then it is deleted."""

    connection = None

    def __init__(self, away: int) -> None:
        self.away, self.asked = away, 0

    async def get(self, plural: str, *_: Any) -> dict[str, Any]:
        if plural != "contracts":
            raise NotFound(plural)
        self.asked += 1
        if 1 < self.asked <= 1 + self.away:
            raise ClusterUnavailable("nobody answers")
        contract = with_status(active(), state=ContractState.PAUSED)
        body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {**body, "metadata": {**body["metadata"], "uid": an_id(1), "generation": 7, "resourceVersion": "1"}}

    async def page(self, *_: Any, **__: Any) -> dict[str, Any]:
        if self.asked <= self.away:
            raise ClusterUnavailable("nobody answers")
        return {"items": [], "metadata": {"resourceVersion": "1"}}

    async def watch(self, plural: str, *_: Any, **__: Any) -> AsyncGenerator[dict[str, Any], None]:
        while self.asked < self.away + 2 or plural != "contracts":
            await asyncio.sleep(0.01)
        yield {"type": "DELETED", "object": await self.get("contracts")}


@pytest.mark.parametrize("away", [0, 3])
def test_a_cluster_that_is_away_for_a_while_ends_no_watch(monkeypatch: pytest.MonkeyPatch, away: int) -> None:
    @asynccontextmanager
    async def connect(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(cluster=Cluster(away), namespace="ns")

    monkeypatch.setattr("makima.client.connect", connect)
    monkeypatch.setattr(show, "EVERY", 0.01)
    monkeypatch.setattr(following, "FIRST_WAIT", 0.01)
    done = CliRunner().invoke(show.command, ("work", "-w", "--timeout", "30s"))
    assert done.exception is None, done.output
    assert done.stderr.count("nobody answers; trying again") == (1 if away else 0)
    assert "it was deleted" in done.stderr
    assert done.stdout.count("waits for") >= 2


@pytest.mark.parametrize(("words", "arrow"), [((), "→"), (("--ascii",), "->")])
def test_the_first_line_says_what_since_when_and_which_command(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], arrow: str
) -> None:
    @asynccontextmanager
    async def connect(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(cluster=Cluster(0), namespace="ns")

    monkeypatch.setattr("makima.client.connect", connect)
    first = CliRunner().invoke(show.command, ("work", *words)).stdout.splitlines()[0]
    assert first.startswith("waits for somebody to resume it, for ")
    assert first.endswith(f" {arrow} makima contracts resume default/work")
