"""The loop that the tests of this folder run in: time passes in the right order, and nobody waits for it."""

from __future__ import annotations

import asyncio
import time

import pytest


async def test_an_hour_takes_no_time_and_timers_come_in_their_order() -> None:
    began, loop = time.monotonic(), asyncio.get_running_loop()
    came: list[str] = []
    loop.call_later(7200, came.append, "later")
    loop.call_later(60, came.append, "soon")
    before = loop.time()
    await asyncio.sleep(3600)
    assert came == ["soon"] and 3600 <= loop.time() - before < 3610
    await asyncio.sleep(3601)
    assert came == ["soon", "later"]
    assert time.monotonic() - began < 10


async def test_what_can_go_on_goes_on_before_a_limit_is_over() -> None:
    done = asyncio.Event()

    async def steps() -> None:
        for _ in range(1000):
            await asyncio.sleep(0)
        done.set()

    working = asyncio.create_task(steps())
    async with asyncio.timeout(5):
        await done.wait()
    await working


async def test_who_waits_for_what_never_comes_reaches_the_limit() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()
