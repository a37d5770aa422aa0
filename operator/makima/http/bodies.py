"""Bodies, read with a limit and a deadline: what is too long is refused before it is in memory."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import Receive, Scope, Send

from makima.http.problems import JSON, too_large
from makima.models.wire.message import MESSAGE_BYTES, STATE_BYTES
from makima.services.refusals import unavailable

BODY_SECONDS = 30.0
"""Longest wait for the rest of a body."""

DISCARDED = 16 * 1024 * 1024
DISCARD_SECONDS = 15.0
"""How much, and how long, is still read of a body that is too long, and thrown away. A client that is cut off while it
sends gets a reset connection instead of the answer that tells it why."""

LARGE = (
    "/supervisor/state",
    "/supervisor/messages",
    "/supervisor/checkpoints",
    "/supervisors/heartbeats",
    "/supervisors/stream",
)
"""Ends of the paths whose calls, and whose stream's frames, carry more."""


class ClientGone(Exception):
    """The client closed the connection in the middle of its body."""


NEW_CONTRACT = "/api/v1/contracts"
NEW_CONTRACT_BYTES = 1024 * 1024
"""With every pod template that a contract may have; the API server takes no larger one."""


def limit_of(path: str) -> int:
    """Bytes that a body for this path, or a frame of its stream, may have."""
    if path == NEW_CONTRACT:
        return NEW_CONTRACT_BYTES
    return STATE_BYTES if path.endswith(LARGE) else MESSAGE_BYTES


def header(scope: Scope, name: bytes) -> bytes | None:
    """A header of the request."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body.

    Raises:
        Refused: TOO_LARGE, at the first byte too many; UNAVAILABLE, it did not come in time.
        ClientGone: nobody is left to be answered.
    """
    announced = header(scope, b"content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit:
        await _discard(receive)
        raise too_large(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if message.get("more_body", False):
        body = await _read_rest(receive, body, limit)
    if len(body) > limit:
        raise too_large(limit)
    return body


async def _read_rest(receive: Receive, body: bytes, limit: int) -> bytes:
    parts, size, more = [body], len(body), True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more and size <= limit:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                more = message.get("more_body", False)
    except TimeoutError:
        raise unavailable(f"the body did not come within {BODY_SECONDS:g} s") from None
    if more:
        await _discard(receive)
    return b"".join(parts)


async def _discard(receive: Receive) -> None:
    """Read on for a while without keeping anything."""
    size, more = 0, True
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while more and size <= DISCARDED:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)


async def respond(send: Send, status: int, body: bytes, headers: list[tuple[str, str]] | None = None) -> None:
    """Send an answer of JSON."""
    every = [(b"content-type", JSON.encode()), (b"content-length", str(len(body)).encode())]
    every += [(key.encode(), value.encode()) for key, value in headers or ()]
    if status == 413:
        every.append((b"connection", b"close"))  # the rest of a very long body is not read
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})
