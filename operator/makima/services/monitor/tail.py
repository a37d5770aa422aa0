"""The one reader of the history in this process: every event, in the order of the commits, once.

Numbers are given under a lock that is held to the commit (`queries/record.sql`), so what is above the highest one seen
is all there is to read, also while other transactions stay open. A commit wakes the reader; should that get lost, it
looks by itself.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from makima.contract_stores import EventStream
from makima.errors import HistoryUnavailable
from makima.services.monitor.encoded import Told, told
from makima.services.refusals import unavailable

PAGE = 500
POLL_SECONDS = 0.5
"""How long to wait for a word of a commit before looking by itself."""

GATHER_SECONDS = 0.01
"""What is committed within this time is read together."""

AWAY_SECONDS = 1.0

KEPT = 4096
KEPT_BYTES = 8 * 1024 * 1024
"""The newest events stay in memory, at most so many: whoever comes back soon is not a question to Postgres."""

START_SECONDS = 15.0

log = logging.getLogger(__name__)


class EventTail:
    """Follows the history.

    Attributes:
        head: number of the newest event that was handed out; the next one has a higher number.
        on_told: called with the next events, in order.
    """

    def __init__(self, store: EventStream, *, enhanced: bool = True) -> None:
        self._store, self._enhanced = store, enhanced
        self.head = 0
        self.on_told: Callable[[Sequence[Told]], None] = lambda _: None
        self._kept: deque[Told] = deque()
        self._kept_bytes = 0
        self._kept_after = 0
        self._wake, self._ready = asyncio.Event(), asyncio.Event()
        self._looked = asyncio.Condition()
        self._begun = self._done = 0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to read, a little behind the end, so that whoever was connected before a restart finds it in memory."""
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._listen())]

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ready(self) -> None:
        """Return once the tail has reached the end of the history.

        Raises:
            Refused: UNAVAILABLE, it can't be read.
        """
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            raise unavailable("the history can't be read at the moment") from None

    async def look(self) -> None:
        """Return once the history was read after this call began.

        Raises:
            Refused: UNAVAILABLE.
        """
        begun = self._begun
        self._wake.set()
        try:
            async with asyncio.timeout(START_SECONDS), self._looked:
                await self._looked.wait_for(lambda: self._done > begun)
        except TimeoutError:
            raise unavailable("the history can't be read at the moment") from None

    def kept_after(self, seq: int) -> Iterator[Told] | None:
        """The events after this number, if all of them are in memory; to be read without waiting in between."""
        if seq < self._kept_after:
            return None
        return islice(self._kept, bisect_right(self._kept, seq, key=lambda one: one.seq), None)

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._store.committed():
                    self._wake.set()
            except Exception:
                log.exception("commits are not heard")
            await asyncio.sleep(AWAY_SECONDS)

    async def _run(self) -> None:
        began = False
        while True:
            try:
                if not began:
                    await self._begin()
                    began = True
                if not await self._read():
                    await self._pause()
            except HistoryUnavailable as error:
                log.warning("the live monitor waits for Postgres: %s", error.message)
                await asyncio.sleep(AWAY_SECONDS)
            except Exception:  # a bug here must not end the stream for everybody, for good
                log.exception("the live monitor could not read the history")
                await asyncio.sleep(AWAY_SECONDS)

    async def _begin(self) -> None:
        last = await self._store.last()
        self.head = self._kept_after = max(0, last - KEPT)
        while self.head < last and await self._read():
            pass
        self._ready.set()

    async def _read(self) -> bool:
        """One page; whether there may be more."""
        self._wake.clear()
        self._begun += 1
        page = [told(stored, enhanced=self._enhanced) for stored in await self._store.events_after(self.head, PAGE)]
        if page:
            self.head = page[-1].seq
            self._keep(page)
            self.on_told(page)
        async with self._looked:
            self._done = self._begun
            self._looked.notify_all()
        return len(page) == PAGE

    def _keep(self, page: Sequence[Told]) -> None:
        for one in page:
            self._kept.append(one)
            self._kept_bytes += one.frame.size
        while len(self._kept) > KEPT or self._kept_bytes > KEPT_BYTES:
            gone = self._kept.popleft()
            self._kept_bytes -= gone.frame.size
            self._kept_after = gone.seq

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
        except TimeoutError:
            return
