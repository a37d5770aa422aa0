"""The live monitor at `/api/v1/contracts/monitor`: one WebSocket, or Server-Sent Events on the same path.

Both say the same frames (`makima.models.wire.monitor`). Past the framework, like heartbeats: a stream has no body to
parse and no end to wait for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from makima.http.bodies import respond
from makima.http.caller import person_of
from makima.http.monitor_outgoing import hand_over, until_one_ends
from makima.http.monitor_query import Query, accepts_stream, parse_query
from makima.http.monitor_socket import MonitorSocket
from makima.http.origins import must_be_allowed
from makima.http.problems import rendered
from makima.models.wire.problem import Code
from makima.services.access.authentication import Authentication
from makima.services.access.identity import Identity
from makima.services.monitor.encoded import Frame
from makima.services.monitor.monitor import Monitor
from makima.services.monitor.subscription import Subscription
from makima.services.refusals import refusal

PATH = "/api/v1/contracts/monitor"

KEEP_ALIVE_SECONDS = 15.0
"""Proxies cut off what is silent; a comment is none."""

RETRY_MILLISECONDS = 2000

SSE_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-store"),
    (b"x-accel-buffering", b"no"),
]


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
        await MonitorSocket(found, receive, send, has_begun=query.says_something).run()

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
        await until_one_ends(found, _stream(found, send), _gone(receive))
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


async def _stream(found: Subscription, send: Send) -> None:
    async def write(frames: list[Frame]) -> None:
        text = "".join(map(_event, frames)) if frames else ": nothing new\n\n"
        await send({"type": "http.response.body", "body": text.encode(), "more_body": True})

    await send({"type": "http.response.body", "body": f"retry: {RETRY_MILLISECONDS}\n\n".encode(), "more_body": True})
    await hand_over(found, write, KEEP_ALIVE_SECONDS)


def _event(frame: Frame) -> str:
    """JSON has no line breaks, so it is one line of data."""
    place = f"id: {frame.seq}\n" if frame.seq is not None else ""
    return f"{place}data: {frame.text}\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
