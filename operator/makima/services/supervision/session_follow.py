"""What the API service writes about supervisors in Postgres, read by the operator: changes at once, the rest soon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from makima.errors import HistoryUnavailable
from makima.models.supervision import Session
from makima.stores import SupervisorRegistry

POLL_SECONDS = 2.0
AWAY_SECONDS = 1.0
BULK = 1000

log = logging.getLogger(__name__)


class SessionFollow:
    """Follows the table `supervisors`: announced rows within milliseconds, all others with the next poll.

    Attributes:
        on_session: called with every row that was written; the same one may come twice.
    """

    def __init__(self, registry: SupervisorRegistry) -> None:
        self._registry = registry
        self._since: datetime | None = None
        self._announced: set[UUID] = set()
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._told = False
        self.on_session: Callable[[Session], None] = lambda _session: None

    def start(self) -> None:
        """Begin to follow."""
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._run())]

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        """Announcements may be lost with their connection; the next poll has what they were about."""
        while True:
            try:
                async for contract_id in self._registry.changes():
                    self._announced.add(contract_id)
                    self._news.set()
            except HistoryUnavailable as error:
                log.info("changes of supervisors are not announced at the moment: %s", error)
            await asyncio.sleep(AWAY_SECONDS)

    async def _run(self) -> None:
        due = 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if now >= due:
                await self._guarded(poll=True)
                due = asyncio.get_running_loop().time() + POLL_SECONDS
            elif self._announced:
                await self._guarded(poll=False)
            self._news.clear()
            try:
                async with asyncio.timeout(max(0.0, due - asyncio.get_running_loop().time())):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _guarded(self, *, poll: bool) -> None:
        try:
            await (self.poll() if poll else self._read_announced())
            self._told = False
        except HistoryUnavailable as error:
            if not self._told:
                log.warning("how supervisors are is not to be had from Postgres: %s", error)
            self._told = True
            await asyncio.sleep(AWAY_SECONDS)

    async def poll(self) -> None:
        """Read everything that was written since the last time.

        Raises:
            HistoryUnavailable: the next poll reads it.
        """
        self._announced.clear()
        for session in await self._registry.changed_since(self._since):
            if session.updated_at is not None:
                self._since = max(self._since or session.updated_at, session.updated_at)
            self.on_session(session)

    async def _read_announced(self) -> None:
        while self._announced:
            some = [self._announced.pop() for _ in range(min(BULK, len(self._announced)))]
            for session in (await self._registry.sessions(some)).values():
                self.on_session(session)
