"""What is stored in one transaction, and what is being stored at the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from makima.models.supervision import Beat
from makima.services.ingest.taken import Taken

AT_ONCE = 2
"""Groups that are being stored at a time: one that Postgres commits, and one that is on its way there."""


@dataclass(slots=True)
class Waiting:
    """Heartbeats of one caller, or work to be done in its turn.

    Attributes:
        size: bytes that they take here.
        since: when they came, by the clock of the loop.
    """

    beats: Sequence[Beat]
    size: int
    since: float
    done: asyncio.Future[list[Taken]]
    work: Callable[[], Awaitable[None]] | None = None


class Group:
    """Heartbeats of one transaction, and who waits for them."""

    __slots__ = ("alone", "beats", "contracts", "waiting")

    def __init__(self, waiting: list[Waiting]) -> None:
        self.waiting = waiting
        self.beats = [beat for one in waiting for beat in one.beats]
        self.contracts = {beat.contract_id.int for beat in self.beats}  # the hash of a UUID is Python code
        self.alone = any(one.work is not None for one in waiting)


class UnderWay:
    """Groups that are being stored: never two with a contract in common.

    The order of a life's heartbeats is decided by those before it, so those have to be committed, or known not to be.
    """

    def __init__(self) -> None:
        self._groups: dict[asyncio.Task[None], Group] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def full(self) -> bool:
        """Whether no more may begin."""
        return len(self._groups) >= AT_ONCE

    async def room_for(self, group: Group) -> None:
        """Returns once the group may begin; what is to be done in its turn comes after everything before it."""
        while self.full() or (self._groups and (group.alone or not self._apart(group))):
            await asyncio.wait(self._groups, return_when=asyncio.FIRST_COMPLETED)

    def _apart(self, group: Group) -> bool:
        return all(group.contracts.isdisjoint(other.contracts) for other in self._groups.values())

    def begin(self, group: Group, storing: asyncio.Task[None], ended: Callable[[Group], None]) -> None:
        """From here on it is under way; `ended` is called when it no longer is, however that came."""
        self._groups[storing] = group

        def leave(task: asyncio.Task[None]) -> None:
            ended(self._groups.pop(task))

        storing.add_done_callback(leave)

    async def end(self) -> None:
        """Returns once nothing is under way."""
        while self._groups:
            await asyncio.wait(self._groups)

    async def cancel(self) -> None:
        """Give up what is under way; nothing is known about it."""
        for task in self._groups:
            task.cancel()
        await self.end()
