"""Which contract is looked at next: each key once, never two workers on one key, changes before the backlog.

What changed has its first step before others have their next, but for one: where more is created than can be carried at
once, every contract becomes Active soon, and later steps take as long as they have to (ADR 16).

The backlog is what a listing found: it waits until the listing is over, and its newest changes come first, since
somebody may still be waiting for those.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from contextlib import suppress

LISTING_PAUSE = 0.2
"""Seconds without an addition to the backlog after which the listing is taken to be over."""

NEXT_PAGE = 5.0
"""Seconds after a page of a listing came in which more of it is awaited."""

PRESSED = 0.1
"""Seconds after a change in which next steps are taken one at a time: so they take little of an API server that is busy
and answers slowly, more of one that is not, and never stand still."""


def _now() -> float:
    """Seconds on the clock that the waits below run by."""
    return asyncio.get_running_loop().time()


class WorkQueue:
    """A keyed queue with three ranks, in the manner of client-go's workqueue."""

    def __init__(self) -> None:
        self._urgent: deque[str] = deque()
        self._steps: deque[str] = deque()
        self._backlog: list[tuple[int, str]] = []
        self._queued: set[str] = set()
        self._working: set[str] = set()
        self._stepping: set[str] = set()
        self._again: dict[str, bool] = {}  # true: only for its next step
        self._pressed_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._listing_until = 0.0

    def __len__(self) -> int:
        return len(self._queued) + len(self._again)

    def put(self, key: str, *, backlog: int | None = None) -> None:
        """Have `key` looked at; one that is being looked at is looked at once more afterwards.

        Args:
            backlog: the key was there already, and only listed: its place, the higher the sooner. None: it changed.
        """
        if backlog is not None:
            self._listing_until = max(self._listing_until, _now() + LISTING_PAUSE)
        if key in self._working:
            self._again[key] = False
        elif key not in self._queued:
            self._append(key, backlog)
        elif backlog is None:
            self._urgent.append(key)  # raised in rank; the entry left behind is skipped
            self._added(key)

    def waiting(self) -> bool:
        """Whether something that changed has steps to take, and others come first."""
        return bool(self._urgent or self._steps)

    def step_later(self, key: str) -> bool:
        """Whether the key that is being looked at leaves its next step for later, as others wait for their first."""
        if not self._urgent:
            return False
        self._again.setdefault(key, True)
        return True

    def _append(self, key: str, backlog: int | None) -> None:
        if backlog is None:
            self._pressed_until = _now() + PRESSED
            self._urgent.append(key)
            self._added(key)
            return
        self._queued.add(key)
        heapq.heappush(self._backlog, (-backlog, key))
        if len(self._backlog) == 1:  # who was woken by this one waits for the end of the listing
            self._wake()

    def _added(self, key: str) -> None:
        """`key` waits in one of the ranks."""
        self._queued.add(key)
        self._wake()

    def _wake(self) -> None:
        """Have one of those that wait look; it wakes the next one if there is more (`take`).

        All of them at once, 16 took 1.6 s of CPU to find that a listing of 5,000 goes on.
        """
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():  # else its time is over, or it ends
                waiter.set_result(None)
                return

    async def take(self) -> str:
        """The next key; wait for one. The caller gives it back with `done`."""
        while True:
            key = self._next()
            if key is not None:
                self._queued.discard(key)
                self._working.add(key)
                if self._queued or self._backlog:  # somebody has to know when the listing is over
                    self._wake()
                return key
            await self._wait()

    def _next(self) -> str | None:
        if not self._stepping and (key := self._step()):
            return key
        return self._first_of(self._urgent) or self._unpressed_step() or self._listed()

    def _unpressed_step(self) -> str | None:
        return self._step() if _now() >= self._pressed_until else None

    def _step(self) -> str | None:
        key = self._first_of(self._steps)
        if key is not None:
            self._stepping.add(key)
        return key

    def _first_of(self, rank: deque[str]) -> str | None:
        while rank:
            key = rank.popleft()
            if key in self._queued:
                return key
        return None

    def _listed(self) -> str | None:
        while self._backlog and _now() >= self._listing_until:
            _, key = heapq.heappop(self._backlog)
            if key in self._queued:
                return key
        return None

    async def _wait(self) -> None:
        """Until something is added, or the listing or the press of changes may be over."""
        later = [self._listing_until] if self._backlog else []
        later += [self._pressed_until] if self._steps else []
        pause = max(0.0, min(later) - _now()) if later else None
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(pause):
                await waiter
        except TimeoutError:
            return
        except asyncio.CancelledError:
            self._wake()  # it may have been woken, and does not look any more
            raise
        finally:
            with suppress(ValueError):
                self._waiting.remove(waiter)

    def listed(self, *, all_of_it: bool) -> None:
        """Another page of a listing came, or the last one: looks at the first ones would hold up those that follow."""
        self._listing_until = _now() + (LISTING_PAUSE if all_of_it else NEXT_PAGE)
        self._wake()

    def listing(self) -> bool:
        """Whether a listing goes on."""
        return _now() < self._listing_until

    def done(self, key: str) -> None:
        """The look at `key` is over."""
        self._working.discard(key)
        if key in self._stepping:
            self._stepping.discard(key)
            self._wake()  # another step may be taken
        only_a_step = self._again.pop(key, None)
        if only_a_step:
            self._steps.append(key)
            self._added(key)
        elif only_a_step is not None:
            self.put(key)
