"""When heartbeats could be taken: what nobody could send must not count as silence (ADR 0006, "Time")."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from makima.errors import MakimaError
from makima.models.supervision import Span
from makima.ports import Clock
from makima.services.ingest.group_commit import Ingest
from makima.stores import CoverageStore

INTERVAL_SECONDS = 2.0
LATE_SECONDS = 6.0
"""A process that did not run for so long (frozen, starved) took no heartbeats either: a new span."""

PROBE_SECONDS = 3.0

log = logging.getLogger(__name__)


class Coverage:
    """Extends this instance's span while heartbeats can come in, and begins a new one after any doubt."""

    def __init__(
        self,
        store: CoverageStore,
        ingest: Ingest,
        can_verify: Callable[[], Awaitable[None]],
        clock: Clock,
        instance: str,
        *,
        interval: float = INTERVAL_SECONDS,
    ) -> None:
        self._store, self._ingest, self._can_verify = store, ingest, can_verify
        self._clock, self._instance, self._interval = clock, instance, interval
        self._started: datetime | None = None
        self._last: datetime | None = None
        self._turned_away = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to record."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Record no more; from here on nothing is covered."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.extend()
            except (MakimaError, TimeoutError) as error:
                self.doubt(str(error) or "no answer in time")
            except Exception:  # a bug must not end the record for good: then nobody would ever be found dead
                log.exception("coverage could not be recorded")
                self.doubt("an unexpected error")
            await asyncio.sleep(self._interval)

    def doubt(self, why: str) -> None:
        """Something may have kept heartbeats away: what comes is a new span."""
        if self._started is not None:
            log.warning("a gap in the coverage begins: %s", why)
        self._started = None

    async def extend(self) -> None:
        """Prove that heartbeats can be taken now, and record it.

        Raises:
            makima.errors.MakimaError: identities can't be verified, or Postgres is away.
            TimeoutError: the API server does not answer in time.
        """
        async with asyncio.timeout(PROBE_SECONDS):
            await self._can_verify()
        self._look_for_gaps()
        now = self._clock.now()
        began = self._started or now
        # In the writer's turn: every heartbeat that arrived before `now` is committed when this is.
        await self._ingest.in_turn(lambda: self._store.extend(self._instance, Span(began, now)))
        self._started, self._last = began, now

    def _look_for_gaps(self) -> None:
        if self._ingest.turned_away != self._turned_away:
            self._turned_away = self._ingest.turned_away
            self.doubt("heartbeats were refused for want of room")
        late = (self._clock.now() - self._last).total_seconds() if self._last is not None else 0.0
        if late > LATE_SECONDS:
            self.doubt(f"this process did nothing for {late:.0f} s")
