"""Large bodies in turn, sent or answered: a call keeps them until its end, and the process has only so much memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from starlette.types import Scope

from makima.http.bodies import header, limit_of
from makima.models.wire.message import MESSAGE_BYTES
from makima.services.refusals import unavailable

AT_ONCE = 24
"""Of 4 MiB each, with what they are read into, a few hundred MiB at the very worst: the chart's limit is 1 GiB."""

OF_ONE_CALLER = 6
"""One caller alone can't keep the others waiting. A supervisor sends one at a time."""

WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")
LARGE_ANSWERS = ("/export", "/supervisor/messages")
"""Ends of the paths whose answers may have megabytes."""

PATIENCE_SECONDS = 15.0
"""Longest wait for a turn; a call with a large body takes milliseconds, unless its client is slow."""


class LargeBodies:
    """Who may have a large body in memory now; small ones need no turn.

    Each caller has a queue of its own: a pod, where the token is a pod's.
    """

    def __init__(self, at_once: int = AT_ONCE, each: int = OF_ONE_CALLER, patience: float = PATIENCE_SECONDS) -> None:
        self._each, self._patience = each, patience
        self._all = asyncio.Semaphore(at_once)
        self._callers: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, scope: Scope, caller: str) -> AsyncIterator[None]:
        """From before the body is read until the call is answered.

        Raises:
            Refused: UNAVAILABLE, it did not come in time; nothing was read.
        """
        async with AsyncExitStack() as held:
            if may_be_large(scope):
                await self._wait(held, caller)
            yield

    async def _wait(self, held: AsyncExitStack, caller: str) -> None:
        own = self._callers.setdefault(caller, asyncio.Semaphore(self._each))
        try:
            async with asyncio.timeout(self._patience):
                await held.enter_async_context(own)
                await held.enter_async_context(self._all)
        except TimeoutError:
            raise unavailable("too many large bodies are under way") from None


def may_be_large(scope: Scope) -> bool:
    """Whether more than a usual body may come: it is announced, or nothing is. What is too long is never kept."""
    if scope["method"] in WITHOUT_BODY:
        return bool(scope["path"].endswith(LARGE_ANSWERS))
    limit = limit_of(scope["path"])
    if limit <= MESSAGE_BYTES:
        return False
    announced = header(scope, b"content-length")
    if announced is None or not announced.isdigit():
        return True
    return MESSAGE_BYTES < int(announced) <= limit
