"""Several streams are one, and nothing of any is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from makima.client.merging import WAITING, merged


async def some(*items: int, then: Exception | None = None) -> AsyncGenerator[int, None]:
    for item in items:
        yield item
    if then is not None:
        raise then


class Endless:
    """Goes on until it is closed."""

    def __init__(self) -> None:
        self.made, self.closed = 0, False

    async def items(self) -> AsyncGenerator[int, None]:
        try:
            while True:
                self.made += 1
                yield self.made
        finally:
            self.closed = True


async def test_what_came_before_a_failure_is_told_before_it() -> None:
    async with aclosing(merged([some(1, 2, 3, then=OSError("cut"))])) as items:
        assert [await anext(items) for _ in range(3)] == [1, 2, 3]
        with pytest.raises(OSError, match="cut"):
            await anext(items)


async def test_a_stream_that_ends_leaves_the_others_going_on() -> None:
    async with asyncio.timeout(5), aclosing(merged([some(), Endless().items()])) as items:
        assert [await anext(items) for _ in range(3)] == [1, 2, 3]


async def test_whoever_is_slow_holds_the_streams_up_and_closing_ends_them() -> None:
    stream = Endless()
    async with aclosing(merged([stream.items()])) as items:
        await anext(items)
        for _ in range(3 * WAITING):
            await asyncio.sleep(0)
        assert stream.made <= WAITING + 2
    assert stream.closed
