"""uvicorn, as the API service needs it: no signals of its own, and no connection that outlives its welcome."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
import websockets.http11
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from makima.http.bodies import limit_of
from makima.http.connection import HEAD_BYTES, BoundedHead, from_front_proxy
from makima.http.front_proxy_tls import FrontProxyTls
from makima.models.wire.message import MESSAGE_BYTES
from makima.services.access.front_proxy import FrontProxy

GOODBYE_SECONDS = 3.0
"""How long a client may take to read the end of a stream."""

GRACE_SECONDS = 10
"""How long calls that are under way may take when the process ends."""

BACKLOG = 2048

websockets.http11.MAX_NUM_HEADERS = HEAD_BYTES // 16
"""The front proxy sends a header for each group of the caller, and websockets takes 128 unless told (officially by an
environment variable). The length of a head bounds them all the same."""


FRAME_BYTES = 2 * MESSAGE_BYTES
"""Longest frame until a stream is accepted, and so of whom nobody knows yet. Afterwards too, unless the stream's frames
may be longer: what is somewhat too long is answered in words by whoever reads it."""


class EndsForGood(WebSocketsSansIOProtocol):
    """A stream's connection ends soon after the stream does, also where the client never reads what was sent."""

    async def send(self, message: Any) -> None:
        """Send what the application says; once it accepted the stream, frames may be as long as the stream's are."""
        if message["type"] == "websocket.accept":
            self.conn.max_message_size = max(FRAME_BYTES, limit_of(self.scope["path"]))
        await super().send(message)

    async def run_asgi(self) -> None:
        """Serve the stream."""
        await super().run_asgi()
        self.loop.call_later(GOODBYE_SECONDS, self._abort)

    def _abort(self) -> None:
        if not self.disconnected:
            self.transport.abort()


class Server(uvicorn.Server):
    """Stops when told by `stop`."""

    def shed(self) -> None:
        """End the connections that there are now: idle ones at once, the others by the end of the grace period."""
        now = list(self.server_state.connections)
        for connection in now:
            connection.shutdown()
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._abort, now)

    def _abort(self, connections: list[Any]) -> None:
        for connection in self.server_state.connections.intersection(connections):
            connection.transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process's own business: buffers are flushed after the last connection is closed."""
        yield

    def stop(self) -> None:
        """Accept nothing more, let calls under way end, and return from `serve`."""
        self.should_exit = True


def listener(address: str, port: int) -> socket.socket:
    """A socket that listens; port 0 = any free one.

    Raises:
        OSError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((address, port))
        found.listen(BACKLOG)
        found.setblocking(False)
    except OSError:
        found.close()
        raise
    return found


def server(app: ASGIApp, certificate: Path | None, key: Path | None) -> Server:
    """A server for the application; with certificate and key it speaks TLS."""
    return Server(_config(app, BoundedHead, ssl_certfile=certificate, ssl_keyfile=key))


def front_proxy_server(app: ASGIApp, tls: FrontProxyTls, front_proxy: Callable[[], FrontProxy | None]) -> Server:
    """A server that only the front proxy gets into."""
    config = _config(app, from_front_proxy(front_proxy))
    config.load()
    config.ssl = tls.context()
    return Server(config)


def _config(app: ASGIApp, connection: type[BoundedHead], **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http=connection,
        ws=EndsForGood,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        ws_max_size=FRAME_BYTES,
        ws_max_queue=4,
        ws_per_message_deflate=False,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
        **more,
    )


async def serve(found: Server, sock: socket.socket) -> None:
    """Serve until stopped; the socket is closed at the end."""
    try:
        await found.serve(sockets=[sock])
    finally:
        await asyncio.sleep(0)
        sock.close()
