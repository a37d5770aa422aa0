"""All kills happen: one that its contract could not have any more comes in another contract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

import pytest

from tests.support.kills import suite
from tests.support.kills.plans import Kill
from tests.support.kills.run import Run
from tests.support.kills.world import World

ASK, END = Kill("ask", "before", "pod"), Kill(suite.LAST, "after", "process")


class Carried:
    """Contracts that are carried to their end at once; at the last point so many kills can't happen."""

    def __init__(self, too_late: int) -> None:
        self.too_late = too_late
        self.kills: list[Kill] = []
        self.away: dict[str, list[float]] = {}
        self.names: list[str] = []
        self.recorded: dict[str, Any] = {}

    async def run_one(self, world: object, name: str, plan: list[Kill]) -> Run:
        self.names.append(name)
        run = Run(name, uuid4(), [])
        for kill in plan:
            if kill.point == suite.LAST and self.too_late:
                self.too_late -= 1
                run.kills.append(kill)
            else:
                self.kills.append(kill)
        run.refusals = [("a call", 409)]
        return run

    async def settle(self) -> None:
        """Everybody is there already."""

    def record(self, name: str, value: object) -> None:
        self.recorded[name] = value


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Carried]:
    def carry(too_late: int) -> Carried:
        found = Carried(too_late)
        monkeypatch.setattr(suite, "run_one", found.run_one)
        return found

    return carry


@pytest.mark.parametrize(
    ("too_late", "names"), [(0, ["run-0"]), (1, ["run-0", "run-1"]), (2, ["run-0", "run-1", "run-2"])]
)
async def test_a_kill_that_came_too_late_comes_in_another_contract(
    carried: Callable[[int], Carried], too_late: int, names: list[str]
) -> None:
    world = carried(too_late)
    await suite.all_survived(cast("World", world), [ASK, END], 1, world.record)
    assert world.names == names
    assert sorted(map(str, world.kills)) == sorted(map(str, [ASK, END]))
    assert world.recorded["kills"]["contracts"] == len(names)


async def test_a_kill_that_never_happens_is_a_failure(carried: Callable[[int], Carried]) -> None:
    world = carried(suite.TRIES)
    with pytest.raises(AssertionError):
        await suite.all_survived(cast("World", world), [ASK, END], 1, world.record)
    assert len(world.names) == suite.TRIES
