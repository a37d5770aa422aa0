"""Connections: heads of bounded size, and, where only the front proxy may come in, a look at who came."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from makima.http.problems import JSON, envelope
from makima.models.wire.problem import Code, Problem
from makima.services.access.front_proxy import FrontProxy

HEAD_BYTES = 64 * 1024
"""Longest head of a call: address and headers. Somebody in a thousand groups has half of that."""

log = logging.getLogger(__name__)


class BoundedHead(HttpToolsProtocol):
    """Ends a connection whose head does not end; the parser would keep on collecting it."""

    _in_head = False
    _head_bytes = 0

    def on_message_begin(self) -> None:
        """The first byte of a call."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """The last byte of its head."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Some more bytes; the head counts from the first read that does not have all of it."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self._refuse()

    def _refuse(self) -> None:
        problem = Problem(
            code=Code.TOO_LARGE,
            message=f"address and headers have more than {HEAD_BYTES} bytes",
            hint="send shorter ones",
        )
        body = envelope(problem)
        head = f"content-type: {JSON}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[Code.TOO_LARGE.http_status] + head.encode() + body)
        self.transport.close()


def from_front_proxy(front_proxy: Callable[[], FrontProxy | None]) -> type[BoundedHead]:
    """Connections of the front proxy only: TLS has checked who signed the certificate, this checks its name."""

    class FromFrontProxy(BoundedHead):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
            super().connection_made(transport)
            proxy, name = front_proxy(), common_name(transport.get_extra_info("peercert"))
            if proxy is None or not proxy.admits(name):
                log.warning("turned away: a certificate for %r, which is not the front proxy's name", name)
                transport.abort()

    return FromFrontProxy


def common_name(certificate: dict[str, Any] | None) -> str | None:
    """The common name in a certificate, as Python's ssl gives it."""
    subject = (certificate or {}).get("subject", ())
    return next((value for part in subject for key, value in part if key == "commonName"), None)
