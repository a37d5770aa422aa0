"""One open WebSocket of the live monitor: frames out, filters in."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import Message, Receive, Send

from makima.http.monitor_outgoing import hand_over, until_one_ends
from makima.http.problems import too_large
from makima.models.wire.monitor import FILTER_BYTES, MonitorFilter
from makima.models.wire.problem import Code
from makima.services.monitor.encoded import Frame, failed
from makima.services.monitor.subscription import POLICY, Subscription
from makima.services.refusals import refusal, refused_by

FIRST_MESSAGE_SECONDS = 1.0
"""How long a client that said nothing in its address may take to say what it wants, before it gets everything."""

BAD_MESSAGES = 16
"""Messages in a row that can't be taken; then the client is closed."""

TOO_BIG = 1009


class MonitorSocket:
    """One open WebSocket."""

    def __init__(self, found: Subscription, receive: Receive, send: Send, *, has_begun: bool) -> None:
        self._found, self._receive, self._send = found, receive, send
        self._has_begun = has_begun
        self._bad = 0

    async def run(self) -> None:
        """Serve until either side ends, then close."""
        await until_one_ends(self._found, self._listen(), hand_over(self._found, self._write, None))
        with suppress(Exception):  # the client may be gone, and may not read this either
            async with asyncio.timeout(1):
                await self._send({"type": "websocket.close", "code": self._found.code})

    async def _write(self, frames: list[Frame]) -> None:
        for frame in frames:
            await self._send({"type": "websocket.send", "text": frame.text})

    async def _listen(self) -> None:
        receiving = asyncio.ensure_future(self._receive())
        try:
            if not self._has_begun:
                await asyncio.wait((receiving,), timeout=FIRST_MESSAGE_SECONDS)
                if not receiving.done():
                    await self._begin_with(MonitorFilter())
            while True:
                message = await receiving
                if message["type"] == "websocket.disconnect":
                    return
                receiving = asyncio.ensure_future(self._receive())
                await self._take(message)
        finally:
            receiving.cancel()

    async def _begin_with(self, wanted: MonitorFilter) -> None:
        try:
            await self._found.begin(wanted)
            self._has_begun = True
        except Exception as error:
            self._found.end(error)

    async def _take(self, message: Message) -> None:
        text = message.get("text") or (message.get("bytes") or b"")
        try:
            if len(text) > FILTER_BYTES:
                self._found.end(too_large(FILTER_BYTES), TOO_BIG)
                return
            wanted = MonitorFilter.model_validate_json(text)
            await (self._found.change(wanted) if self._has_begun else self._found.begin(wanted))
            self._has_begun, self._bad = True, 0
        except Exception as error:
            await self._refuse(error)

    async def _refuse(self, error: Exception) -> None:
        """Say what is wrong; what held before holds on, and whose first message it was may say it better."""
        refused = refused_by(error)
        self._bad += 1
        told = self._found.outbox.put_control(failed(refused.problem))
        if not told or self._bad >= BAD_MESSAGES:
            hint = "see docs/reference/events.md for what a message has in it"
            self._found.end(refusal(Code.VALIDATION_FAILED, "too many messages that can't be taken", hint=hint), POLICY)
