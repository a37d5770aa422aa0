"""Which pages may open a stream: a browser sends its user's rights along with any page's WebSocket."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import Scope

from makima.http.bodies import header
from makima.models.wire.problem import Code
from makima.services.refusals import refusal


def must_be_allowed(scope: Scope, allowed: tuple[str, ...]) -> None:
    """The page that asks is the API's own, or is listed. Without an Origin no browser asks.

    Raises:
        Refused: FORBIDDEN.
    """
    origin = header(scope, b"origin")
    if origin is None:
        return
    text = origin.decode("latin-1").lower()
    host = (header(scope, b"host") or b"").decode("latin-1").lower()
    if text not in allowed and not (host and _host_of(text) == host):
        raise refusal(
            Code.FORBIDDEN,
            f"pages of {text[:128]} may not open this stream",
            hint="an administrator can add the origin to allowed_origins under [api]",
        )


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
