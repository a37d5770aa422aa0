"""Who calls: asked before anything else is looked at, the body included."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from makima.http.bodies import header, respond
from makima.http.problems import rendered
from makima.models.credential import Credential
from makima.services.access.authentication import Authentication
from makima.services.access.identity import Identity
from makima.services.access.person import Person

VERIFIED = "makima.identity"
"""Key of the ASGI scope: an `Identity` that the listener itself has verified (the front proxy's). No header sets it."""

CALLING = "makima.person"


async def person_of(scope: Scope, authentication: Authentication) -> Person:
    """Who calls, as the listener or the bearer token says; for requests and for WebSockets.

    Raises:
        Refused: UNAUTHENTICATED, UNAVAILABLE.
    """
    verified = scope.get(VERIFIED)
    if verified is not None:
        return Person(verified)
    authorization = header(scope, b"authorization")
    identity = await authentication.identity(authorization)
    token = (authorization or b"")[len(b"bearer ") :].strip()
    return Person(identity, Credential(token.decode("ascii")))


class Authenticated:
    """Lets nobody in whom the API server does not know: not to what there is not, and not to the document either."""

    def __init__(self, app: ASGIApp, authentication: Authentication) -> None:
        self._app, self._authentication = app, authentication

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            try:
                scope[CALLING] = await person_of(scope, self._authentication)
            except Exception as error:
                await respond(send, *rendered(error))
                return
        await self._app(scope, receive, send)


async def calling(request: Request) -> Person:
    """A dependency that is whoever calls. A coroutine: the framework would take any other into a thread."""
    found: Person = request.scope[CALLING]
    return found


class Caller:
    """A dependency that is a supervisor's identity: tokens of makima's audience only."""

    def __init__(self, authentication: Callable[[], Authentication]) -> None:
        self._authentication = authentication

    async def __call__(self, request: Request) -> Identity:
        """The identity behind the bearer token.

        Raises:
            Refused: UNAUTHENTICATED, UNAVAILABLE.
        """
        return await self._authentication().identity(header(request.scope, b"authorization"))
