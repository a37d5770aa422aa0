"""Several streams as one: watches of many places, monitor streams of many namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

WAITING = 1000
"""Items that wait to be taken; a reader that is slower holds the streams up, which are then read further behind."""


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


async def merged(streams: Iterable[AsyncGenerator[Item, None]]) -> AsyncGenerator[Item, None]:
    """Items of all streams as they come. Never ends by itself; a stream that ends is over, and the others go on.

    Raises:
        Exception: what a stream raised, after everything that came before it.
    """
    queue: asyncio.Queue[Item | _Failed] = asyncio.Queue(WAITING)

    async def read(stream: AsyncGenerator[Item, None]) -> None:
        try:
            async with aclosing(stream):
                async for item in stream:
                    await queue.put(item)
        except Exception as error:  # raised where the items are taken
            await queue.put(_Failed(error))

    tasks = [asyncio.create_task(read(stream)) for stream in streams]
    try:
        while True:
            item = await queue.get()
            if isinstance(item, _Failed):
                raise item.error
            yield item
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
