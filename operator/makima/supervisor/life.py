"""How a life begins and ends, and what runs beside it meanwhile: heartbeats, and commands that come."""

from __future__ import annotations

import asyncio
import socket
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

from makima.models.enums import CommandKind
from makima.models.wire.commands import Command
from makima.models.wire.registration import Register, Registered, Restoration
from makima.supervisor.background import Background
from makima.supervisor.heartbeats import Heartbeats
from makima.supervisor.inbox import Inbox
from makima.supervisor.memory import Memory
from makima.supervisor.picture import Picture, picture_of
from makima.supervisor.place import Place, place_from
from makima.supervisor.transport import Transport
from makima.supervisor.work import Work

PATIENCE_SECONDS = 60.0


class Life:
    """One life: registered on entering, heartbeats and commands in the background until it is left.

    When a newer life begins, `Superseded` ends the whole `async with` block, wherever it is, and nothing is sent any
    more.

    Attributes:
        life: ids, incarnation and periods, as registered.
        picture: what heartbeats and saves say.
    """

    life: Registered
    picture: Picture

    def __init__(
        self,
        place: Place | None = None,
        *,
        patience: float = PATIENCE_SECONDS,
        take_over: bool = False,
        registration_id: UUID | None = None,
    ) -> None:
        """Nothing happens before it is entered.

        Args:
            place: where to report; default: the environment (`makima.supervisor.place`).
            patience: seconds until a call without answer fails.
            take_over: an external supervisor takes the contract from another one that still lives.
            registration_id: of this life; registering again with the same one continues it.
        """
        self.place = place if place is not None else place_from()
        self._patience = patience
        self._register = Register(
            namespace=self.place.namespace,
            name=self.place.name,
            registration_id=registration_id or uuid4(),
            incarnation=self.place.incarnation,
            take_over=take_over,
            host=socket.gethostname()[:256],
        )
        self._transport = Transport(self.place)
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        if not hasattr(self, "life"):
            try:
                await self.register()
            except BaseException:
                await self.forget()
                raise
        self._begin()
        return self

    async def register(self) -> Registered:
        """Begin the life; entering does so where it was not done. Who does not enter afterwards has to `forget`.

        Raises:
            Refused: another supervisor carries the contract, or this one may not.
            Superseded: this incarnation is over.
            Unreachable: no answer within the patience.
        """
        await self._transport.__aenter__()
        path = "/api/v1/supervisors/register"
        self.life = await self._transport.post(path, self._register, Registered, deadline=self._patience)
        self._transport.incarnation = self.life.incarnation
        return self.life

    async def forget(self) -> None:
        """Close the connections of a life that is not entered."""
        await self._transport.__aexit__(None, None, None)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._background.leave(error)
        finally:
            await self._transport.__aexit__(kind, error, trace)

    @property
    def restoration(self) -> Restoration:
        """How to go on: what the lives before this one left."""
        return self.life.restoration

    def _begin(self) -> None:
        self.picture = picture_of(self.life)
        path = f"/api/v1/contracts/{self.life.contract_id}/supervisor"
        parts = (self._transport, path, self.life, self.picture)
        self._work = Work(*parts)
        self._memory = Memory(*parts)
        self._inbox = Inbox(*parts, self._memory, learn=self._learn)
        self._heartbeats = Heartbeats(*parts, self._memory, take=self._inbox.take)
        self._inbox.take(self.life.commands)
        self._background = Background()
        for run in (self._heartbeats.run, self._inbox.poll, self._inbox.work):
            self._background.run(run)

    async def _learn(self, command: Command) -> None:
        before = self.picture.phase
        await self._work.learn(command)
        if command.kind is CommandKind.SYNC:
            await self._heartbeats.send(deadline=self._patience)
        if self.picture.phase != before:
            self._heartbeats.soon()
        async with self._changed:
            self._changed.notify_all()
