"""Which namespaces have contracts: read again each second while somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

SECONDS = 1.0
"""How old an answer may be. The projection itself is about as far behind; and whoever may not look everywhere needs an
answer for each look, for which reading it took 2 ms of 14 (docs/benchmarks.md)."""


class KnownNamespaces:
    """One reading for all who ask within a second."""

    def __init__(self, read: Callable[[], Awaitable[frozenset[str]]]) -> None:
        self._read = read
        self._reading: asyncio.Task[frozenset[str]] | None = None
        self._began = 0.0

    async def get(self) -> frozenset[str]:
        """Every namespace that has, or had, a contract; as it was a second ago at most, or when the reading began.

        Raises:
            HistoryUnavailable: Postgres is away; whoever comes next asks anew.
        """
        now = asyncio.get_running_loop().time()
        if self._reading is None or (self._reading.done() and now >= self._began + SECONDS):
            self._began = now
            self._reading = asyncio.create_task(self._once())
            self._reading.add_done_callback(_seen)
        return await asyncio.shield(self._reading)

    async def _once(self) -> frozenset[str]:
        try:
            return await self._read()
        except BaseException:
            self._reading = None
            raise


def _seen(reading: asyncio.Task[frozenset[str]]) -> None:
    if not reading.cancelled():
        reading.exception()  # also where every caller went away
