"""Heartbeats for who watches: those that came to this process at once, those of the others by the rows of supervisors.

Nothing is done while nobody asks. A row is brought up to its heartbeats every ten seconds at the latest (ADR 0006), so
this is how late a heartbeat that another replica took may be here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from makima.contract_stores import EventStream
from makima.domain.monitor.filters import Audiences
from makima.errors import HistoryUnavailable
from makima.models.supervision import Beat, LiveBeat
from makima.services.monitor.encoded import Told, told_beat

FLUSH_SECONDS = 0.25
LOOK_SECONDS = 1.0
WAITING = 20_000
"""Heartbeats that wait for the names of their contracts; newer ones are left out then."""

REMEMBERED = 200_000

log = logging.getLogger(__name__)


class LiveHeartbeats:
    """Hands out heartbeats, each once.

    Attributes:
        on_told: called with the next heartbeats.
    """

    def __init__(self, store: EventStream, audiences: Audiences[Any], *, enhanced: bool = True) -> None:
        self._store, self._audiences, self._enhanced = store, audiences, enhanced
        self.on_told: Callable[[Sequence[Told]], None] = lambda _: None
        self._waiting: list[Beat] = []
        self._shown: OrderedDict[UUID, tuple[int, int]] = OrderedDict()
        self._since: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, whenever somebody asks."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def note(self, beats: Sequence[Beat]) -> None:
        """These were stored by this process."""
        if self._audiences.want_heartbeats:
            room = WAITING - len(self._waiting)
            self._waiting += [beat for beat in beats if self._audiences.may_hear(beat.contract_id)][:room]

    async def _run(self) -> None:
        looked = 0.0
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if not self._audiences.want_heartbeats:
                self._forget()
                continue
            now = asyncio.get_running_loop().time()
            try:
                await self._flush()
                if now - looked >= LOOK_SECONDS:
                    looked = now
                    await self._look()
            except HistoryUnavailable as error:
                log.info("heartbeats are not shown: %s", error.message)
                self._forget()
                await asyncio.sleep(LOOK_SECONDS)
            except Exception:  # a bug here must not end them for everybody, for good
                log.exception("heartbeats could not be shown")
                self._forget()
                await asyncio.sleep(LOOK_SECONDS)

    def _forget(self) -> None:
        self._waiting.clear()
        self._shown.clear()
        self._since = None

    async def _flush(self) -> None:
        beats, self._waiting = self._waiting, []
        if not beats:
            return
        known = await self._store.carried({beat.contract_id for beat in beats})
        self._tell(
            [
                LiveBeat(
                    beat.contract_id,
                    *known[beat.contract_id],
                    beat.incarnation,
                    beat.sequence,
                    beat.state,
                    beat.phase,
                    beat.current_activity,
                    beat.progress,
                    beat.received_at,
                )
                for beat in beats
                if beat.contract_id in known
            ]
        )

    async def _look(self) -> None:
        """Rows that were written since the last look; the first look only finds out when that was."""
        rows, until = await self._store.heard_since(self._since)
        self._since = until
        self._tell([beat for beat in rows if self._audiences.may_hear(beat.contract_id)])

    def _tell(self, beats: Sequence[LiveBeat]) -> None:
        fresh = [beat for beat in beats if self._is_new(beat)]
        if fresh:
            self.on_told([told_beat(beat, enhanced=self._enhanced) for beat in fresh])

    def _is_new(self, beat: LiveBeat) -> bool:
        """A heartbeat that this process took is in a row later, too."""
        now = (beat.incarnation, beat.sequence)
        if self._shown.get(beat.contract_id, (0, 0)) >= now:
            return False
        self._shown[beat.contract_id] = now
        self._shown.move_to_end(beat.contract_id)
        if len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)
        return True
