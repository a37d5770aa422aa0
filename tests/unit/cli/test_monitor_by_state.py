"""`monitor --status`: of contracts in these states, and changes from and to them, whoever tells of them."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest

from makima.cli.main import run
from makima.client.following import Changed, Listed
from makima.client.live import Seen
from makima.client.stream import Filter
from makima.models.contract import Contract
from makima.models.enums import ContractState
from makima.tui import start
from makima.tui.options import Options
from tests.support.builders import active, at, status_of, with_status
from tests.support.played_people import PlayedPeople, named

S = ContractState
BOTH = ("active", "waiting_for_input")


def test_the_stream_is_asked_for_these_states_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[tuple[str, str]]] = []

    async def frames(flow: Any) -> AsyncGenerator[dict[str, Any], None]:
        asked.append(flow._wanted.query(None))
        yield {"type": "PhaseChanged", "contract_id": "u", "seq": 1}

    monkeypatch.setattr("makima.client.handover.Handover.frames", frames)
    there = PlayedPeople(named(active(), "work"), api=SimpleNamespace(aggregated=False))
    done = there.paste("makima contracts monitor --status Active,waiting_for_input --format json --timeout 1s").ok()
    assert [json.loads(line)["seq"] for line in done.out.splitlines()] == [1]
    assert [value for name, value in asked[0] if name == "status"] == [*BOTH]


def test_the_terminal_ui_begins_with_these_states(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Options] = []

    async def shown(_: Any, options: Options, *__: Any) -> None:
        seen.append(options)

    monkeypatch.setattr(start, "_run", shown)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert run(["contracts", "monitor", "--status", "active,waiting_for_input"]) == 0
    assert seen[0].statuses == BOTH


def in_state(state: ContractState, version: int) -> dict[str, Any]:
    """The contract as it is on the API server."""
    before = status_of(active())
    entry = before.transitions[-1].model_copy(
        update={"version": version, "from_state": before.state, "to_state": state}
    )
    contract: Contract = with_status(
        active(), state=state, version=version, transitions=(*before.transitions, entry), state_changed_time=at(60)
    )
    body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**body, "metadata": {**body["metadata"], "resourceVersion": str(version)}}


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ((), True),
        (("active",), True),  # from it
        (("paused",), True),  # to it
        (("failed",), False),
        (("failed", "paused"), True),
    ],
)
def test_the_watch_alone_tells_of_the_same_states(statuses: tuple[str, ...], told: bool) -> None:
    seen, topic = Seen(Filter(statuses=statuses)), ("contracts", None)
    first = active().model_dump(mode="json", by_alias=True, exclude_none=True)
    assert not [*seen.frames(topic, Listed((first,)), at(0))]
    frames = [*seen.frames(topic, Changed(in_state(S.PAUSED, status_of(active()).version + 1)), at(60))]
    assert [frame["type"] for frame in frames] == (["StatusChanged"] if told else [])
