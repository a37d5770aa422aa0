"""Bulk operations that are written from here: what the API chose, as it is now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from makima.client import Person
from makima.client.bulk import carry_out
from makima.client.wishes import ATTEMPTS
from makima.errors import Conflict
from makima.models.contract import Contract
from makima.models.enums import ContractState
from tests.support.builders import accepted, an_id, with_status


def body_of(contract: Contract, version: int, uid: str = an_id(1)) -> dict[str, Any]:
    body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**body, "metadata": {**body["metadata"], "uid": uid, "resourceVersion": str(version)}}


class Changing:
    """One contract, that others change between each reading and the next write, so many times."""

    def __init__(self, contract: Contract, times: int = 0, uid: str = an_id(1)) -> None:
        self.contract, self.left, self.uid = contract, times, uid
        self.version, self.written = 1, 0
        self.report: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}

    async def may(self, *_: Any) -> bool:
        return True

    async def every(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        yield body_of(self.contract, self.version)
        self._changed()

    async def get(self, *_: Any) -> dict[str, Any]:
        found = body_of(self.contract, self.version, self.uid)
        self._changed()
        return found

    async def patch(self, plural: str, namespace: str, name: str, steps: list[dict[str, Any]]) -> None:
        if steps[1]["value"] != str(self.version):
            raise Conflict(f"{plural} {namespace}/{name} was changed")
        self.written += 1

    async def whoami(self) -> str:
        return "bea"

    async def call(self, _: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path.endswith("/report"):
            self.report = body
        return {"batch_id": str(UUID(int=9)), "affected_ids": [an_id(1)], "errors": [], **self.answers}

    def collection(self, *_: Any) -> str:
        return "batch"

    def _changed(self) -> None:
        if self.left:
            self.left, self.version = self.left - 1, self.version + 1


async def run(world: Changing, operation: str, **more: Any) -> dict[str, Any]:
    person = SimpleNamespace(cluster=world, api=world, namespace="ns")
    return await carry_out(cast("Person", person), {"operation": operation, **more}, None)


@pytest.mark.parametrize(("times", "written"), [(0, 1), (1, 1), (ATTEMPTS - 1, 1), (ATTEMPTS, 0)])
async def test_a_contract_that_changed_meanwhile_is_looked_at_again(times: int, written: int) -> None:
    world = Changing(with_status(accepted(), state=ContractState.ACTIVE), times)
    answer = await run(world, "pause_all")
    assert (world.written, answer["affected_count"]) == (written, written)
    assert [error["code"] for error in world.report["errors"]] == ([] if written else ["CONFLICT"])


async def test_a_run_that_is_cut_off_is_reported_all_the_same() -> None:
    world = Changing(with_status(accepted(), state=ContractState.ACTIVE))
    writing = asyncio.Event()

    async def never(*_: Any) -> None:
        writing.set()
        await asyncio.Event().wait()

    world.patch = never  # type: ignore[method-assign]
    running = asyncio.create_task(run(world, "pause_all"))
    await asyncio.wait_for(writing.wait(), 30)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (world.report["batch_id"], world.report["affected_ids"]) == (str(UUID(int=9)), [])
    assert [(error["id"], error["code"]) for error in world.report["errors"]] == [(an_id(1), "UNAVAILABLE")]


async def test_another_contract_of_the_same_name_is_left_alone() -> None:
    world = Changing(with_status(accepted(), state=ContractState.ACTIVE), times=1, uid=an_id(2))
    answer = await run(world, "pause_all")
    assert (world.written, answer["affected_ids"], answer["errors"]) == (0, [], [])


async def test_what_is_suspended_is_resumed_also_where_a_pause_is_no_state() -> None:
    world = Changing(with_status(accepted(suspend=True), state=ContractState.ACTIVE))
    answer = await run(world, "resume_all")
    assert (world.written, answer["affected_ids"]) == (1, [an_id(1)])


@pytest.mark.parametrize(
    ("told", "asked", "written"),
    [
        ({"enhanced_contract_status": False}, "completed", 1),
        ({"enhanced_contract_status": True}, "completed", 0),
        ({}, "completed", 0),  # an older API, which does not tell
        ({"enhanced_contract_status": True}, "failed", 1),
    ],
)
async def test_old_statuses_choose_here_what_they_choose_in_the_api(
    told: dict[str, Any], asked: str, written: int
) -> None:
    """With the flag off, completed stands for Failed as well."""
    world = Changing(with_status(accepted(), state=ContractState.FAILED))
    world.answers = told
    answer = await run(world, "archive_old", status_filter=[asked], older_than_hours=0)
    assert (world.written, answer["affected_count"]) == (written, written)
