"""Commands: taken from heartbeats and from the long poll, carried out once each, acknowledged after that."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from uuid import UUID

from makima.domain.backoff import retry_delay
from makima.errors import Superseded
from makima.models.enums import CommandKind
from makima.models.wire.commands import Acknowledge, Command, CommandList
from makima.models.wire.message import Message
from makima.models.wire.registration import Registered
from makima.supervisor.errors import Refused, Unreachable
from makima.supervisor.memory import Memory
from makima.supervisor.picture import Picture
from makima.supervisor.transport import Transport

log = logging.getLogger(__name__)

POLL_SECONDS = 20
"""How long the server may hold a poll for which it has nothing."""

IN_HAND_SECONDS = 0.5
"""Pause between polls while a command is being carried out: until it is acknowledged, each poll brings it again."""

PATIENCE_SECONDS = 30.0
"""For an acknowledgement; a command that could not be acknowledged comes again, and is then only acknowledged."""

Callback = Callable[[Command], Awaitable[None]]


class Inbox:
    """The commands of one life."""

    def __init__(
        self, transport: Transport, path: str, life: Registered, picture: Picture, memory: Memory, *, learn: Callback
    ) -> None:
        """`learn` is what the library itself does with a command, before anybody else gets it."""
        self._transport = transport
        self._path = path + "/commands"
        self._life = life
        self._picture = picture
        self._memory = memory
        self._learn = learn
        self._callbacks: dict[CommandKind, Callback] = {}
        self._in_hand: set[UUID] = set()
        self._less = asyncio.Event()
        self._queue: asyncio.Queue[Command] = asyncio.Queue()
        self._offered: asyncio.Queue[Command] = asyncio.Queue()

    def on(self, kind: CommandKind, callback: Callback) -> None:
        """Who carries out commands of this kind; returning means done, an exception means try again."""
        self._callbacks[kind] = callback

    def take(self, commands: Iterable[Command]) -> None:
        """Commands that came; known ones are not carried out again."""
        for command in commands:
            if command.id not in self._in_hand:
                self._in_hand.add(command.id)
                self._queue.put_nowait(command)

    async def settled(self, deadline: float) -> None:
        """Wait until nothing is in hand any more, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                while self._in_hand:
                    self._less.clear()
                    await self._less.wait()

    async def offered(self) -> AsyncIterator[Command]:
        """Commands that have no callback; each counts as carried out when the next one is asked for."""
        while True:
            command = await self._offered.get()
            yield command
            await self._settle(command)

    async def poll(self) -> None:
        """Ask for commands, until cancelled or superseded."""
        failures = 0
        query = {"wait": str(POLL_SECONDS), "incarnation": str(self._life.incarnation)}
        while True:
            try:
                found = await self._transport.call(
                    "GET", self._path, CommandList, query=query, deadline=POLL_SECONDS + 10
                )
                failures = 0
                self.take(found.commands)
            except (Unreachable, Refused) as error:
                failures += 1
                log.warning("commands: %s", error)
                await asyncio.sleep(retry_delay(failures))
            else:
                if self._in_hand:
                    await asyncio.sleep(IN_HAND_SECONDS)

    async def work(self) -> None:
        """Carry out what came, in order, until cancelled or superseded."""
        while True:
            command = await self._queue.get()
            try:
                await self._carry_out(command)
            except (Unreachable, Refused) as error:
                log.warning("command %s %s: %s", command.kind.snake, command.id, error)
                self._let_go(command)

    async def _carry_out(self, command: Command) -> None:
        if command.id in self._picture.handled:
            await self._acknowledge(command)
            return
        if self._is_for_a_life_before(command):
            await self._settle(command)
            return
        await self._learn(command)
        callback = self._callbacks.get(command.kind)
        if callback is None and command.kind in LEFT_TO_THE_CALLER:
            self._offered.put_nowait(command)
            return
        if callback is not None and not await self._called(callback, command):
            return
        await self._settle(command)

    def _is_for_a_life_before(self, command: Command) -> bool:
        """A restart that was asked of a life that has ended: the end of this one would help nobody."""
        meant = command.payload.get("incarnation")
        return command.kind is CommandKind.RESTART and isinstance(meant, int) and meant < self._life.incarnation

    async def _called(self, callback: Callback, command: Command) -> bool:
        try:
            await callback(command)
        except Superseded:
            raise
        except Exception:
            log.exception("command %s %s was not carried out, and will be tried again", command.kind.snake, command.id)
            self._let_go(command)
            return False
        return True

    async def _settle(self, command: Command) -> None:
        """Remember that it was carried out, then say so: a life after this one must not carry it out again."""
        self._picture.handled[command.id] = None
        await self._memory.save(deadline=PATIENCE_SECONDS)
        await self._acknowledge(command)

    def _let_go(self, command: Command) -> None:
        self._in_hand.discard(command.id)
        self._less.set()

    async def _acknowledge(self, command: Command) -> None:
        call = Acknowledge(incarnation=self._life.incarnation, command_ids=(command.id,))
        await self._transport.post(self._path + "/acknowledge", call, Message, deadline=PATIENCE_SECONDS)
        self._let_go(command)


LEFT_TO_THE_CALLER = frozenset({CommandKind.PAUSE, CommandKind.RESUME, CommandKind.STOP, CommandKind.RESTART})
"""Kinds that mean nothing to the library alone."""
