"""Bodies are read before the framework runs, which then never sees one that is too long."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from makima.http.bodies import ClientGone, limit_of, read_body, respond
from makima.http.caller import CALLING
from makima.http.large_bodies import WITHOUT_BODY, LargeBodies
from makima.http.problems import rendered
from makima.services.refusals import Refused


class ReadWhole:
    """Reads each body before the application runs; whoever sends or gets a large one waits for a turn."""

    def __init__(self, app: ASGIApp, large: LargeBodies) -> None:
        self._app, self._large = app, large

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        async with AsyncExitStack() as held:
            try:
                await held.enter_async_context(self._large.turn(scope, scope[CALLING].identity.key))
                whole = await _read(scope, receive)
            except Refused as error:
                await respond(send, *rendered(error))
                return
            except ClientGone:
                return
            await self._app(scope, whole, send)


async def _read(scope: Scope, receive: Receive) -> Receive:
    """What gives the application its body, read already; raises as `read_body`."""
    if scope["method"] in WITHOUT_BODY:
        return receive
    return _replayed(await read_body(scope, receive, limit_of(scope["path"])), receive)


def _replayed(body: bytes, receive: Receive) -> Receive:
    first: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay
