"""The application: routes, errors and limits, put together."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from makima import __version__
from makima.http import problems
from makima.http.bodies import respond
from makima.http.caller import Authenticated
from makima.http.document import describe
from makima.http.hot_path import Bounded, HotPath
from makima.http.large_bodies import LargeBodies
from makima.http.monitor import MonitorPath
from makima.http.problems import rendered
from makima.http.read_whole import ReadWhole
from makima.http.routes import every_router
from makima.http.use_cases import UseCases
from makima.services.refusals import unavailable, unexpected

ANSWER_SECONDS = 120.0
"""Longest time for one call, from its body to the last byte of its answer; a long poll takes half of it."""

CALLS = 4000
"""Calls under way in one process."""


def application(use: UseCases, *, calls: int = CALLS) -> ASGIApp:
    """The API service's application."""
    app = _calls(use, calls)
    if use.monitor is None:
        return app
    return MonitorPath(app, use.monitor, use.people, use.allowed_origins)


def _calls(use: UseCases, calls: int) -> ASGIApp:
    """Everything that has an end."""
    supervision, large = use.supervision, LargeBodies()
    app: ASGIApp = Guarded(Authenticated(ReadWhole(framework(use), large), use.people))
    if supervision is None:
        return Bounded(app, calls)
    app = HotPath(app, supervision.heartbeats, supervision.authentication, supervision.streams, large)
    return Bounded(app, calls, supervision.heartbeats.turn_away)


def framework(use: UseCases) -> FastAPI:
    """The routes of everything that is not on the hot path, and the document of everything."""
    app = FastAPI(title="makima", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False)
    problems.install(app)
    for router in every_router(use):
        app.include_router(router)
    describe(app, heartbeats=use.supervision is not None, monitor=use.monitor is not None)
    return app


class Guarded:
    """Nothing takes for ever, and an error that nobody foresaw is answered in the envelope too, without a trace."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "there is no such stream"})
            return
        if scope["type"] != "http":
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(ANSWER_SECONDS) as limit:
                await self._app(scope, receive, watched)
        except Exception as error:
            too_long = limit.expired() and isinstance(error, TimeoutError)  # else it is one of the call's own
            refused = unavailable("the call took too long") if too_long else unexpected(error)  # logs the trace
            if not started:
                await respond(send, *rendered(refused))
