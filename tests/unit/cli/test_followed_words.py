"""`logs -f` goes on also where there is no pod: with what the supervisor said and did, until the contract is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from makima.cli.contracts.exits import Exit
from makima.cli.contracts.logs import command
from makima.cli.contracts.said import BEATS, FEW, Activity
from makima.client.api import unreachable
from makima.errors import NotFound
from makima.models.enums import ContractState
from makima.models.supervisor import SupervisorSettings
from tests.support.builders import active, an_id, with_status

POD = SupervisorSettings.model_validate({"template": {"containers": [{"name": "a", "image": "x.test/a:1"}]}})


class World:
    """A contract that is over at the fourth look at it; its supervisor says a word, and does something, before each."""

    connection = None

    def __init__(self, *, pod: bool = False) -> None:
        self.contract = active(supervisor=POD) if pod else active()
        self.looks, self.away, self.pod = 0, 0, pod

    async def get(self, plural: str, *_: Any) -> dict[str, Any]:
        if plural != "contracts":
            raise NotFound(plural)
        self.looks += 1
        over = self.looks > 3
        contract = with_status(self.contract, state=ContractState.COMPLETED if over else ContractState.ACTIVE)
        body = contract.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {**body, "metadata": {**body["metadata"], "uid": an_id(1), "resourceVersion": "1"}}

    async def pods(self, *_: Any) -> list[dict[str, Any]]:
        if not self.pod or self.looks < 2:
            return []
        meta = {"name": "work-1", "labels": {"makima.dev/incarnation": "1"}}
        return [{"metadata": meta, "spec": {"containers": [{"name": "a"}]}, "status": {"phase": "Running"}}]

    async def log(self, *_: Any, **__: Any) -> AsyncIterator[str]:
        yield "of the pod"


class Api:
    """makima's API, which is away once."""

    def __init__(self, world: World) -> None:
        self.world, self.asked = world, 0

    def contract(self, _: str, __: str, rest: str) -> str:
        return rest

    async def get(self, path: str, *, after: str = "0", **_: Any) -> dict[str, Any]:
        self.asked += 1
        if self.asked == 4:
            raise unreachable("there", "nobody")
        there = range(1, min(self.world.looks, 4) + 1)
        if path == "supervisor/messages":
            return {"messages": [{"sequence": n, "role": "a", "content": f"word {n}"} for n in there if n > int(after)]}
        beats = [
            {"state": "Working", "progress": n, "activity": "x", "timestamp": f"2026-01-01T00:00:{n:02}Z"}
            for n in there
        ]
        return {"heartbeats": beats[::-1]}


def run(monkeypatch: pytest.MonkeyPatch, world: World, *words: str) -> Result:
    @asynccontextmanager
    async def connect(_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(cluster=world, api=Api(world), namespace="default")

    monkeypatch.setattr("makima.client.connect", connect)
    monkeypatch.setattr("makima.cli.contracts.said.EVERY", 0.01)
    return CliRunner().invoke(command, ("work", *words, "--timeout", "20s"))


WORDS = [f"{number} a: word {number}" for number in (1, 2, 3, 4)]
DEEDS = [f"Working {number}%: x" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(("option", "told"), [("--conversation", WORDS), ("--heartbeats", DEEDS)])
def test_what_was_saved_is_followed_until_the_contract_is_over(
    monkeypatch: pytest.MonkeyPatch, option: str, told: list[str]
) -> None:
    done = run(monkeypatch, World(), option, "-f")
    assert (done.exit_code, [line[-len(told[0]) :] for line in done.stdout.splitlines()]) == (0, told)
    assert done.stderr.count("trying again") == 1


def test_without_a_pod_both_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, World(), "-f")
    assert done.exit_code == 0 and "has no pod" in done.stderr
    assert [line for line in done.stdout.splitlines() if "word" in line] == WORDS
    assert [line[-len(DEEDS[0]) :] for line in done.stdout.splitlines() if "word" not in line] == DEEDS[1:]


def test_a_pod_that_comes_later_is_followed_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, World(pod=True), "-f")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [WORDS[0], "of the pod"]
    assert "waits for its next pod" in done.stderr


@pytest.mark.parametrize(("tail", "told"), [("0", []), ("1", WORDS[:1])])
def test_the_last_lines_are_counted_before_it_is_followed(
    monkeypatch: pytest.MonkeyPatch, tail: str, told: list[str]
) -> None:
    done = run(monkeypatch, World(), "--conversation", "--tail", tail)
    assert done.stdout.splitlines() == told


def test_both_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, World(), "--conversation", "--heartbeats").exit_code == Exit.USAGE


async def test_a_further_look_asks_for_few_heartbeats_and_misses_none_where_more_came() -> None:
    beats: list[dict[str, Any]] = []
    asked: list[int] = []

    class Counting(Api):
        async def get(self, path: str, *, limit: str = "", **_: Any) -> dict[str, Any]:
            asked.append(int(limit))
            return {"heartbeats": beats[::-1][: int(limit)]}

    world = World()
    activity = Activity(SimpleNamespace(api=Counting(world)), world.contract)  # type: ignore[arg-type]
    told = []
    for came in (1, 3, 3 * FEW, 0):
        first = len(beats)
        beats += [
            {
                "state": "Working",
                "progress": n % 100,
                "activity": "x",
                "timestamp": f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z",
            }
            for n in range(first, first + came)
        ]
        told.append(len(await activity.new()))
    assert told == [1, 3, 3 * FEW, 0]
    assert asked == [BEATS, FEW, FEW, BEATS, FEW]
