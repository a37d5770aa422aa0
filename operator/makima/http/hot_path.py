"""Heartbeats past the framework: its routing and injection cost more than storing one does.

What the calls mean is in `makima.services.ingest.heartbeats`; what they take and answer is in the OpenAPI document like
every other call (`makima.http.document`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from makima.http.bodies import ClientGone, header, limit_of, read_body, respond
from makima.http.large_bodies import LargeBodies
from makima.http.problems import rendered
from makima.http.stream import Streams
from makima.services.access.authentication import Authentication
from makima.services.access.identity import Identity
from makima.services.ingest.heartbeat_reading import read_batch
from makima.services.ingest.heartbeats import Heartbeats
from makima.services.refusals import unavailable

PREFIX = "/api/v1/contracts/"
SUFFIX = "/supervisor/heartbeat"
BATCH_PATH = "/api/v1/supervisors/heartbeats"
STREAM_PATH = "/api/v1/supervisors/stream"
CONTRACT = re.compile(r"[0-9a-fA-F-]{36}")


class Bounded:
    """No more calls under way than that: each of them holds a body. Streams are counted where they are served."""

    def __init__(self, app: ASGIApp, most: int, on_refused: Callable[[], None] = lambda: None) -> None:
        self._app, self._most, self._on_refused = app, most, on_refused
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._under_way >= self._most:
            self._on_refused()
            await respond(send, *rendered(unavailable("too many calls are under way")))
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1


class HotPath:
    """Single heartbeats, batches and the stream; everything else goes to the application behind."""

    def __init__(
        self,
        app: ASGIApp,
        heartbeats: Heartbeats,
        authentication: Authentication,
        streams: Streams,
        large: LargeBodies,
    ) -> None:
        self._app, self._heartbeats, self._authentication = app, heartbeats, authentication
        self._streams, self._large = streams, large

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        kind = scope["type"]
        if kind == "http":
            await self._route(scope, receive, send)
        elif kind == "websocket" and scope["path"] == STREAM_PATH:
            await self._streams.serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if scope["method"] == "POST":
            contract = path[len(PREFIX) : -len(SUFFIX)] if path.endswith(SUFFIX) and path.startswith(PREFIX) else ""
            if contract and CONTRACT.fullmatch(contract):
                await self._answer(scope, receive, send, contract)
                return
            if path == BATCH_PATH:
                await self._answer(scope, receive, send, None)
                return
        await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, contract: str | None) -> None:
        try:
            body = await self._take(scope, receive, contract)
        except ClientGone:
            return
        except Exception as error:
            await respond(send, *rendered(error))
            return
        await respond(send, 200, body)

    async def _take(self, scope: Scope, receive: Receive, contract: str | None) -> bytes:
        identity = await self._identity(scope)
        if contract is None:
            async with self._large.turn(scope, identity.key):
                entries = read_batch(await read_body(scope, receive, limit_of(scope["path"])))
                answer, _ = await self._heartbeats.many(identity, entries)
            return answer.model_dump_json(exclude_none=True).encode()
        body = await read_body(scope, receive, limit_of(scope["path"]))
        return (await self._heartbeats.one(identity, contract, body)).model_dump_json().encode()

    async def _identity(self, scope: Scope) -> Identity:
        authorization = header(scope, b"authorization")
        return self._authentication.known(authorization) or await self._authentication.identity(authorization)
