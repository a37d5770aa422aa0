"""`python -m makima.sandbox.node.service_proxy FOLDER`: services and their names, for the pods of one node.

A proxy in user space, as kube-proxy once was: it listens on each service's address and hands connections to a ready
pod. It stands for kube-proxy and CoreDNS, which need nftables on the machine and minutes of building. TCP only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import ssl
import struct
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from makima.sandbox.node.layout import Layout
from makima.sandbox.node.log import tell
from makima.sandbox.node.name_server import answer
from makima.sandbox.node.services import Address, Directory, directory

REFRESH_SECONDS = 1.0
CALL_SECONDS = 5.0
CONNECT_SECONDS = 3.0
PIECE = 65536


class ApiReader:
    """Lists services and EndpointSlices with the certificate of system:kube-proxy, who may do just that."""

    def __init__(self, kubeconfig: Path) -> None:
        known = json.loads(kubeconfig.read_text())
        cluster, user = known["clusters"][0]["cluster"], known["users"][0]["user"]
        self._server = cluster["server"]
        self._trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self._trust.load_cert_chain(user["client-certificate"], user["client-key"])

    def read(self) -> Directory:
        """What there is now.

        Raises:
            OSError: the API server does not answer.
        """
        services = self._items("/api/v1/services?resourceVersion=0")
        return directory(services, self._items("/apis/discovery.k8s.io/v1/endpointslices?resourceVersion=0"))

    def _items(self, path: str) -> list[dict[str, Any]]:
        url = self._server + path
        with urllib.request.urlopen(url, timeout=CALL_SECONDS, context=self._trust) as answered:  # noqa: S310  # https
            items: list[dict[str, Any]] = json.load(answered)["items"]
        return items


@dataclass
class ServiceProxy:
    """Listens where services are."""

    known: Directory = field(default_factory=Directory)
    listening: dict[Address, asyncio.Server] = field(default_factory=dict)

    async def follow(self, known: Directory) -> None:
        """Listen for what is new, stop listening for what is gone; open connections stay."""
        self.known = known
        for gone in self.listening.keys() - known.endpoints.keys():
            self.listening.pop(gone).close()
        for new in known.endpoints.keys() - self.listening.keys():
            with contextlib.suppress(OSError):  # taken by a program of the node: tried again
                self.listening[new] = await asyncio.start_server(self._handler(new), *new)

    def _handler(self, service: Address) -> Any:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await self._carry(service, reader, writer)
            except (OSError, TimeoutError):
                _reset(writer)

        return handle

    async def _carry(self, service: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Between a caller and the first endpoint, in random order, that takes the connection."""
        there_reader, there_writer = await self._connect(service)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, there_writer))
                both.create_task(_pump(there_reader, writer))
        except* OSError:
            _reset(there_writer)
            _reset(writer)
        finally:
            there_writer.close()
            writer.close()

    async def _connect(self, service: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        endpoints = list(self.known.endpoints.get(service, ()))
        random.shuffle(endpoints)
        for endpoint in endpoints:
            with contextlib.suppress(OSError, TimeoutError):
                return await asyncio.wait_for(asyncio.open_connection(*endpoint), CONNECT_SECONDS)
        raise ConnectionRefusedError(f"no endpoint of {service} takes connections")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close without goodbye (SO_LINGER 0 sends RST): nobody may take this for a complete answer."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Until the end of file, which is passed on: half-closed connections work."""
    while piece := await source.read(PIECE):
        target.write(piece)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()


class _Names(asyncio.DatagramProtocol):
    def __init__(self, proxy: ServiceProxy) -> None:
        self._proxy = proxy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # its real class says so from 3.12 on only

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        answered = answer(data, self._proxy.known.names)
        if answered is not None:
            self._transport.sendto(answered, addr)


async def serve(layout: Layout) -> None:
    """Follow the API server for ever; while it is away, what was known last holds."""
    reader, proxy = ApiReader(layout.proxy_kubeconfig), ServiceProxy()
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: _Names(proxy), local_addr=(str(layout.addresses.node), 53))
    failing = False
    while True:
        try:
            await proxy.follow(await asyncio.to_thread(reader.read))
            failing = False
        except OSError as error:
            if not failing:
                tell(f"services can't be read, the last known are used: {error}")
            failing = True
        await asyncio.sleep(REFRESH_SECONDS)


if __name__ == "__main__":
    asyncio.run(serve(Layout.read(Path(sys.argv[1]))))
