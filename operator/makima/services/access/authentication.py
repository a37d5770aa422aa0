"""Who calls: a bearer token becomes an identity, as the API server says, remembered for seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from makima.errors import ClusterUnavailable
from makima.models.wire.problem import Code
from makima.services.access.identity import Identity
from makima.services.access.remembered import Remembered
from makima.services.refusals import refusal

TOKEN_BYTES = 16 * 1024


class TokenReviews(Protocol):
    """Who asks the API server about tokens."""

    async def review(self, token: str) -> Identity | None:
        """Whose token this is, for our audience; None if it is nobody's.

        Raises:
            ClusterUnavailable: no answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Found:
    identity: Identity | None


class Authentication:
    """Tokens to identities; a token itself is never kept, only its hash."""

    def __init__(self, reviews: TokenReviews) -> None:
        self._reviews = reviews
        self._known: Remembered[bytes, _Found] = Remembered(lambda found: found.identity is not None)
        self._failures = 0

    def known(self, header: bytes | None) -> Identity | None:
        """The caller, if that can be said without asking anybody."""
        if header is None or header[:7].lower() != b"bearer ":
            return None
        found = self._known.known(hashlib.sha256(header[7:].strip()).digest())
        return found.identity if found is not None else None

    async def identity(self, header: bytes | None) -> Identity:
        """The caller behind an Authorization header.

        Raises:
            Refused: UNAUTHENTICATED; UNAVAILABLE if the API server does not answer.
        """
        if header is None or header[:7].lower() != b"bearer ":
            raise _unauthenticated("the call carries no bearer token")
        if len(header) > TOKEN_BYTES:
            raise _unauthenticated("the token is too long to be one")
        token = header[7:].strip()
        found = await self._known.get(hashlib.sha256(token).digest(), lambda: self._review(token))
        if found.identity is None:
            raise _unauthenticated("the API server does not accept the token")
        return found.identity

    async def _review(self, token: bytes) -> _Found:
        try:
            text = token.decode("ascii")
        except UnicodeDecodeError:
            return _Found(None)
        return _Found(await self._reviews.review(text) if text else None)

    async def check(self) -> None:
        """Identities can be verified now, and could be all the time since the last check.

        Raises:
            ClusterUnavailable: no.
        """
        await self._reviews.review("is-anybody-there")
        failed, self._failures = self._known.failures - self._failures, self._known.failures
        if failed:
            raise ClusterUnavailable(f"{failed} tokens could not be verified")


def _unauthenticated(message: str) -> Exception:
    return refusal(
        Code.UNAUTHENTICATED,
        message,
        hint="send a service account's token that is not expired and has makima's audience "
        "(kubectl create token NAME --audience=makima.dev)",
    )
