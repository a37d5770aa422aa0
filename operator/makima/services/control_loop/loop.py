"""Workers on one keyed queue, and a sweep that puts in what has come due: how everything level-triggered runs here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from makima.ports import Clock
from makima.services.control_loop.deadline_index import DeadlineIndex
from makima.services.control_loop.work_queue import WorkQueue

SWEEP_SECONDS = 0.25


class ControlLoop:
    """Looks at keys: those that are put into `queue`, and those of `deadlines` once their moment has come.

    Attributes:
        sweep_seconds: how often deadlines are looked through.
    """

    def __init__(self, look: Callable[[str], Awaitable[None]], clock: Clock, workers: int = 16) -> None:
        """`look` never raises; it is never at work on one key twice at a time."""
        self._look, self._clock, self._workers = look, clock, workers
        self.queue, self.deadlines = WorkQueue(), DeadlineIndex()
        self.sweep_seconds = SWEEP_SECONDS
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, *beside: Coroutine[Any, Any, None]) -> None:
        """Begin to work, and run `beside` as long."""
        jobs = (*(self._work() for _ in range(self._workers)), self._sweep(), *beside)
        self._tasks = [asyncio.create_task(job) for job in jobs]

    async def stop(self) -> None:
        """End at once; what was under way is found again by whoever leads next."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _work(self) -> None:
        while True:
            key = await self.queue.take()
            try:
                await self._look(key)
            finally:
                self.queue.done(key)

    async def _sweep(self) -> None:
        while True:
            for key in self.deadlines.due(self._clock.now()):
                self.queue.put(key)
            await asyncio.sleep(self.sweep_seconds)
