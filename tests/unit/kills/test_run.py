"""While a kill is under way, the calls that it could miss wait for it."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.support.kills.plans import Kill
from tests.support.kills.run import Call, Run


def run_with(*kills: Kill) -> Run:
    return Run("run-1", uuid4(), list(kills))


async def is_waiting(call: asyncio.Task[Kill | None]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return not call.done()


@pytest.mark.parametrize(
    ("point", "life", "waits"),
    [
        ("acknowledge", 3, True),
        ("acknowledge", 4, False),
        ("acknowledge", None, False),
        ("heartbeat in execute", 3, True),
        ("ask", 3, False),
    ],
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


@pytest.mark.parametrize("happened", [True, False])
async def test_a_repetition_waits_for_the_end_of_the_kill_at_the_first_try_and_takes_its_place(happened: bool) -> None:
    run = run_with(kill := Kill("state after ask", "after", "api"))
    assert await run.due("state after ask", 1) == kill
    again = asyncio.create_task(run.due("state after ask", 1))
    assert await is_waiting(again)
    run.done_with(kill, 1, happened=happened)
    assert await again == (None if happened else kill)


async def test_a_call_that_would_bring_the_next_kill_waits_for_the_one_before() -> None:
    run = run_with(first := Kill("ask", "after", "api"), second := Kill("message answered", "after", "api"))
    assert await run.due("ask", 1) == first
    later = asyncio.create_task(run.due("message answered", 1))
    assert await is_waiting(later)
    run.done_with(first, 1, happened=True)
    assert await later == second


def a_call(path: str, life: int, **content: object) -> Call:
    return Call("POST", f"/api/v1/contracts/{uuid4()}/supervisor/{path}", {}, b"", life, content)


def test_a_late_answer_to_an_earlier_call_does_not_say_where_a_life_is() -> None:
    run, state = run_with(), Call("PUT", f"/api/v1/contracts/{uuid4()}/supervisor/state", {}, b"", 2, {})
    assert run.point(state) == "state after register"
    ask, deliver = a_call("questions", 2), a_call("deliverables", 2, id="plan-document")
    for call in (ask, deliver, ask, a_call("advance", 1, to="execute")):
        run.took(call, run.point(call), 200)
    assert run.point(state) == "state after deliver plan-document"
    run.took(a_call("advance", 2, to="execute"), "advance execute", 503)
    assert run.point(state) == "state after deliver plan-document"
