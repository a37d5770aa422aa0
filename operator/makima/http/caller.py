"""Who calls, for routes of the framework."""

from __future__ import annotations

from fastapi import Request

from makima.services.identity import Authentication, Identity


class Caller:
    """A dependency that is the caller's identity."""

    def __init__(self, authentication: Authentication) -> None:
        self._authentication = authentication

    async def __call__(self, request: Request) -> Identity:
        """The identity behind the bearer token.

        Raises:
            Refused: UNAUTHENTICATED, UNAVAILABLE.
        """
        header = request.headers.get("authorization")
        return await self._authentication.identity(header.encode("latin-1") if header is not None else None)
