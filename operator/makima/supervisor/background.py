"""What runs beside an `async with` block and ends it when it ends itself: a dead supervisor must not work on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from makima.errors import Superseded


class Background:
    """Tasks beside the task that made this."""

    def __init__(self) -> None:
        self._owner = asyncio.current_task()
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: Exception | None = None
        self._leaving = False

    def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run this beside the block."""
        self._tasks.append(asyncio.create_task(self._guarded(work)))

    async def leave(self, error: BaseException | None) -> None:
        """End everything; to be called where the block ends, with the exception that ends it.

        Raises:
            Exception: what ended the background, if that is why the block ends.
        """
        self._leaving = True
        try:
            await self._end()
        except asyncio.CancelledError:
            if self._failure is None:
                raise
            await self._end()
        if self._failure is not None and isinstance(error, asyncio.CancelledError | Superseded):
            assert self._owner is not None
            self._owner.uncancel()
            raise self._failure from None

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # raised again where the block ends
            if self._owner is not None and self._failure is None and not self._leaving:
                self._failure = error
                self._owner.cancel()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
