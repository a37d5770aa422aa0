"""Sessions of supervisors, as they were some minutes ago at most: fit to recognise a caller, never to fence a write."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from makima.errors import HistoryUnavailable
from makima.models.supervision import Session
from makima.stores import SupervisorRegistry

CACHED_SECONDS = 300.0
REMEMBERED = 200_000
BULK = 1000
AWAY_SECONDS = 1.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Entry:
    session: Session
    read_at: float


class SessionCache:
    """Reads many sessions in one query, and forgets those that begin a new life."""

    def __init__(self, registry: SupervisorRegistry) -> None:
        self._registry = registry
        self._known: OrderedDict[int, _Entry] = OrderedDict()  # by UUID.int: the hash of a UUID is Python code
        self._wanted: dict[UUID, asyncio.Future[Session | None]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow changes."""
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """End."""
        tasks = [task for task in (self._following, self._reading) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def known(self, contract_id: UUID, now: float | None = None) -> Session | None:
        """The session as last read, if that is not too long ago; `now` by the clock of the loop."""
        found = self._known.get(contract_id.int)
        if found is None:
            return None
        moment = asyncio.get_running_loop().time() if now is None else now
        return found.session if moment <= found.read_at + CACHED_SECONDS else None

    def all_known(self, contract_ids: Iterable[UUID], now: float) -> list[Session | None]:
        """The same for many."""
        known, oldest = self._known.get, now - CACHED_SECONDS
        found = [known(contract_id.int) for contract_id in contract_ids]
        return [one.session if one is not None and one.read_at >= oldest else None for one in found]

    def keep(self, session: Session) -> None:
        """This was just read or written."""
        self._known[session.contract_id.int] = _Entry(session, asyncio.get_running_loop().time())
        self._known.move_to_end(session.contract_id.int)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    async def read(self, contract_id: UUID) -> Session | None:
        """The session as Postgres has it now.

        Raises:
            HistoryUnavailable: Postgres is away.
        """
        wanted = self._wanted.get(contract_id)
        if wanted is None:
            wanted = asyncio.get_running_loop().create_future()
            self._wanted[contract_id] = wanted
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(wanted)

    async def _read(self) -> None:
        while self._wanted:
            some = dict(list(self._wanted.items())[:BULK])
            for key in some:
                del self._wanted[key]  # who asks from here on wants what is so from here on
            try:
                found = await self._registry.sessions(list(some))
            except Exception as error:
                for future in some.values():
                    _fail(future, error)
                if not isinstance(error, HistoryUnavailable):
                    log.exception("sessions could not be read")
                continue
            self._answer(some, found)

    def _answer(self, some: dict[UUID, asyncio.Future[Session | None]], found: Mapping[UUID, Session]) -> None:
        for key, future in some.items():
            session = found.get(key)
            if session is not None:
                self.keep(session)
            else:
                self._known.pop(key.int, None)
            if not future.done():
                future.set_result(session)

    async def _follow(self) -> None:
        while True:
            try:
                async for contract_id in self._registry.changes():
                    self._known.pop(contract_id.int, None)
            except HistoryUnavailable as error:
                log.info("changes of supervisors are not heard: %s", error.message)
            except Exception:
                log.exception("changes of supervisors are not heard")
            self._known.clear()  # some may have been missed
            await asyncio.sleep(AWAY_SECONDS)


def _fail(future: asyncio.Future[Session | None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # seen, also where every caller went away
