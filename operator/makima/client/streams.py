"""The monitor stream where somebody may see some namespaces: through the API server, each has a stream of its own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from makima.client.api import API_AGAIN, Api, ApiError
from makima.client.merging import merged
from makima.client.stream import Filter, Frame, Monitor


@dataclass(frozen=True, slots=True)
class Away:
    """No stream: nobody answers, or it is refused. It is asked again after a while."""

    error: ApiError


class Monitors:
    """One stream, or one for each namespace, as one; each goes on after what it saw, also when it is opened again.

    The API server checks `watch` in all namespaces for the stream over all of them, and in one for that of a namespace.
    The API service itself, called at its address, knows what its caller may see.
    """

    def __init__(self, api: Api, wanted: Filter, after: int | None, namespaces: Sequence[str] | None) -> None:
        if api.aggregated and namespaces is not None:
            self._each = [Monitor(api, replace(wanted, namespaces=(name,)), after, name) for name in namespaces]
        else:
            self._each = [Monitor(api, replace(wanted, namespaces=tuple(namespaces or ())), after)]

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Every frame.

        Raises:
            ApiUnreachable: nobody answered at the very first attempt.
            ApiError: a stream was refused.
        """
        async with aclosing(merged(monitor.frames() for monitor in self._each)) as frames:
            async for frame in frames:
                yield frame

    async def for_ever(self) -> AsyncGenerator[Frame | Away, None]:
        """Every frame; what ends a stream is told, and it is asked for again, every ten seconds or so."""
        while True:
            try:
                async with aclosing(self.frames()) as frames:
                    async for frame in frames:
                        yield frame
            except ApiError as error:
                yield Away(error)
            await asyncio.sleep(API_AGAIN * random.uniform(0.8, 1.2))  # noqa: S311  # not a secret

    def tells_of(self, namespace: str) -> bool:
        """Whether the stream with what happens there is live."""
        return all(one.live for one in self._each if one.namespace in (None, namespace))

    @property
    def live(self) -> bool:
        """Whether every stream is."""
        return all(one.live for one in self._each)
