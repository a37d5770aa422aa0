"""Events from makima's stream; from the Kubernetes API alone for as long as that is away."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from makima.client.api import Api, ApiError, ApiUnreachable
from makima.client.cluster import Cluster
from makima.client.live import watched
from makima.client.merging import Merging
from makima.client.stream import Filter, Frame
from makima.client.streams import Away, Monitors
from makima.client.told_once import REMEMBERED, ToldOnce
from makima.domain.monitor.seen_changes import identity
from makima.errors import Denied

PATIENCE = 10.0
"""Seconds that a stream may be cut before the watch speaks in its place: most cuts are shorter, and leave no trace."""

LINGER = 2.0
"""Seconds that the watch goes on beside a stream that begins, and does not know after which event to go on."""

ALONE = "only the Kubernetes API is watched until it answers: no sequence numbers, and heartbeats come late"
BACK = "makima's API answers: its stream goes on from here"


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame of the watch of this outage, or what ended that."""

    outage: int
    said: Frame | Denied


@dataclass(frozen=True, slots=True)
class Over:
    """The time for something is over, in this outage."""

    outage: int


class Handover:
    """One flow of events, from whoever can tell them.

    The watch begins with the cut, and what it sees is kept back: a stream that is there again soon tells all of it, as
    it goes on after the last number that was seen. What both tell comes once. What was over between two looks of the
    watch comes when the stream is back, from the history; or, where it had not begun before, only with `after`.

    Attributes:
        say: told, in words for a person, when the one takes the other's place.
    """

    def __init__(
        self,
        api: Api,
        cluster: Cluster,
        wanted: Filter,
        *,
        after: int | None,
        namespaces: Sequence[str] | None,
        say: Callable[[str], None],
    ) -> None:
        self._cluster, self._wanted, self._places, self._say = cluster, wanted, namespaces or (None,), say
        self._monitors = Monitors(api, wanted, after, namespaces)
        self._flow, self._once = Merging[Frame | Away | Seen | Over](), ToldOnce()
        self._tasks: list[asyncio.Task[None]] = []
        self._held: deque[Frame] = deque(maxlen=REMEMBERED)
        self._outage, self._lingering = 0, 0
        self._begun, self._alone, self._goes_on = False, False, after is not None
        self._refusal: ApiError | None = None
        self._blind: Denied | None = None

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Every frame; those of the watch have no `seq`.

        Raises:
            ApiError: the stream was refused at the very first attempt, or later, to who may not watch either.
            Denied: this person may not watch there, and there was no stream so far.
        """
        self._flow.add(self._monitors.for_ever())
        async with aclosing(self._flow.items()) as items:
            async for item in items:
                for frame in self._told(item):
                    yield frame

    def _told(self, item: Frame | Away | Seen | Over) -> Iterable[Frame]:
        match item:
            case Away(error):
                return self._away(error)
            case Seen(outage, said) if outage == self._lingering:
                return self._lingered(said)
            case Seen(outage, said):
                return self._seen(said) if outage == self._outage else ()
            case Over(outage):
                return self._speak() if outage == self._outage else ()
            case {"type": "Reconnecting"}:
                self._stand_by()
                return () if self._alone else (item,)
            case _:
                return self._streamed(item)

    def _away(self, error: ApiError) -> Iterable[Frame]:
        """There is no stream, and won't be for a while."""
        refused = not isinstance(error, ApiUnreachable)
        if refused and (self._blind or not (self._begun or self._tasks)):
            raise error
        if refused and (self._refusal is None or self._refusal.message != error.message):
            self._say(f"{error.message}; the Kubernetes API is watched further" if self._alone else error.message)
        elif not refused and not self._alone:
            self._say(error.message)
        self._refusal = error if refused else None
        self._stand_by()
        return self._speak()

    def _stand_by(self) -> None:
        """Begin to watch, if that is not so."""
        if not self._tasks:
            self._outage += 1
            self._tasks = [self._flow.add(self._watch(self._outage)), self._flow.add(_later(PATIENCE, self._outage))]

    async def _watch(self, outage: int) -> AsyncGenerator[Seen, None]:
        try:
            async with aclosing(watched(self._cluster, self._places, self._wanted)) as frames:
                async for frame in frames:
                    yield Seen(outage, frame)
        except Denied as error:
            yield Seen(outage, error)

    def _seen(self, said: Frame | Denied) -> Iterable[Frame]:
        if isinstance(said, Denied):
            self._denied(said)
            return ()
        if self._held and self._held[-1]["type"] == "Reconnecting":
            self._held.pop()  # it goes on
        self._held.append(said)
        return self._released() if self._alone else ()

    def _lingered(self, said: Frame | Denied) -> Iterable[Frame]:
        """What the watch saw that had happened just before the stream began."""
        return (said,) if not isinstance(said, Denied) and identity(said) and self._once.by_watch(said) else ()

    def _denied(self, error: Denied) -> None:
        """Nobody tells anything now; a stream that was there once is waited for, unless it refuses as well."""
        if self._refusal is not None or not self._begun:
            raise self._refusal or error
        self._blind = error
        if self._alone:
            self._say(self._instead())

    def _speak(self) -> Iterable[Frame]:
        """From now on the watch has the word."""
        if not self._alone:
            self._alone = True
            self._say(self._instead())
        return self._released()

    def _instead(self) -> str:
        """What there is while the stream is away."""
        return ALONE if self._blind is None else f"{self._blind.message}; nothing is told until makima's API answers"

    def _released(self) -> list[Frame]:
        """What the watch saw, without what was told, and without what a stream that is live tells."""
        held = [*self._held]
        self._held.clear()
        return [frame for frame in held if not self._streams(frame) and self._once.by_watch(frame)]

    def _streams(self, frame: Frame) -> bool:
        """A stream that does not know where to go on tells nothing of what the watch saw before it began."""
        return self._goes_on and "namespace" in frame and self._monitors.tells_of(frame["namespace"])

    def _streamed(self, frame: Frame) -> Iterable[Frame]:
        if self._tasks and self._monitors.live:
            self._back()
        self._begun = self._goes_on = True
        return (frame,) if self._once.by_stream(frame) else ()

    def _back(self) -> None:
        """The stream has the word again."""
        if self._alone:
            self._say(BACK)
        watch, patience = self._tasks
        patience.cancel()
        if self._goes_on:  # what is still on its way from this watch is told by the stream
            watch.cancel()
        else:
            self._lingering = self._outage
            self._once.stream_goes_on()
            asyncio.get_running_loop().call_later(LINGER, watch.cancel)
        self._tasks, self._outage = [], self._outage + 1
        self._alone, self._blind, self._refusal = False, None, None
        self._held.clear()


async def _later(seconds: float, outage: int) -> AsyncGenerator[Over, None]:
    await asyncio.sleep(seconds)
    yield Over(outage)
