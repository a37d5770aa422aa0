""" "I live, and this is what I do": at the server's interval, and at once when state or phase change."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from makima.models.wire.commands import Command
from makima.models.wire.heartbeat import Heartbeat, HeartbeatAnswer
from makima.models.wire.message import PENDING_TASKS
from makima.models.wire.problem import Code
from makima.models.wire.registration import Registered
from makima.supervisor.errors import Refused, Unreachable
from makima.supervisor.memory import Memory
from makima.supervisor.picture import Picture
from makima.supervisor.transport import Transport

log = logging.getLogger(__name__)


class Heartbeats:
    """The heartbeats of one life."""

    def __init__(
        self,
        transport: Transport,
        path: str,
        life: Registered,
        picture: Picture,
        memory: Memory,
        *,
        take: Callable[[Iterable[Command]], None],
    ) -> None:
        self._transport = transport
        self._path = path + "/heartbeat"
        self._life = life
        self._picture = picture
        self._memory = memory
        self._take = take
        self._soon = asyncio.Event()
        self._sequence = 0

    def soon(self) -> None:
        """Send one without waiting for the interval."""
        self._soon.set()

    async def run(self) -> None:
        """Until cancelled, or superseded."""
        interval = self._life.heartbeat_interval_seconds
        while True:
            self._soon.clear()
            try:
                await self.send(deadline=interval)
                await self._memory.save(deadline=interval, light=True)
            except (Unreachable, Refused) as error:
                # refused: a token that is just being replaced, a supervisor whose resource is not there any more
                log.warning("heartbeat %d: %s", self._sequence, error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._soon.wait()

    async def send(self, *, deadline: float) -> bool:
        """Send one now; tried again with the same number until the deadline.

        Returns:
            Whether it is stored; False: a newer one of this life was before it.
        """
        self._sequence += 1
        picture = self._picture
        beat = Heartbeat(
            incarnation=self._life.incarnation,
            contract_id=self._life.contract_id,
            task_id=self._life.task_id,
            sequence=self._sequence,
            state=picture.state,
            phase=picture.phase,
            current_activity=picture.activity,
            progress=picture.progress,
            pending_task_ids=tuple(picture.waiting_on)[-PENDING_TASKS:],
            timestamp=datetime.now(UTC),
        )
        try:
            answer = await self._transport.post(self._path, beat, HeartbeatAnswer, deadline=deadline)
        except Refused as error:
            if error.problem.code is Code.CONFLICT and beat.sequence < self._sequence:
                return False
            raise
        self._take(answer.commands)
        return True
