"""The live monitor at `/api/v1/contracts/monitor`: one WebSocket, or Server-Sent Events on the same path.

Both say the same frames (`makima.models.wire.monitor`). Past the framework, like heartbeats: a stream has no body to
parse and no end to wait for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from makima.http.bodies import respond
from makima.http.caller import person_of
from makima.http.monitor_query import Query, accepts_stream, parse_query
from makima.http.origins import must_be_allowed
from makima.http.problems import rendered, too_large
from makima.models.wire.monitor import FILTER_BYTES, MonitorFilter
from makima.models.wire.problem import Code
from makima.services.access.identity import Authentication, Identity
from makima.services.monitor.encoded import Frame, failed
from makima.services.monitor.monitor import Monitor
from makima.services.monitor.outbox import Ended
from makima.services.monitor.subscription import POLICY, Subscription
from makima.services.refusals import refusal, refused_by

PATH = "/api/v1/contracts/monitor"

FIRST_MESSAGE_SECONDS = 1.0
"""How long a client that said nothing in its address may take to say what it wants, before it gets everything."""

AT_ONCE = 64
"""Frames that are taken out together."""

KEEP_ALIVE_SECONDS = 15.0
"""Proxies cut off what is silent; a comment is none."""

RETRY_MILLISECONDS = 2000
BAD_MESSAGES = 16
"""Messages in a row that can't be taken; then the client is closed."""

TOO_BIG = 1009

SSE_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-store"),
    (b"x-accel-buffering", b"no"),
]

log = logging.getLogger(__name__)


class MonitorPath:
    """Serves the stream; everything else goes to the application behind."""

    def __init__(
        self, app: ASGIApp, monitor: Monitor, people: Authentication, allowed_origins: tuple[str, ...] = ()
    ) -> None:
        self._app, self._monitor, self._people, self._origins = app, monitor, people, allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "websocket" and scope["path"] == PATH:
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "GET":
            await self._events(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _let_in(self, scope: Scope) -> tuple[Subscription, Query]:
        """A subscription that has not begun yet, for a caller who may have one.

        Raises:
            Refused: UNAUTHENTICATED before anything else is looked at; FORBIDDEN, VALIDATION_FAILED, UNAVAILABLE.
        """
        await person_of(scope, self._people)
        must_be_allowed(scope, self._origins)
        query = parse_query(scope)
        found = await self._monitor.open(_asking(scope, self._people), frozenset(query.filter.namespaces))
        return found, query

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        try:
            found, query = await self._let_in(scope)
        except Exception as error:
            await _refuse_handshake(send, error)
            return
        try:
            await self._serve(found, query, receive, send)
        finally:
            self._monitor.close(found)

    async def _serve(self, found: Subscription, query: Query, receive: Receive, send: Send) -> None:
        try:
            if query.says_something:
                await found.begin(query.filter)
        except Exception as error:
            await _refuse_handshake(send, error)
            return
        await send({"type": "websocket.accept"})
        await _Socket(found, receive, send, has_begun=query.says_something).run()

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            found, query = await self._let_in(scope)
        except Exception as error:
            await respond(send, *rendered(error))
            return
        try:
            await self._serve_events(found, query, scope, receive, send)
        finally:
            self._monitor.close(found)

    async def _serve_events(
        self, found: Subscription, query: Query, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            _must_want_a_stream(query, scope)
            await found.begin(query.filter)
        except Exception as error:
            await respond(send, *rendered(error))
            return
        await send({"type": "http.response.start", "status": 200, "headers": SSE_HEADERS})
        await _until_one_ends(found, _stream(found, send), _gone(receive))
        with suppress(Exception):  # the client may be gone
            async with asyncio.timeout(1):
                await send({"type": "http.response.body", "body": b"", "more_body": False})


def _must_want_a_stream(query: Query, scope: Scope) -> None:
    if not (query.watch or accepts_stream(scope)):
        raise refusal(
            Code.VALIDATION_FAILED,
            "this is a stream: open a WebSocket, or accept text/event-stream",
            field="Accept",
            hint="curl -N -H 'Accept: text/event-stream' …, or add ?watch=true",
        )


def _asking(scope: Scope, people: Authentication) -> Callable[[], Awaitable[Identity]]:
    async def who() -> Identity:
        return (await person_of(scope, people)).identity

    return who


async def _refuse_handshake(send: Send, error: Exception) -> None:
    status, body, headers = rendered(error)
    every = [(b"content-type", b"application/json"), *((key.encode(), value.encode()) for key, value in headers)]
    with suppress(Exception):  # the client may be gone
        await send({"type": "websocket.http.response.start", "status": status, "headers": every})
        await send({"type": "websocket.http.response.body", "body": body})


async def _until_one_ends(found: Subscription, *work: Awaitable[None]) -> None:
    """Run until the first is over, or the client is found not to read; the others are ended."""
    tasks = [asyncio.ensure_future(one) for one in (*work, found.stuck.wait())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        error = task.exception() if not task.cancelled() else None
        if error is not None and not isinstance(error, OSError):
            log.error("a client of the live monitor ended by an unexpected error", exc_info=error)


async def _frames(found: Subscription, send: Callable[[list[Frame]], Awaitable[None]], seconds: float | None) -> None:
    """Hand over what waits until nothing more comes; an empty list after so many seconds of silence."""
    while True:
        try:
            async with asyncio.timeout(seconds):
                frames = await found.outbox.take(AT_ONCE)
        except Ended:
            return
        except TimeoutError:
            frames = []
        found.sending_since = asyncio.get_running_loop().time()
        await send(frames)
        found.sending_since = None
        await asyncio.sleep(0)  # others have their turn, however much waits here


async def _stream(found: Subscription, send: Send) -> None:
    async def write(frames: list[Frame]) -> None:
        text = "".join(map(_event, frames)) if frames else ": nothing new\n\n"
        await send({"type": "http.response.body", "body": text.encode(), "more_body": True})

    await send({"type": "http.response.body", "body": f"retry: {RETRY_MILLISECONDS}\n\n".encode(), "more_body": True})
    await _frames(found, write, KEEP_ALIVE_SECONDS)


def _event(frame: Frame) -> str:
    """JSON has no line breaks, so it is one line of data."""
    place = f"id: {frame.seq}\n" if frame.seq is not None else ""
    return f"{place}data: {frame.text}\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Socket:
    """One open WebSocket."""

    def __init__(self, found: Subscription, receive: Receive, send: Send, *, has_begun: bool) -> None:
        self._found, self._receive, self._send = found, receive, send
        self._has_begun = has_begun
        self._bad = 0

    async def run(self) -> None:
        """Serve until either side ends, then close."""
        await _until_one_ends(self._found, self._listen(), _frames(self._found, self._write, None))
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
