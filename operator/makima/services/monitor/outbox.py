"""What waits to be sent to one client: bounded in frames and in bytes, and honest about what found no room."""

from __future__ import annotations

import asyncio
from collections import deque

from makima.services.monitor.encoded import Frame, Told, missed

FRAMES = 1000
BYTES = 1024 * 1024
CONTROL = 32
"""Frames beyond those: answers to a client that goes on asking and does not read; then it is told no more."""


class Ended(Exception):
    """Everything was taken out, and nothing more comes."""


class Outbox:
    """One client's frames. Nobody ever waits for it but a replay, and that waits for its own client only.

    Attributes:
        delivered: frames taken out; `missed`: those that found no room.
    """

    def __init__(self, frames: int = FRAMES, size: int = BYTES) -> None:
        self._most, self._most_bytes = frames, size
        self._waiting: deque[Frame] = deque()
        self._bytes = 0
        self._first: int | None = None
        self._last: int | None = None
        self._beats = 0
        self._ended = False
        self._filled, self._drained = asyncio.Event(), asyncio.Event()
        self.delivered = self.missed = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._bytes

    @property
    def has_room(self) -> bool:
        """Whether a replay may go on; half of the room is left for what comes meanwhile."""
        return not self._misses and len(self._waiting) < self._most // 2 and self._bytes < self._most_bytes // 2

    @property
    def _misses(self) -> bool:
        return self._first is not None or self._beats > 0

    def put(self, told: Told) -> None:
        """Have this sent, or counted as missed."""
        if self._ended:
            return
        if self._misses and self._recovered():
            self._say_missed()
        if self._misses or self._full(told.frame):
            self._miss(told)
        else:
            self._add(told.frame)

    def put_control(self, frame: Frame) -> bool:
        """Have an answer sent, after the word of what was missed before it; False if too many wait already."""
        if self._ended or len(self._waiting) >= self._most + CONTROL:
            return False
        if self._misses:
            self._say_missed()
        self._add(frame)
        return True

    def end(self, last: Frame | None = None) -> None:
        """Nothing more comes, but what waits and this."""
        if self._ended:
            return
        if self._misses:
            self._say_missed()
        if last is not None:
            self._add(last)
        self._ended = True
        self._filled.set()
        self._drained.set()

    async def take(self, most: int) -> list[Frame]:
        """The next frames, at least one.

        Raises:
            Ended: there are none, and none will come.
        """
        while not self._waiting:
            if self._misses:
                self._say_missed()
                break
            if self._ended:
                raise Ended
            self._filled.clear()
            await self._filled.wait()
        found = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._bytes -= sum(frame.size for frame in found)
        self.delivered += len(found)
        self._drained.set()
        return found

    async def room(self) -> None:
        """Return once a replay may go on, or it is over."""
        while not self.has_room and not self._ended:
            self._drained.clear()
            await self._drained.wait()

    def _full(self, frame: Frame) -> bool:
        return len(self._waiting) >= self._most or self._bytes + frame.size > self._most_bytes

    def _recovered(self) -> bool:
        """Half empty: a client that reads one frame now and then is not told of each gap by itself."""
        return len(self._waiting) <= self._most // 2 and self._bytes <= self._most_bytes // 2

    def _miss(self, told: Told) -> None:
        self.missed += 1
        if told.frame.seq is None:
            self._beats += 1
            return
        self._first = told.frame.seq if self._first is None else self._first
        self._last = told.frame.seq

    def _say_missed(self) -> None:
        first, last, beats = self._first, self._last, self._beats
        self._first, self._last, self._beats = None, None, 0
        self._add(missed(first, last, beats))

    def _add(self, frame: Frame) -> None:
        self._waiting.append(frame)
        self._bytes += frame.size
        self._filled.set()
