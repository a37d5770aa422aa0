"""The dashboard: what a caller may see of everything, in one answer that costs milliseconds (ADR 0012)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from makima.domain.reads.dashboard import dashboard, usage_of
from makima.domain.settings import Settings
from makima.errors import HistoryUnavailable
from makima.models.dashboard import Crew, Look, Seen, Usage
from makima.models.wire.dashboard import Dashboard
from makima.ports import Clock
from makima.services.access.identity import Identity
from makima.services.access.visibility import Visibility

MOST = 100
"""Entries of each list of contracts."""

COUNTED_SECONDS = 2.0
"""How old a count of live supervisors may be before it is made again; whoever looks then gets the old one at once."""

STALE_SECONDS = 10.0
"""How old it may be at most: then whoever looks waits for a new one."""

log = logging.getLogger(__name__)


class DashboardStore(Protocol):
    """What the dashboard needs of Postgres. Methods raise `makima.errors.HistoryUnavailable`."""

    async def look(self, look: Look) -> Seen:
        """Counts, who is silent, who waits, and what happened last."""
        ...

    async def crews(self, since: datetime) -> Sequence[Crew]:
        """Supervisors that were heard of since then and did not say that they ended."""
        ...


class LiveSupervisors:
    """Counts live supervisors every two seconds while somebody looks: tens of thousands of rows change each time."""

    def __init__(self, store: DashboardStore, clock: Clock, timeout: timedelta) -> None:
        self._store, self._clock, self._timeout = store, clock, timeout
        self._usage: Usage | None = None
        self._counted_at = float("-inf")
        self._counting: asyncio.Task[Usage] | None = None

    async def usage(self) -> Usage:
        """The count, `STALE_SECONDS` old at most.

        Raises:
            HistoryUnavailable: Postgres is away.
        """
        age = asyncio.get_running_loop().time() - self._counted_at
        if age < COUNTED_SECONDS and self._usage is not None:
            return self._usage
        counting = self._begin()
        if age < STALE_SECONDS and self._usage is not None:
            return self._usage
        return await asyncio.shield(counting)

    def _begin(self) -> asyncio.Task[Usage]:
        if self._counting is None:
            self._counting = asyncio.create_task(self._count())
            self._counting.add_done_callback(self._done)
        return self._counting

    async def _count(self) -> Usage:
        began = asyncio.get_running_loop().time()
        usage = usage_of(await self._store.crews(self._clock.now() - self._timeout))
        self._usage, self._counted_at = usage, began
        return usage

    def _done(self, task: asyncio.Task[Usage]) -> None:
        self._counting = None
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, HistoryUnavailable):
            log.error("live supervisors could not be counted", exc_info=error)


class Dashboards:
    """Answers for callers, each with what they may list."""

    def __init__(
        self, store: DashboardStore, visibility: Visibility, clock: Clock, settings: Settings, timeout: timedelta
    ) -> None:
        self._store, self._visibility, self._clock, self._settings = store, visibility, clock, settings
        self._live = LiveSupervisors(store, clock, timeout)

    async def dashboard(self, identity: Identity, wanted: frozenset[str] = frozenset()) -> Dashboard:
        """What the caller may see, of these namespaces where some are named.

        Raises:
            Refused: UNAVAILABLE, the API server does not answer.
            HistoryUnavailable: Postgres is away.
        """
        scope = await self._visibility.scope(identity, "list", wanted)
        namespaces = None if scope.everywhere else tuple(sorted(scope.namespaces))
        now = self._clock.now()
        look = Look(namespaces, now, self._settings.stale_threshold, MOST)
        seen = await self._store.look(look)
        usage = await self._live.usage()  # afterwards: a count that is due begins when this answer is on its way
        return dashboard(seen, usage, namespaces, now, enhanced=self._settings.enhanced_status)
