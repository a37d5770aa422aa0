"""Several streams as one: watches of many places, monitor streams of many namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

WAITING = 1000
"""Items that wait to be taken; a reader that is slower holds the streams up, which are then read further behind."""


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


class Merging(Generic[Item]):
    """Streams as one, while some are added to it and others taken out of it."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Item | _Failed] = asyncio.Queue(WAITING)
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, stream: AsyncGenerator[Item, None]) -> asyncio.Task[None]:
        """Read this one too, from now on; cancelling the task takes it out."""
        task = asyncio.create_task(self._read(stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def items(self) -> AsyncGenerator[Item, None]:
        """Items of all streams as they come. Never ends by itself; a stream that ends is over, and the others go on.

        Raises:
            Exception: what a stream raised, after everything that came before it.
        """
        try:
            while True:
                item = await self._queue.get()
                if isinstance(item, _Failed):
                    raise item.error
                yield item
        finally:
            left = [*self._tasks]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _read(self, stream: AsyncGenerator[Item, None]) -> None:
        try:
            async with aclosing(stream):
                async for item in stream:
                    await self._queue.put(item)
        except Exception as error:  # raised where the items are taken
            await self._queue.put(_Failed(error))


async def merged(streams: Iterable[AsyncGenerator[Item, None]]) -> AsyncGenerator[Item, None]:
    """Items of these streams as they come, as `Merging.items` has them."""
    merging = Merging[Item]()
    for stream in streams:
        merging.add(stream)
    async with aclosing(merging.items()) as items:
        async for item in items:
            yield item
