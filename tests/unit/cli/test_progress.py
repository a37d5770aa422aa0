"""Long work says how far it is, at a terminal and beside the result, and leaves nothing of that behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from makima.cli.contracts.batch import command as batch
from makima.cli.contracts.export import command as export
from makima.cli.contracts.pause import command as pause
from makima.cli.contracts.text import Screen
from makima.errors import NotFound
from tests.support.builders import active, an_id, wanting, with_status

PATIENCE = ("--timeout", "5s")


class World:
    """Three contracts that may be paused, the first of which has a history of three pages; every write is good."""

    connection, aggregated = None, True

    def _body(self, number: int, *, suspend: bool = False) -> dict[str, Any]:
        contract = wanting(with_status(active(), observed_generation=10), suspend=suspend)
        body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
        meta = {"name": f"work-{number}", "uid": an_id(number), "resourceVersion": "1", "generation": 10}
        return {**body, "metadata": {**body["metadata"], **meta}}

    async def every(self, *_: Any) -> AsyncIterator[dict[str, Any]]:
        for number in (1, 2, 3):
            yield self._body(number)

    async def page(self, *_: Any, **__: Any) -> dict[str, Any]:
        paused = self._body(1, suspend=True)
        paused["status"] = {**paused["status"], "state": "Paused"}
        return {"items": [paused], "metadata": {"resourceVersion": "1"}}

    async def get(self, plural: str, *_: Any, after: str = "", **__: Any) -> dict[str, Any]:
        if plural == "contracts":
            return self._body(1)
        if plural == "supervisors":
            raise NotFound(plural)
        if plural == "export":
            return {"history": [{"seq": 1}], "truncated": ["history"]}
        return {"events": [{"seq": int(after) + 1}], "more": int(after) < 2}

    async def merge(self, *_: Any, **__: Any) -> dict[str, Any]:
        return self._body(1, suspend=True)

    async def patch(self, *_: Any) -> None: ...

    async def whoami(self) -> str:
        return "bea"

    async def call(self, *_: Any, body: dict[str, Any]) -> dict[str, Any]:
        ids = [an_id(number) for number in (1, 2, 3)]
        return {
            "operation": "pause_all",
            "batch_id": an_id(9),
            "affected_count": 3,
            "affected_ids": ids,
            "errors": [],
            "enhanced_contract_status": True,
        }

    def collection(self, *_: Any) -> str:
        return "batch"

    def contract(self, _: str, __: str, rest: str) -> str:
        return rest


TABLE: list[tuple[str, click.Command, tuple[str, ...], list[str]]] = [
    (
        "batch",
        batch,
        ("pause_all", "--force"),
        [
            "pause_all: makima's API chooses the contracts",
            "pause_all: 3 contracts",
            "pause_all: 1/3",
            "pause_all: 2/3",
            "pause_all: 3/3",
        ],
    ),
    ("export", export, ("work-1",), ["export: asking makima's API", "export: 1 events", "export: 2 events"]),
    ("waiting", pause, ("work-1",), ["default/work-1: asked for; the operator has 5 s to act"]),
]


def run(monkeypatch: pytest.MonkeyPatch, command: click.Command, words: tuple[str, ...]) -> Result:
    @asynccontextmanager
    async def connect(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(cluster=World(), api=World(), namespace="default")

    monkeypatch.setattr("makima.client.connect", connect)
    done = CliRunner().invoke(command, (*words, *PATIENCE))
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_long_work_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, row: tuple[str, click.Command, tuple[str, ...], list[str]]
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Screen, "progress", lambda _, text: told.append(text))
    run(monkeypatch, row[1], row[2])
    assert [text for text in told if text] == row[3]
    assert told[-1] == ""


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_without_a_terminal_nothing_of_it_is_written(
    monkeypatch: pytest.MonkeyPatch, row: tuple[str, click.Command, tuple[str, ...], list[str]]
) -> None:
    done = run(monkeypatch, row[1], row[2])
    assert not any(text in done.output for text in row[3])
