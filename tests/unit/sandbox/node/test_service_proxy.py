"""Connections to a service, carried to its pods (on loopback, whose addresses are all there)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from makima.sandbox.node.service_proxy import ServiceProxy
from makima.sandbox.node.services import Directory
from makima.sandbox.server_process import free_port

SECONDS = 10


@pytest.fixture
async def pod() -> AsyncIterator[tuple[str, int]]:
    """Says back what it was sent, once the sender has closed its half."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"pod: " + await reader.read())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.2", 0)
    yield server.sockets[0].getsockname()
    server.close()


@pytest.fixture
async def proxy() -> AsyncIterator[ServiceProxy]:
    """Stops listening at the end."""
    proxy = ServiceProxy()
    yield proxy
    await proxy.follow(Directory())


async def ask(service: tuple[str, int], text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*service)
    writer.write(text)
    writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), SECONDS)
    finally:
        writer.close()


async def test_connections_reach_a_pod_and_half_closing_is_passed_on(pod: tuple[str, int], proxy: ServiceProxy) -> None:
    service, dead = ("127.0.0.9", free_port()), ("127.0.0.3", free_port())
    await proxy.follow(Directory({service: (dead, pod)}))
    sent = b"x" * 1_000_000
    assert await asyncio.gather(*(ask(service, sent) for _ in range(4))) == [b"pod: " + sent] * 4


async def test_services_come_and_go(pod: tuple[str, int], proxy: ServiceProxy) -> None:
    service = ("127.0.0.9", free_port())
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*service)
    await proxy.follow(Directory({service: (pod,)}))
    assert await ask(service, b"1") == b"pod: 1"
    await proxy.follow(Directory())
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*service)


async def test_a_service_whose_pods_are_all_gone_resets_the_connection(proxy: ServiceProxy) -> None:
    service = ("127.0.0.9", free_port())
    await proxy.follow(Directory({service: (("127.0.0.3", free_port()),)}))
    with pytest.raises(ConnectionResetError):
        await ask(service, b"1")


async def test_an_address_that_is_taken_is_tried_again(pod: tuple[str, int], proxy: ServiceProxy) -> None:
    known = Directory({pod: ()})
    await proxy.follow(known)
    assert proxy.listening == {}
    await proxy.follow(known)
    assert proxy.known == known
