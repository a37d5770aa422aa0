"""Events from the Kubernetes API alone until makima's API answers, and from its stream from then on."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from makima.client.api import API_AGAIN, Api, ApiError, ApiUnreachable
from makima.client.cluster import Cluster
from makima.client.live import watched
from makima.client.merging import merged
from makima.client.stream import Filter, Frame
from makima.client.streams import Monitors
from makima.domain.monitor.seen_changes import identity

REMEMBERED = 10_000
"""Events of the watch that are known again when the stream tells them."""


class Handover:
    """One flow of events, from whoever can tell them.

    The watch goes on until the stream has begun, so that nothing falls in between; what both tell comes once (but for
    states of supervisors, which nothing numbers). What was over between two looks of the watch comes only with
    `after`, from the history.

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
        self._api, self._cluster, self._wanted = api, cluster, wanted
        self._after, self._namespaces, self._say = after, namespaces, say
        self._told: OrderedDict[tuple[str, ...], None] = OrderedDict()
        self._streaming = False

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Every frame; those of the watch have no `seq`.

        Raises:
            ApiError: the stream was refused at the very first attempt, or after it had taken the watch's place.
            Denied: this person may not watch there.
        """
        try:
            async with aclosing(self._stream()) as frames:
                async for frame in frames:
                    yield frame
        except ApiUnreachable as error:
            self._say(error.message)
            self._say(
                "only the Kubernetes API is watched until it answers: no sequence numbers, and heartbeats come late"
            )
        async with aclosing(merged((self._watch(), self._stream_once_there()))) as frames:
            async for frame in frames:
                yield frame

    def _stream(self) -> AsyncGenerator[Frame, None]:
        return Monitors(self._api, self._wanted, self._after, self._namespaces).frames()

    async def _watch(self) -> AsyncGenerator[Frame, None]:
        places = self._namespaces or (None,)
        async with aclosing(watched(self._cluster, places, self._wanted)) as frames:
            async for frame in frames:
                if self._streaming:
                    return
                self._remember(frame)
                yield frame

    async def _stream_once_there(self) -> AsyncGenerator[Frame, None]:
        """Once it has begun it begins again by itself whenever it is cut."""
        while True:
            await asyncio.sleep(API_AGAIN * random.uniform(0.8, 1.2))  # noqa: S311  # not a secret
            try:
                async with aclosing(self._stream()) as frames:
                    async for frame in frames:
                        self._begin()
                        if identity(frame) not in self._told:
                            yield frame
            except ApiUnreachable:
                continue
            except ApiError as error:
                if self._streaming:  # the watch has ended: nobody would tell anything any more
                    raise
                self._say(f"{error.message}; the Kubernetes API is watched further")
                return

    def _begin(self) -> None:
        if not self._streaming:
            self._streaming = True
            self._say("makima's API answers: its stream goes on from here")

    def _remember(self, frame: Frame) -> None:
        event = identity(frame)
        if event is not None:
            self._told[event] = None
            while len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
