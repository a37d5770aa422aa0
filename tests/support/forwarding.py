"""A port of this machine at another of its addresses: how pods reach a Postgres that listens on loopback."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

CHUNK = 65536


@contextmanager
def forwarded(address: str, port: int, at: int = 0) -> Iterator[int]:
    """Forward a port at the address (`at`, else a free one) to the port on loopback for this block; its end cuts it.

    Gives that port.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as inside:
                back = threading.Thread(target=_copy, args=(inside, self.request), daemon=True)
                back.start()
                _copy(self.request, inside)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True
        request_queue_size = 64
        block_on_close = False

        def get_request(self) -> tuple[socket.socket, Any]:
            found = super().get_request()
            taken.append(found[0])
            return found

    taken: list[socket.socket] = []
    with Server((address, at), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()
        for one in taken:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
