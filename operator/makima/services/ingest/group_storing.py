"""What becomes of a group: stored in one transaction and answered, or its callers are told why not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from makima.errors import HistoryUnavailable
from makima.models.supervision import Beat
from makima.ports import Clock
from makima.services.ingest.groups import Group, Waiting
from makima.services.ingest.ordered_store import OrderedStore
from makima.services.ingest.taken import Taken, counted
from makima.services.refusals import Refused, refused_by, unavailable
from makima.stores import HeartbeatStore

log = logging.getLogger(__name__)


class IngestMetrics(Protocol):
    """What the ingest counts."""

    def heartbeats(self, result: str, number: int) -> None:
        """So many more `supervisor_heartbeats_total` with this result; "refused" for want of room or of Postgres."""
        ...

    def group(self, size: int, seconds: float) -> None:
        """A group was committed, this long after its oldest heartbeat arrived."""
        ...


class GroupStoring:
    """Stores one group after another, and answers everybody who waits for one."""

    def __init__(self, store: HeartbeatStore, metrics: IngestMetrics, clock: Clock, lives: int) -> None:
        self._metrics = metrics
        self._store = OrderedStore(store, clock, lives)

    def tell(self, on_stored: Callable[[Sequence[Beat]], None]) -> None:
        """Have this called with the heartbeats of each group that were stored."""
        self._store.on_stored = on_stored

    async def commit(self, group: Group) -> None:
        """Store it; everybody who waits for it is answered then."""
        try:
            taken = await self._store.store(group.beats) if group.beats else []
            for waiting in group.waiting:
                if waiting.work is not None:
                    await waiting.work()
        except HistoryUnavailable as error:
            log.warning("%d heartbeats could not be stored: %s", len(group.beats), error)
            self._give_up(group, unavailable("Postgres can't be used at the moment"))
        except Exception as error:  # one entry that Postgres will never take must not cost the others
            await self._one_by_one(group, error)
        else:
            self._answer(group, taken)

    async def _one_by_one(self, group: Group, error: Exception) -> None:
        if len(group.waiting) == 1:
            self._give_up(group, refused_by(error))
            return
        for waiting in group.waiting:
            await self.commit(Group([waiting]))

    def _answer(self, group: Group, taken: list[Taken]) -> None:
        at = 0
        for waiting in group.waiting:
            until = at + len(waiting.beats)
            if not waiting.done.done():
                waiting.done.set_result(taken[at:until])
            at = until
        if group.beats:
            for result, number in counted(taken):
                self._metrics.heartbeats(result, number)
            self._metrics.group(len(group.beats), asyncio.get_running_loop().time() - group.waiting[0].since)

    def _give_up(self, group: Group, why: Refused) -> None:
        self._store.forget(group.beats)
        for waiting in group.waiting:
            self.refuse(waiting, why)

    def refuse(self, waiting: Waiting, why: Refused) -> None:
        """Tell a caller that nothing is known about its heartbeats, unless it was answered or went away."""
        if not waiting.done.done():
            self._metrics.heartbeats("refused", len(waiting.beats))
            waiting.done.set_exception(why)
