"""The monitor stream where somebody may see some namespaces: through the API server, each has a stream of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from makima.client.api import Api
from makima.client.stream import Filter, Frame, Monitor

WAITING = 1000
"""Frames that wait to be taken; a reader that is slower is told by the server what it missed."""


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
        queue: asyncio.Queue[Frame] = asyncio.Queue(WAITING)

        async def read(monitor: Monitor) -> None:
            async with aclosing(monitor.frames()) as frames:
                async for frame in frames:
                    await queue.put(frame)

        tasks = [asyncio.create_task(read(monitor)) for monitor in self._each]
        try:
            while True:
                getting = asyncio.create_task(queue.get())
                done, _ = await asyncio.wait([getting, *tasks], return_when=asyncio.FIRST_COMPLETED)
                if getting in done:
                    yield getting.result()
                    continue
                getting.cancel()
                for task in done:
                    task.result()  # raises what ended it: a stream goes on for ever
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
