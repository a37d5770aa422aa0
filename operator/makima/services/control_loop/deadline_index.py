"""Which object has to be looked at when: one heap in memory instead of a timer per object.

kopf's timers put a finalizer and a patch on every object; a sweep over 30,000 deadlines takes 6 ms (design, "Overdue").
"""

from __future__ import annotations

import heapq
from datetime import datetime


class DeadlineIndex:
    """The next moment for each key. Setting a key again replaces its moment."""

    def __init__(self) -> None:
        self._moments: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []

    def __len__(self) -> int:
        return len(self._moments)

    def set(self, key: str, moment: datetime | None) -> None:
        """Look at `key` at `moment`; None = time alone changes nothing about it."""
        if moment is None:
            self._moments.pop(key, None)
            return
        if self._moments.get(key) != moment:
            self._moments[key] = moment
            heapq.heappush(self._heap, (moment, key))
            self._drop_outdated()

    def get(self, key: str) -> datetime | None:
        """The moment that is set for `key`."""
        return self._moments.get(key)

    def due(self, now: datetime) -> list[str]:
        """Take out every key whose moment has come, earliest first."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            moment, key = heapq.heappop(self._heap)
            if self._moments.get(key) == moment:
                del self._moments[key]
                found.append(key)
        return found

    def _drop_outdated(self) -> None:
        """Keep the heap within twice the keys, so that replaced moments can't pile up."""
        if len(self._heap) > 2 * len(self._moments) + 64:
            self._heap = [(moment, key) for key, moment in self._moments.items()]
            heapq.heapify(self._heap)
