"""While a kill is under way, the calls that it could miss wait for it."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.support.kills.plans import Kill
from tests.support.kills.run import Run


def run_with(*kills: Kill) -> Run:
    return Run("run-1", uuid4(), list(kills))


async def is_waiting(call: asyncio.Task[Kill | None]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not call.done()


@pytest.mark.parametrize(
    ("point", "life", "waits"),
    [("acknowledge", 3, True), ("acknowledge", 4, False), ("acknowledge", None, False), ("ask", 3, False)],
)
async def test_a_life_that_is_being_killed_at_a_call_for_which_it_does_not_wait_gets_no_further(
    point: str, life: int | None, waits: bool
) -> None:
    run = run_with(kill := Kill(point, "before", "pod"))
    assert await run.due(point, 3) == kill
    other = asyncio.create_task(run.due("message answered", life))
    assert await is_waiting(other) is waits
    run.done_with(kill, 3, happened=True)
    assert await other is None and run.over == {3}


async def test_a_kill_whose_call_was_not_taken_comes_with_its_repetition() -> None:
    run = run_with(kill := Kill("ask", "after", "api"))
    assert await run.due("ask", 1) == kill
    run.done_with(kill, None, happened=False)
    assert await run.due("ask", 1) == kill
