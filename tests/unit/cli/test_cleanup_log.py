"""What a clean-up has done is told, also where it does not come to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from makima.cli.contracts.cleanup import command
from makima.cli.contracts.exits import Exit
from makima.errors import Denied
from makima.models.enums import ContractState
from tests.support.builders import accepted, an_id, with_status

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


@asynccontextmanager
async def _connect(_: Any) -> AsyncIterator[Any]:
    yield SimpleNamespace(cluster=Held(), namespace="ns")


def test_deletions_before_the_time_was_over_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makima.client.connect", _connect)
    done = CliRunner().invoke(command, CLEANUP)
    assert getattr(done.exception, "exit_code", None) == Exit.TIMED_OUT
    told = [line.partition("/")[2] for line in done.stderr.splitlines() if line.startswith("  ")]
    assert told == [
        f"first ({an_id(0)}): deleted",
        f"second ({an_id(1)}): failed: FORBIDDEN: not yours",
        f"third ({an_id(2)}): delete cut off; look again",
    ]
