"""All clients of the live monitor in this process: a bounded number, looked after, and never waited for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from makima.contract_stores import EventStream
from makima.domain.monitor.filters import Audiences
from makima.models.wire.problem import Code
from makima.ports import Clock
from makima.services.access.identity import Identity
from makima.services.access.visibility import Visibility
from makima.services.monitor.encoded import Told
from makima.services.monitor.heartbeats import LiveHeartbeats
from makima.services.monitor.subscription import GOING_AWAY, POLICY, REPLAYS, Sources, Subscription
from makima.services.monitor.tail import EventTail
from makima.services.refusals import Refused, refusal, refused_by, unavailable

CLIENTS = 2000
VERIFY_SECONDS = 30.0
"""How often it is asked again who a client is and what it may see."""

UNVERIFIED_SECONDS = 300.0
"""How long a client is believed while the API server does not answer."""

SWEEP_SECONDS = 5.0
STUCK_SECONDS = 60.0
"""A client that takes nothing of one frame for so long does not read."""

VERIFIED_AT_ONCE = 16
GOODBYE_SECONDS = 2.0
"""How long the process waits for clients to take its last word."""

log = logging.getLogger(__name__)


class MonitorMetrics(Protocol):
    """What is counted of the live monitor."""

    def told(self, ages: Iterable[float]) -> None:
        """Events were handed to the clients, so many seconds after they happened."""
        ...


class Monitor:
    """Who watches."""

    def __init__(
        self,
        store: EventStream,
        visibility: Visibility,
        metrics: MonitorMetrics,
        clock: Clock,
        *,
        most: int = CLIENTS,
        enhanced: bool = True,
    ) -> None:
        self._metrics, self._clock, self._most = metrics, clock, most
        self._audiences: Audiences[Subscription] = Audiences()
        self.tail = EventTail(store, enhanced=enhanced)
        self.heartbeats = LiveHeartbeats(store, self._audiences, enhanced=enhanced)
        self._sources = Sources(self.tail, store, visibility, self._audiences, asyncio.Semaphore(REPLAYS), enhanced)
        self._open: set[Subscription] = set()
        self._past_delivered = self._past_missed = 0
        self._ended = False
        self._left = asyncio.Event()
        self._sweeping: asyncio.Task[None] | None = None
        self.tail.on_told = self._tell_events
        self.heartbeats.on_told = self._tell

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._open)

    @property
    def delivered(self) -> int:
        """Frames that clients took, since the start."""
        return self._past_delivered + sum(one.outbox.delivered for one in self._open)

    @property
    def missed(self) -> int:
        """Frames that found no room, since the start."""
        return self._past_missed + sum(one.outbox.missed for one in self._open)

    def start(self) -> None:
        """Begin to read and to look after clients."""
        self.tail.start()
        self.heartbeats.start()
        self._sweeping = asyncio.create_task(self._sweep_for_ever())

    async def stop(self) -> None:
        """End; clients were told by `say_goodbye`."""
        self.say_goodbye()
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        await self.heartbeats.stop()
        await self.tail.stop()

    def say_goodbye(self) -> None:
        """The process ends: every client may go on at another one, after the last number it got."""
        self._ended = True
        for one in self._open:
            one.end(unavailable("the API service ends; connect again with after = the last seq that came"), GOING_AWAY)

    async def see_off(self, seconds: float = GOODBYE_SECONDS) -> None:
        """Say goodbye, and give those who listen the time to hear it."""
        self.say_goodbye()
        try:
            async with asyncio.timeout(seconds):
                while self._open:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            log.info("%d clients of the live monitor did not hear that this process ends", len(self._open))

    async def open(self, who: Callable[[], Awaitable[Identity]], within: frozenset[str] = frozenset()) -> Subscription:
        """A place for a client who may watch something; to be given back with `close`.

        Raises:
            Refused: FORBIDDEN, UNAUTHENTICATED, UNAVAILABLE (no place left, or Postgres is away).
        """
        if self._ended or len(self._open) >= self._most:
            raise unavailable(f"this process has {len(self._open)} clients that watch already", 5)
        found = Subscription(self._sources, who, within)
        self._open.add(found)
        try:
            await self.tail.ready()
            await found.admit()
        except BaseException:
            self._open.discard(found)
            raise
        return found

    def close(self, one: Subscription) -> None:
        """The client is gone."""
        one.release()
        if one in self._open:
            self._open.discard(one)
            self._left.set()
            self._past_delivered += one.outbox.delivered
            self._past_missed += one.outbox.missed

    def _tell_events(self, page: Sequence[Told]) -> None:
        now = self._clock.now()
        self._tell(page)
        self._metrics.told((now - one.at).total_seconds() for one in page)

    def _tell(self, page: Sequence[Told]) -> None:
        takers = self._audiences.takers
        for one in page:
            for subscription in takers(one.subject):
                subscription.outbox.put(one)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception:  # a bug here must not leave everybody unverified for good
                log.exception("clients of the live monitor could not be looked after")

    async def sweep(self) -> None:
        """End those who don't read; ask again about those whose turn it is."""
        now = asyncio.get_running_loop().time()
        for one in self._open:
            if one.sending_since is not None and now - one.sending_since > STUCK_SECONDS:
                one.end(refusal(Code.FORBIDDEN, "the client does not read", hint="read, or ask for less"), POLICY)
                one.stuck.set()
        due = [one for one in self._open if now - one.asked_at >= VERIFY_SECONDS]
        for place in range(0, len(due), VERIFIED_AT_ONCE):
            await asyncio.gather(*(self._verify(one, now) for one in due[place : place + VERIFIED_AT_ONCE]))

    async def _verify(self, one: Subscription, now: float) -> None:
        one.asked_at = now
        try:
            await one.verify()
        except Exception as error:
            refused = refused_by(error)
            if not _may_pass(refused) or now - one.verified_at > UNVERIFIED_SECONDS:
                one.end(refused)


def _may_pass(refused: Refused) -> bool:
    """Not a no, only no answer."""
    return refused.retry_after is not None
