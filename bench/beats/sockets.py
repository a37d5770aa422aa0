"""One exchange at a time over one socket, by HTTP/1.1 or as a WebSocket, with next to no work for each.

A client library would cost more than the server: the load generator has to leave the cores to what is measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

ANSWER_SECONDS, CONNECT_SECONDS = 30.0, 10.0
BATCH_PATH, STREAM_PATH = "/api/v1/supervisors/heartbeats", "/api/v1/supervisors/stream"
OnAnswer = Callable[[int, bytes], None]
"""Called with the HTTP status (a frame: 200) and the body."""

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
UNMASKED = b"\0\0\0\0"
"""A mask that changes nothing: masking 50 kB in Python would be most of the load generator's work."""


class HttpSocket(asyncio.Protocol):
    """A connection that is kept alive."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._buffer = b""
        self._body_at = self._until = 0
        self.on_answer: OnAnswer = lambda _status, _body: None
        self.on_lost: Callable[[str], None] = lambda _why: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side ended it."""
        self.on_lost(f"the connection was lost: {exc}")

    def send(self, data: bytes) -> None:
        """Send a request."""
        self._transport.write(data)

    def close(self) -> None:
        """End it; nothing more is told."""
        self.on_lost = lambda _why: None
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Some bytes of the answer."""
        self._buffer = buffer = self._buffer + data if self._buffer else data
        if not self._until:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            at = buffer.index(b"content-length: ") + 16
            self._body_at = end + 4
            self._until = self._body_at + int(buffer[at : buffer.index(b"\r\n", at)])
        if len(buffer) >= self._until:
            body = buffer[self._body_at : self._until]
            self._buffer, self._until = buffer[self._until :], 0
            self.on_answer(int(buffer[9:12]), body)


class StreamSocket(HttpSocket):
    """A WebSocket, once `open` was sent and the server has agreed."""

    def __init__(self, host: str, path: str, token: str) -> None:
        super().__init__()
        self._handshake = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: bWFraW1hLWJlbmNoLTAwMQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        self._open = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        super().connection_made(transport)
        self._transport.write(self._handshake)

    def send(self, data: bytes) -> None:
        """Send a text frame."""
        self._frame(TEXT, data)

    def _frame(self, opcode: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            length = bytes((0x80 | size,))
        elif size < 65536:
            length = b"\xfe" + size.to_bytes(2, "big")
        else:
            length = b"\xff" + size.to_bytes(8, "big")
        self._transport.write(b"".join((bytes((0x80 | opcode,)), length, UNMASKED, data)))

    def data_received(self, data: bytes) -> None:
        """Some bytes of the answer to the handshake, or of frames."""
        self._buffer += data
        if not self._open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if self._buffer[9:12] != b"101":
                self.on_lost(f"no stream: {self._buffer[:300]!r}")
                return
            self._open, self._buffer = True, self._buffer[end + 4 :]
            self.opened.set_result(None)
        while self._take():
            pass

    def _take(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        size, at = buffer[1], 2
        if size >= 126:
            at = 4 if size == 126 else 10
            if len(buffer) < at:
                return False
            size = int.from_bytes(buffer[2:at], "big")
        if len(buffer) < at + size:
            return False
        opcode, payload = buffer[0] & 15, buffer[at : at + size]
        self._buffer = buffer[at + size :]
        if opcode == TEXT:
            self.on_answer(200, payload)
        elif opcode == PING:
            self._frame(PONG, payload)
        elif opcode == CLOSE:
            self.on_lost(f"the server closed the stream: {payload!r}")
        return True
