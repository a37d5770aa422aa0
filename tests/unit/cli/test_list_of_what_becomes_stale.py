"""`list --watch` with a threshold: silence becomes news by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from makima.cli.contracts.listing import command
from tests.support.builders import active, an_id, with_status


def bodies() -> list[dict[str, Any]]:
    contract = with_status(active(), last_activity_time=datetime.now(UTC))
    body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
    return [{**body, "metadata": {**body["metadata"], "name": "silent", "uid": an_id(1), "resourceVersion": "1"}}]


class Cluster:
    """One contract of which something was heard a moment ago, and nothing since."""

    def __init__(self) -> None:
        self.bodies = bodies()

    async def every(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        for body in self.bodies:
            yield body

    async def page(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"items": self.bodies, "metadata": {"resourceVersion": "1"}}

    async def watch(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        await asyncio.Event().wait()
        yield {}


@pytest.mark.parametrize(("threshold", "times"), [("2s", 1), ("1h", 0)])
def test_a_contract_that_becomes_stale_while_it_is_watched_is_shown_once(
    monkeypatch: pytest.MonkeyPatch, threshold: str, times: int
) -> None:
    @asynccontextmanager
    async def connect(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(cluster=Cluster(), namespace="ns")

    monkeypatch.setattr("makima.client.connect", connect)
    monkeypatch.setattr("makima.cli.contracts.listing.EVERY", 0.1)
    done = CliRunner().invoke(command, ("--threshold", threshold, "-w", "--format", "name", "--timeout", "4s"))
    assert (done.exit_code, done.stdout.splitlines()) == (0, ["contract.makima.dev/silent"] * times), done.stderr
