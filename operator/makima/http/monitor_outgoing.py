"""Handing over what waits for one client, as fast as it takes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from makima.services.monitor.encoded import Frame
from makima.services.monitor.outbox import Ended
from makima.services.monitor.subscription import Subscription

AT_ONCE = 64
"""Frames that are taken out together."""

log = logging.getLogger(__name__)


async def until_one_ends(found: Subscription, *work: Awaitable[None]) -> None:
    """Run until the first is over, or the client is found not to read; the others are ended."""
    tasks = [asyncio.ensure_future(one) for one in (*work, found.stuck.wait())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        error = task.exception() if not task.cancelled() else None
        if error is not None and not isinstance(error, OSError):
            log.error("a client of the live monitor ended by an unexpected error", exc_info=error)


async def hand_over(found: Subscription, send: Callable[[list[Frame]], Awaitable[None]], seconds: float | None) -> None:
    """Hand over what waits until nothing more comes; an empty list after so many seconds of silence."""
    while True:
        try:
            async with asyncio.timeout(seconds):
                frames = await found.outbox.take(AT_ONCE)
        except Ended:
            return
        except TimeoutError:
            frames = []
        found.sending_since = asyncio.get_running_loop().time()
        await send(frames)
        found.sending_since = None
        await asyncio.sleep(0)  # others have their turn, however much waits here
