"""Which contract is looked at next: each key once, never two workers on one key, changes before the initial listing."""

from __future__ import annotations

import asyncio
from collections import deque


class WorkQueue:
    """A keyed queue with two ranks, in the manner of client-go's workqueue."""

    def __init__(self) -> None:
        self._urgent: deque[str] = deque()
        self._background: deque[str] = deque()
        self._queued: set[str] = set()
        self._working: set[str] = set()
        self._again: set[str] = set()
        self._available = asyncio.Event()

    def __len__(self) -> int:
        return len(self._queued) + len(self._again)

    def put(self, key: str, *, background: bool = False) -> None:
        """Have `key` looked at; one that is being looked at is looked at once more afterwards."""
        if key in self._working:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            (self._background if background else self._urgent).append(key)
            self._available.set()
        elif not background:
            self._urgent.append(key)  # raised in rank; the entry left behind is skipped

    async def take(self) -> str:
        """The next key; wait for one. The caller gives it back with `done`."""
        while True:
            for rank in (self._urgent, self._background):
                while rank:
                    key = rank.popleft()
                    if key in self._queued:
                        self._queued.discard(key)
                        self._working.add(key)
                        return key
            self._available.clear()
            await self._available.wait()

    def done(self, key: str) -> None:
        """The look at `key` is over."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.put(key)
