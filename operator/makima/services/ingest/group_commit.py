"""Heartbeats on their way into Postgres: group commit behind a bounded buffer.

The flow `heartbeat → ingest → Postgres + (sometimes) status` runs through `put`. One writer takes everything that
waits, stores it in one transaction, and then answers each caller: while one group commits, the next one gathers. A
group's size follows the load by itself; nobody waits for a timer.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from makima.errors import HistoryUnavailable
from makima.models.supervision import Beat
from makima.ports import Clock
from makima.services.ingest.sequences import LastSequences, Order
from makima.services.ingest.taken import Result, Taken, counted, taken_as, with_refused
from makima.services.refusals import RETRY_SECONDS, Refused, refused_by, unavailable
from makima.stores import HeartbeatStore

REPEATED_WITHIN = timedelta(minutes=10)
"""How far back Postgres is asked for the last heartbeat of a life that this process does not know."""

BEAT_BYTES = 600
"""What a heartbeat takes in memory besides its text and its tasks; measured, rounded up."""

TASK_BYTES = 80

log = logging.getLogger(__name__)


class IngestMetrics(Protocol):
    """What the ingest counts."""

    def heartbeats(self, result: str, number: int) -> None:
        """So many more `supervisor_heartbeats_total` with this result; "refused" for want of room or of Postgres."""
        ...

    def group(self, size: int, seconds: float) -> None:
        """A group was committed, this long after its oldest heartbeat arrived."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much waits, and how long.

    Attributes:
        heartbeats: at most so many in the buffer.
        size: bytes of them.
        group: heartbeats of one transaction; a batch is never split.
        seconds: longest wait for a place in a group; longer than a restart of Postgres takes.
        lives: supervisors whose last sequence is remembered.
    """

    heartbeats: int = 20_000
    size: int = 32 * 1024 * 1024
    group: int = 1000
    seconds: float = 10.0
    lives: int = 200_000


@dataclass(slots=True)
class _Waiting:
    beats: Sequence[Beat]
    size: int
    since: float
    done: asyncio.Future[list[Taken]]
    work: Callable[[], Awaitable[None]] | None = field(default=None)


class Ingest:
    """Takes heartbeats, many callers at a time.

    Attributes:
        on_stored: called with the heartbeats of each group that were stored.
        turned_away: heartbeats refused for want of room, since the start.
    """

    def __init__(
        self, store: HeartbeatStore, metrics: IngestMetrics, clock: Clock, limits: Limits | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._store, self._metrics, self._clock = store, metrics, clock
        self._sequences = LastSequences(self.limits.lives)
        self._queue: deque[_Waiting] = deque()
        self._beats = self._bytes = 0
        self._arrived = asyncio.Event()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self.on_stored: Callable[[Sequence[Beat]], None] = lambda _: None
        self.turned_away = 0

    def start(self) -> None:
        """Begin to write."""
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._expire())]

    async def stop(self, seconds: float = 10.0) -> None:
        """Take nothing more, store what waits, and end; what can't be stored in time is refused."""
        self._closing = True
        self._arrived.set()
        if self._tasks:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._tasks[0]), seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._queue:
            self._refuse(self._queue.popleft(), unavailable("the API service ends"))

    async def put(self, beats: Sequence[Beat]) -> list[Taken]:
        """Store these; returns once they are committed, in their order.

        Raises:
            Refused: UNAVAILABLE; nothing is known about them, and sending them again is safe.
        """
        size = sum(map(_size, beats))
        if self._closing:
            raise unavailable("the API service ends; another replica takes the call")
        if self._beats + len(beats) > self.limits.heartbeats or self._bytes + size > self.limits.size:
            self.turn_away(len(beats))
            raise unavailable("too many heartbeats wait for Postgres", RETRY_SECONDS)
        return await self._enqueue(beats, size, None)

    def turn_away(self, number: int) -> None:
        """So many heartbeats, or calls that may have been some, were refused for want of room, here or before."""
        self.turned_away += number
        self._metrics.heartbeats("refused", number)

    async def in_turn(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have the writer do something once everything that was put before is committed.

        Raises:
            Refused: UNAVAILABLE; also where `work` found Postgres away.
        """
        await self._enqueue((), 0, work)

    def _enqueue(
        self, beats: Sequence[Beat], size: int, work: Callable[[], Awaitable[None]] | None
    ) -> asyncio.Future[list[Taken]]:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(beats, size, loop.time(), loop.create_future(), work)
        self._queue.append(waiting)
        self._beats += len(beats)
        self._bytes += size
        self._arrived.set()
        return waiting.done

    async def _write(self) -> None:
        while not (self._closing and not self._queue):
            await self._arrived.wait()
            await asyncio.sleep(0)  # what the sockets have ready joins this group
            group = self._take()
            if group:
                await self._commit(group)
            if not self._queue and not self._closing:
                self._arrived.clear()

    def _take(self) -> list[_Waiting]:
        """The next group; callers that gave up are left out."""
        group: list[_Waiting] = []
        room = self.limits.group
        while self._queue and (not group or len(self._queue[0].beats) <= room):
            waiting = self._queue.popleft()
            self._beats -= len(waiting.beats)
            self._bytes -= waiting.size
            if waiting.done.done():
                continue
            room -= len(waiting.beats)
            group.append(waiting)
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        beats = [beat for waiting in group for beat in waiting.beats]
        try:
            taken = await self._stored(beats) if beats else []
            for waiting in group:
                if waiting.work is not None:
                    await waiting.work()
        except HistoryUnavailable as error:
            log.warning("%d heartbeats could not be stored: %s", len(beats), error)
            self._give_up(group, beats, "Postgres can't be used at the moment")
            return
        except Exception as error:  # one entry that Postgres will never take must not cost the others
            await self._one_by_one(group, beats, error)
            return
        self._answer(group, beats, taken)

    async def _one_by_one(self, group: list[_Waiting], beats: list[Beat], error: Exception) -> None:
        if len(group) == 1:
            self._sequences.forget(beats)
            self._refuse(group[0], refused_by(error))
            return
        for waiting in group:
            await self._commit([waiting])

    async def _stored(self, beats: list[Beat]) -> list[Taken]:
        """Store what is new; what became of each."""
        unknown = self._sequences.unknown(beats)
        since = self._clock.now() - REPEATED_WITHIN
        learned = self._sequences.learn(unknown, await self._store.last_sequences(unknown, since)) if unknown else {}
        orders = self._sequences.judge(beats, learned)
        fresh = [beat for beat, (order, _) in zip(beats, orders, strict=True) if order is Order.NEW]
        results = iter(await self._store.store(fresh) if fresh else ())
        taken = with_refused(beats, [taken_as(order, last, results) for order, last in orders])
        kept = [beat for beat, one in zip(beats, taken, strict=True) if one.result is Result.STORED]
        for beat in kept:
            self._sequences.stored(beat)
        self.on_stored(kept)
        return taken

    def _answer(self, group: list[_Waiting], beats: list[Beat], taken: list[Taken]) -> None:
        at = 0
        for waiting in group:
            until = at + len(waiting.beats)
            if not waiting.done.done():
                waiting.done.set_result(taken[at:until])
            at = until
        if beats:
            for result, number in counted(taken):
                self._metrics.heartbeats(result, number)
            self._metrics.group(len(beats), asyncio.get_running_loop().time() - group[0].since)

    def _give_up(self, group: list[_Waiting], beats: list[Beat], why: str) -> None:
        self._sequences.forget(beats)
        for waiting in group:
            self._refuse(waiting, unavailable(why))

    def _refuse(self, waiting: _Waiting, why: Refused) -> None:
        if not waiting.done.done():
            self._metrics.heartbeats("refused", len(waiting.beats))
            waiting.done.set_exception(why)

    async def _expire(self) -> None:
        """Nobody waits for ever while a group is stuck; the queue is in order of arrival."""
        while True:
            await asyncio.sleep(0.5)
            oldest = asyncio.get_running_loop().time() - self.limits.seconds
            for waiting in self._queue:
                if waiting.since > oldest:
                    break
                self._refuse(waiting, unavailable("Postgres does not answer in time"))


def _size(beat: Beat) -> int:
    return BEAT_BYTES + 4 * len(beat.current_activity) + TASK_BYTES * len(beat.pending_task_ids)
