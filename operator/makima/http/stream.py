"""The stream: one WebSocket carries the heartbeats of many supervisors, and their commands back.

Frames are answered in order. What goes out waits in a bounded queue; a client that does not read is closed, since
neither its answers nor its commands could reach it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from makima.http.bodies import header
from makima.http.problems import rendered
from makima.http.stream_answers import answered, failed, pushed
from makima.models.wire.commands import Command
from makima.models.wire.heartbeat import BatchEntry
from makima.models.wire.message import STATE_BYTES
from makima.ports import Clock
from makima.services.access.authentication import Authentication
from makima.services.ingest.heartbeat_reading import read_frame
from makima.services.ingest.heartbeats import Heartbeats
from makima.services.refusals import Refused, invalid, refused_by, unavailable
from makima.services.supervisor_calls.command_delivery import CommandDelivery

WAITING = 64
"""Answers and pushes that wait to be sent on one stream."""

SEND_SECONDS = 10.0
"""A client that takes nothing for so long does not read."""

CARRIED = 50_000
"""Supervisors of one stream whose commands are pushed on it."""

OF_ONE_CALLER = 32
"""Streams of one token (of a pod, mostly): each may hold a frame that is not complete yet, of 4 MiB at most."""

GOING_AWAY, POLICY, TOO_BIG, TRY_LATER = 1001, 1008, 1009, 1013

log = logging.getLogger(__name__)


class Streams:
    """All streams of this process; a bounded number."""

    def __init__(
        self,
        heartbeats: Heartbeats,
        authentication: Authentication,
        commands: CommandDelivery,
        clock: Clock,
        *,
        most: int = 1000,
        send_seconds: float = SEND_SECONDS,
    ) -> None:
        self.heartbeats, self.authentication, self.commands, self.clock = heartbeats, authentication, commands, clock
        self.send_seconds = send_seconds
        self._most = most
        self._open: set[Stream] = set()

    @property
    def open(self) -> int:
        """How many are open."""
        return len(self._open)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One WebSocket, from its handshake to its end."""
        await receive()  # websocket.connect
        try:
            self._must_have_room()
            caller = (await self.authentication.identity(header(scope, b"authorization"))).key
            self._must_have_room_for(caller)
        except Exception as error:
            await refuse_handshake(send, error)
            return
        stream = Stream(self, caller, header(scope, b"authorization"), receive, send)
        self._open.add(stream)
        try:
            await stream.run()
        finally:
            self._open.discard(stream)
            stream.release()

    def _must_have_room(self) -> None:
        if len(self._open) >= self._most:
            self.heartbeats.turn_away()
            raise unavailable(f"this process has {self._most} streams open already", 5)

    def _must_have_room_for(self, caller: str) -> None:
        if sum(stream.caller == caller for stream in self._open) >= OF_ONE_CALLER:
            self.heartbeats.turn_away()
            raise unavailable(f"{OF_ONE_CALLER} streams of this token are open here; one carries many supervisors", 5)


async def refuse_handshake(send: Send, error: Exception) -> None:
    """Answer a handshake with an error instead of a stream."""
    status, body, headers = rendered(error)
    every = [(b"content-type", b"application/json"), *((key.encode(), value.encode()) for key, value in headers)]
    await send({"type": "websocket.http.response.start", "status": status, "headers": every})
    await send({"type": "websocket.http.response.body", "body": body})


class Stream:
    """One open stream."""

    def __init__(
        self, streams: Streams, caller: str, authorization: bytes | None, receive: Receive, send: Send
    ) -> None:
        self.caller = caller
        self._all, self._authorization, self._receive, self._send = streams, authorization, receive, send
        self._out: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._carried: dict[int, UUID] = {}  # by UUID.int: the hash of a UUID is Python code
        self._why: tuple[int, str] = (GOING_AWAY, "")
        self._full = asyncio.Event()

    async def run(self) -> None:
        """Take frames and send answers until either side ends."""
        await self._send({"type": "websocket.accept"})
        tasks = [asyncio.create_task(work) for work in (self._take_frames(), self._send_answers(), self._full.wait())]
        done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done:
            error = task.exception()
            if error is not None:
                log.error("a stream ended by an unexpected error", exc_info=error)
        code, reason = self._why
        with suppress(Exception):  # the client may be gone, and may not read this either
            async with asyncio.timeout(1):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def release(self) -> None:
        """Nothing is pushed any more."""
        for contract_id in self._carried.values():
            self._all.commands.unlisten(contract_id, self._told)
        self._carried.clear()

    async def _take_frames(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text") or (message.get("bytes") or b"")
            if len(text) > STATE_BYTES:
                self._why = (TOO_BIG, f"a frame has {STATE_BYTES} bytes at most")
                return
            if not await self._take(text):
                return

    async def _take(self, text: str | bytes) -> bool:
        """Answer one frame; false ends the stream."""
        try:
            identity = await self._all.authentication.identity(self._authorization)
        except Refused as error:
            self._queue(failed(text, error.problem))
            await self._drain()
            self._why = (TRY_LATER if error.retry_after else POLICY, error.problem.code)
            return False
        try:
            number, entries = read_frame(text)
            answer, accepted = await self._all.heartbeats.many(identity, entries)
        except Exception as error:
            refused = invalid(error) if isinstance(error, ValidationError) else refused_by(error)
            self._queue(failed(text, refused.problem))
            return True
        self._carry(accepted)
        self._queue(answered(number, answer))
        return True

    def _carry(self, contracts: Sequence[UUID]) -> None:
        fresh = {contract_id.int: contract_id for contract_id in contracts if contract_id.int not in self._carried}
        if len(self._carried) + len(fresh) > CARRIED:
            return  # their commands still come with their heartbeats
        for contract_id in fresh.values():
            self._all.commands.listen(contract_id, self._told)
        self._carried |= fresh

    def _told(self, contract_id: UUID, commands: Sequence[Command]) -> None:
        entry = BatchEntry(index=0, contract_id=str(contract_id), commands=tuple(commands))
        self._queue(pushed(self._all.clock.now(), entry))

    def _queue(self, text: str) -> None:
        try:
            self._out.put_nowait(text)
        except asyncio.QueueFull:
            self._slow()

    def _slow(self) -> None:
        self._why = (POLICY, "the client does not read its answers")
        self._full.set()

    async def _drain(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._out.join()

    async def _send_answers(self) -> None:
        while True:
            text = await self._out.get()
            try:
                async with asyncio.timeout(self._all.send_seconds):
                    await self._send({"type": "websocket.send", "text": text})
            except TimeoutError:
                self._slow()
                return
            except OSError:
                return  # the client is gone
            finally:
                self._out.task_done()
