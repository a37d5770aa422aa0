"""A TLS connection ends with its session, though the server says nothing and the loop ends right after."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from makima.sandbox.certificates import Authority
from makima.tls_connections import WAITS_FOR_THE_SERVER, tls_connector

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@pytest.fixture
def silent_server(tmp_path: Path) -> Iterator[str]:
    """Answers one call, says that it is the last, and then neither reads nor closes until the test is over."""
    pair = Authority(tmp_path, "ca").server("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        with context.wrap_socket(listening.accept()[0], server_side=True) as connection:
            connection.recv(65536)
            connection.sendall(ANSWER)
            over.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        thread.join()


def left_open(url: str, trust: ssl.SSLContext, *, ours: bool) -> list[str]:
    """What is collected unclosed after one call, its session and its loop are over."""

    async def call() -> None:
        connector = tls_connector(trust) if ours else aiohttp.TCPConnector(ssl=trust)
        async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as answer:
            assert await answer.text() == "ok"

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(call())
        gc.collect()
    return [str(warning.message) for warning in told if warning.category is ResourceWarning]


@pytest.mark.parametrize(
    "ours",
    [
        True,
        pytest.param(False, marks=pytest.mark.skipif(not WAITS_FOR_THE_SERVER, reason="this Python ends them itself")),
    ],
)
def test_nothing_is_left_open(silent_server: str, tmp_path: Path, *, ours: bool) -> None:
    found = left_open(silent_server, ssl.create_default_context(cafile=tmp_path / "ca.crt"), ours=ours)
    assert [text for text in found if "unclosed transport" in text] == [] if ours else found
