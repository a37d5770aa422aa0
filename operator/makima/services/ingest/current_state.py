"""How supervisors are now: one row each in Postgres, written at once when it matters and seldom when it does not."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter

from makima.errors import HistoryUnavailable
from makima.models.supervision import Beat
from makima.stores import HeartbeatStore

COALESCE_SECONDS = 10.0
"""A row that only its heartbeat, activity or progress would change is written this often (ADR 0006)."""

TICK_SECONDS = 0.25
BULK = 1000
"""Rows of one statement."""

STEPS = 32
"""Changes of state of one supervisor that wait to be written; of more, the oldest are forgotten."""

AWAY_SECONDS = 1.0

log = logging.getLogger(__name__)


MATTERS = itemgetter(*map(Beat._fields.index, ("incarnation", "state", "phase", "pending_task_ids")))
"""What of a heartbeat is written at once when it changes."""


@dataclass(slots=True)
class _Shown:
    """What the row says of the things that matter at once, and when it was written; and what waits for its time."""

    says: object
    at: float
    quiet: Beat | None = None


class CurrentState:
    """Brings rows of `supervisors` up to the heartbeats that were stored.

    The newest heartbeat of a supervisor waits in `_urgent` or with what is shown of it, never in both, so memory is
    bounded by the number of supervisors; with Postgres away they wait, and newer ones take their place. `_steps` has
    the heartbeats with which the states began that wait to be written, so that a state left at once is an event too.
    """

    def __init__(self, store: HeartbeatStore, *, most: int = 200_000) -> None:
        self._store, self._most = store, most
        # By UUID.int: the hash of a UUID is Python code.
        self._shown: OrderedDict[int, _Shown] = OrderedDict()
        self._urgent: dict[int, Beat] = {}
        self._steps: dict[int, list[Beat]] = {}
        self._due: deque[tuple[float, int]] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run())

    async def stop(self, seconds: float = 5.0) -> None:
        """Write what waits, as far as that is possible in time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            async with asyncio.timeout(seconds):
                while await self._write_some(everything=True):
                    pass
        except (HistoryUnavailable, TimeoutError) as error:
            log.info("rows of supervisors stay behind until their next heartbeat: %s", error or "no time left")

    def note(self, beats: Sequence[Beat]) -> None:
        """These were stored."""
        known, urgent = self._shown.get, self._urgent
        for beat in beats:
            key = beat.contract_id.int
            shown = known(key)
            if shown is None or shown.says != MATTERS(beat) or (urgent and key in urgent):
                self._hurry(key, beat)
                continue
            if shown.quiet is None:
                self._due.append((shown.at + COALESCE_SECONDS, key))
            shown.quiet = beat
        if self._urgent:
            self._news.set()

    def _hurry(self, key: int, beat: Beat) -> None:
        self._urgent[key] = beat
        self._pop_quiet(key)
        self._step(beat)

    def _pop_quiet(self, key: int) -> Beat | None:
        shown = self._shown.get(key)
        if shown is None:
            return None
        beat, shown.quiet = shown.quiet, None
        return beat

    def _step(self, beat: Beat) -> None:
        steps = self._steps.setdefault(beat.contract_id.int, [])
        if not steps or (steps[-1].state, steps[-1].incarnation) != (beat.state, beat.incarnation):
            steps.append(beat)
            del steps[:-STEPS]

    async def _run(self) -> None:
        while True:
            try:
                if not await self._write_some():
                    await self._pause()
            except HistoryUnavailable as error:
                log.warning("rows of supervisors wait for Postgres: %s", error.message)
                await asyncio.sleep(AWAY_SECONDS)
            except Exception:  # a bug here must not end all updates for good
                log.exception("rows of supervisors could not be written")
                await asyncio.sleep(AWAY_SECONDS)

    async def _pause(self) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout(TICK_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return

    async def _write_some(self, *, everything: bool = False) -> bool:
        """One bulk of what is due; whether there was any."""
        urgent = [self._urgent.pop(key) for key in list(islice(self._urgent, BULK))]
        quiet = self._due_now(BULK - len(urgent), everything=everything)
        if not urgent and not quiet:
            return False
        steps = {beat.contract_id.int: self._steps.pop(beat.contract_id.int, []) for beat in urgent}
        try:
            await self._store.refresh(
                [*urgent, *quiet],
                announce=[beat.contract_id for beat in urgent],
                steps=[beat for some in steps.values() for beat in some],
            )
        except BaseException:
            for key, some in steps.items():
                self._steps[key] = [*some, *self._steps.get(key, ())][-STEPS:]
            for beat in (*urgent, *quiet):  # what came meanwhile is newer
                shown = self._shown.get(beat.contract_id.int)
                if shown is None or shown.quiet is None:
                    self._urgent.setdefault(beat.contract_id.int, beat)
            raise
        self._show((*urgent, *quiet))
        return True

    def _due_now(self, room: int, *, everything: bool) -> list[Beat]:
        now = asyncio.get_running_loop().time()
        found: list[Beat] = []
        while self._due and len(found) < room and (everything or self._due[0][0] <= now):
            beat = self._pop_quiet(self._due.popleft()[1])
            if beat is not None:
                found.append(beat)
        return found

    def _show(self, beats: Sequence[Beat]) -> None:
        now = asyncio.get_running_loop().time()
        for beat in beats:
            key = beat.contract_id.int
            shown = self._shown.setdefault(key, _Shown(MATTERS(beat), now))
            shown.says, shown.at = MATTERS(beat), now
            self._shown.move_to_end(key)
        while len(self._shown) > self._most:
            key, shown = self._shown.popitem(last=False)
            if shown.quiet is not None:
                self._urgent.setdefault(key, shown.quiet)
