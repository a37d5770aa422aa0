"""`monitor --stale`: what happens to contracts that are stale, also to those that were when it began."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from makima.cli.contracts.monitor import command
from makima.errors import Denied
from tests.support.builders import active, an_id, at, with_status

FRESH, STALE, LATER = an_id(1), an_id(2), an_id(3)
FRAMES = [
    *({"type": "Heartbeat", "contract_id": uid} for uid in (FRESH, STALE)),
    *({"type": "PhaseChanged", "contract_id": uid, "seq": 1} for uid in (FRESH, STALE, STALE)),
    {"type": "StaleDetected", "contract_id": LATER, "seq": 2},
    {"type": "PhaseChanged", "contract_id": LATER, "seq": 3},
]
OF_LATER = [("StaleDetected", LATER), ("PhaseChanged", LATER)]
OF_STALE = [("Heartbeat", STALE), ("PhaseChanged", STALE)]


class Cluster:
    """Two contracts, one of which has been silent since long ago; or none that this person may list."""

    def __init__(self, listed: bool) -> None:
        self.listed = listed

    async def every(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        if not self.listed:
            raise Denied("contracts.makima.dev is forbidden: cannot list", status=403)
        for uid, heard in ((FRESH, at(100 * 365 * 86400)), (STALE, at(0))):  # no clock comes after the first
            contract = with_status(active(), last_activity_time=heard)
            body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
            yield {**body, "metadata": {**body["metadata"], "uid": uid, "resourceVersion": "1"}}


@pytest.mark.parametrize(
    ("words", "listed", "told"),
    [((), True, OF_STALE + OF_LATER), (("--after", "0"), True, OF_LATER), ((), False, OF_LATER)],
)
def test_what_happens_to_contracts_that_are_stale_already_is_told(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], listed: bool, told: list[tuple[str, str]]
) -> None:
    @asynccontextmanager
    async def connect(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(cluster=Cluster(listed), api=SimpleNamespace(aggregated=False), namespace="ns")

    async def frames(_: Any) -> AsyncIterator[dict[str, Any]]:
        for frame in FRAMES:
            yield frame

    monkeypatch.setattr("makima.client.connect", connect)
    monkeypatch.setattr("makima.client.handover.Handover.frames", frames)
    done = CliRunner().invoke(command, ("--stale", "--format", "json", *words))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["type"], line["contract_id"]) for line in lines] == told
    assert ("is not known" in done.stderr) is not listed
