"""Heartbeats on their way into Postgres: group commit behind a bounded buffer.

The flow `heartbeat → ingest → Postgres + (sometimes) status` runs through `put`. One writer takes everything that
waits and has it stored in one transaction, and then each caller is answered: while one group commits, the next one
gathers. A group's size follows the load by itself; nobody waits for a timer. Where enough has gathered it does not wait
for the group before it: so Postgres has always something to do while this process reads and writes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from makima.models.supervision import Beat
from makima.ports import Clock
from makima.services.ingest.group_storing import GroupStoring, IngestMetrics
from makima.services.ingest.groups import Group, UnderWay, Waiting
from makima.services.ingest.taken import Taken
from makima.services.refusals import RETRY_SECONDS, unavailable
from makima.stores import HeartbeatStore

BEAT_BYTES = 600
"""What a heartbeat takes in memory besides its text and its tasks; measured, rounded up."""

TASK_BYTES = 80


@dataclass(frozen=True, slots=True)
class Limits:
    """How much waits, and how long.

    Attributes:
        heartbeats: at most so many in the buffer.
        size: bytes of them.
        group: heartbeats of one transaction; a batch is never split.
        beside: so many that wait become a group of their own beside the one that is being stored; fewer wait for its
            end, and cost less as part of a larger group.
        seconds: longest wait for a place in a group; longer than a restart of Postgres takes.
        lives: supervisors whose last sequence is remembered.
    """

    heartbeats: int = 20_000
    size: int = 32 * 1024 * 1024
    group: int = 1000
    beside: int = 200
    seconds: float = 10.0
    lives: int = 200_000


class Ingest:
    """Takes heartbeats, many callers at a time.

    Attributes:
        turned_away: heartbeats refused for want of room, since the start.
    """

    def __init__(
        self, store: HeartbeatStore, metrics: IngestMetrics, clock: Clock, limits: Limits | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._metrics = metrics
        self._storing = GroupStoring(store, metrics, clock, self.limits.lives)
        self._queue: deque[Waiting] = deque()
        self._beats = self._bytes = 0
        self._under_way = UnderWay()
        self._news = asyncio.Event()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self.turned_away = 0

    def tell(self, on_stored: Callable[[Sequence[Beat]], None]) -> None:
        """Have this called with the heartbeats of each group that were stored."""
        self._storing.tell(on_stored)

    def start(self) -> None:
        """Begin to write."""
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._expire())]

    async def stop(self, seconds: float = 10.0) -> None:
        """Take nothing more, store what waits, and end; what can't be stored in time is refused."""
        self._closing = True
        self._news.set()
        if self._tasks:
            await asyncio.wait(self._tasks[:1], timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._under_way.cancel()
        while self._queue:
            self._storing.refuse(self._queue.popleft(), unavailable("the API service ends"))

    async def put(self, beats: Sequence[Beat]) -> list[Taken]:
        """Store these; returns once they are committed, in their order.

        Raises:
            Refused: UNAVAILABLE; nothing is known about them, and sending them again is safe.
        """
        size = _size(beats)
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
        waiting = Waiting(beats, size, loop.time(), loop.create_future(), work)
        self._queue.append(waiting)
        self._beats += len(beats)
        self._bytes += size
        if self._worth_a_group():
            self._news.set()
        return waiting.done

    async def _write(self) -> None:
        while self._queue or not self._closing:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(0)  # what the sockets have ready joins this group
            while self._queue and self._worth_a_group():
                await self._begin(Group(self._take()))
        await self._under_way.end()

    def _worth_a_group(self) -> bool:
        """Whether what waits need not wait any longer."""
        return not len(self._under_way) or (self._beats >= self.limits.beside and not self._under_way.full())

    async def _begin(self, group: Group) -> None:
        if not group.waiting:
            return
        try:
            await self._under_way.room_for(group)
        except asyncio.CancelledError:
            self._ended(group)
            raise
        self._under_way.begin(group, asyncio.create_task(self._storing.commit(group)), self._ended)

    def _ended(self, group: Group) -> None:
        for waiting in group.waiting:  # all are answered, unless storing was given up
            self._storing.refuse(waiting, unavailable("nobody knows whether it was stored: the API service ends"))
        self._news.set()

    def _take(self) -> list[Waiting]:
        """The next group; callers that gave up are left out."""
        group: list[Waiting] = []
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

    async def _expire(self) -> None:
        """Nobody waits for ever while a group is stuck; the queue is in order of arrival."""
        while True:
            await asyncio.sleep(0.5)
            oldest = asyncio.get_running_loop().time() - self.limits.seconds
            for waiting in self._queue:
                if waiting.since > oldest:
                    break
                self._storing.refuse(waiting, unavailable("Postgres does not answer in time"))


def _size(beats: Sequence[Beat]) -> int:
    texts = sum([4 * len(beat.current_activity) + TASK_BYTES * len(beat.pending_task_ids) for beat in beats])
    return BEAT_BYTES * len(beats) + texts
