"""Commands on their way to supervisors: with heartbeats, by long poll, and pushed on streams; at least once each.

Postgres has the commands. Kept here is which contracts have open ones, so that a heartbeat costs no query; it is fed by
announcements, and compared with Postgres now and then, since announcements can be missed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from uuid import UUID

from makima.errors import HistoryUnavailable
from makima.models.supervision import StoredCommand
from makima.models.wire.commands import Command
from makima.ports import Clock
from makima.services.refusals import unavailable
from makima.stores import CommandStore

PER_ANSWER = 32
"""Commands of one contract in one answer, oldest first; the rest follows once these are acknowledged."""

COMPARE_SECONDS = 15.0
AWAY_SECONDS = 1.0
GATHER_SECONDS = 0.02
"""Announcements that come together are one query."""

log = logging.getLogger(__name__)

Told = Callable[[UUID, Sequence[Command]], None]


class CommandDelivery:
    """Knows the open commands of every contract, and who wants to be told of new ones."""

    def __init__(self, store: CommandStore, clock: Clock, *, most_polls: int = 2000) -> None:
        self._store, self._clock, self._most_polls = store, clock, most_polls
        self._open: dict[UUID, tuple[Command, ...]] = {}
        self._listeners: dict[UUID, set[Told]] = {}
        self._polls = 0
        self._news: set[UUID] = set()
        self._heard = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to listen."""
        runs = (self._listen(), self._fetch(), self._compare())
        self._tasks = [asyncio.create_task(run) for run in runs]

    async def stop(self) -> None:
        """End; long polls are answered by their deadlines."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def waiting_for(self, contract_id: UUID) -> tuple[Command, ...]:
        """Commands to send along, as known here."""
        return self._open.get(contract_id, ())

    def any_waiting(self) -> bool:
        """Whether `waiting_for` would find anything for anybody."""
        return bool(self._open)

    def listen(self, contract_id: UUID, told: Told) -> None:
        """Have `told` called with each new command of this contract."""
        self._listeners.setdefault(contract_id, set()).add(told)

    def unlisten(self, contract_id: UUID, told: Told) -> None:
        """No more."""
        listeners = self._listeners.get(contract_id)
        if listeners is not None:
            listeners.discard(told)
            if not listeners:
                del self._listeners[contract_id]

    async def poll(self, contract_id: UUID, seconds: float) -> tuple[Command, ...]:
        """Open commands; where there are none, the first that come within the time.

        Raises:
            HistoryUnavailable: Postgres is away.
            Refused: UNAVAILABLE, too many wait already.
        """
        found = await self._read([contract_id])
        if found.get(contract_id) or seconds <= 0:
            return found.get(contract_id, ())
        if self._polls >= self._most_polls:
            raise unavailable("too many long polls are open", 5)
        return await self._wait(contract_id, seconds)

    async def _wait(self, contract_id: UUID, seconds: float) -> tuple[Command, ...]:
        came = asyncio.Event()

        def told(_: UUID, __: Sequence[Command]) -> None:
            came.set()

        self._polls += 1
        self.listen(contract_id, told)
        try:
            if not self.waiting_for(contract_id):
                async with asyncio.timeout(seconds):
                    await came.wait()
        except TimeoutError:
            return ()
        finally:
            self._polls -= 1
            self.unlisten(contract_id, told)
        return self.waiting_for(contract_id)

    async def acknowledge(self, contract_id: UUID, incarnation: int, ids: Sequence[UUID]) -> None:
        """They were carried out.

        Raises:
            Superseded: a newer life has begun.
            HistoryUnavailable: Postgres is away; they come again.
        """
        await self._store.acknowledge(contract_id, incarnation, ids, self._clock.now())
        known = self._open.get(contract_id, ())
        self._keep(contract_id, tuple(command for command in known if command.id not in ids))
        if len(known) >= PER_ANSWER:
            self._hear(contract_id)  # there may be more than were known here

    def _keep(self, contract_id: UUID, commands: tuple[Command, ...]) -> None:
        if commands:
            self._open[contract_id] = commands
        else:
            self._open.pop(contract_id, None)

    def _hear(self, contract_id: UUID) -> None:
        self._news.add(contract_id)
        self._heard.set()

    async def _listen(self) -> None:
        while True:
            try:
                async for contract_id in self._store.announced():
                    self._hear(contract_id)
            except HistoryUnavailable as error:
                log.info("new commands are not heard of: %s", error.message)
            except Exception:
                log.exception("new commands are not heard of")
            await asyncio.sleep(AWAY_SECONDS)
            await self._try(self._compare_once)  # some may have been missed

    async def _fetch(self) -> None:
        while True:
            await self._heard.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._heard.clear()
            ids, self._news = list(self._news), set()
            if not await self._try(partial(self._refresh, ids)):
                self._news.update(ids)
                self._heard.set()
                await asyncio.sleep(AWAY_SECONDS)

    async def _compare(self) -> None:
        while True:
            await self._try(self._compare_once)
            await asyncio.sleep(COMPARE_SECONDS)

    async def _try(self, work: Callable[[], Awaitable[None]]) -> bool:
        try:
            await work()
        except HistoryUnavailable as error:
            log.info("commands can't be read: %s", error.message)
        except Exception:
            log.exception("commands can't be read")
        else:
            return True
        return False

    async def _refresh(self, ids: Sequence[UUID]) -> None:
        found = await self._read(ids)
        for contract_id in ids:
            self._update(contract_id, found.get(contract_id, ()))

    async def _compare_once(self) -> None:
        before = set(self._open)
        found = await self._read(None)
        for contract_id in before | set(found):
            self._update(contract_id, found.get(contract_id, ()))

    async def _read(self, ids: Sequence[UUID] | None) -> dict[UUID, tuple[Command, ...]]:
        found: dict[UUID, tuple[Command, ...]] = {}
        for stored in await self._store.unacknowledged(ids):
            known = found.get(stored.contract_id, ())
            if len(known) < PER_ANSWER:
                found[stored.contract_id] = (*known, command_of(stored))
        return found

    def _update(self, contract_id: UUID, commands: tuple[Command, ...]) -> None:
        known = {command.id for command in self._open.get(contract_id, ())}
        fresh = [command for command in commands if command.id not in known]
        self._keep(contract_id, commands)
        if fresh:
            for told in tuple(self._listeners.get(contract_id, ())):
                told(contract_id, fresh)


def command_of(stored: StoredCommand) -> Command:
    """The command as it travels."""
    return Command(id=stored.id, kind=stored.kind, payload=dict(stored.payload), created_at=stored.created_at)
