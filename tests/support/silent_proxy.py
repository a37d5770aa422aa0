"""A TCP proxy that can go silent: connections stay open, nothing comes through any more."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from makima.sandbox import Sandbox
from makima.sandbox.certificates import Authority
from tests.support.operator_process import OPERATOR_USER
from tests.support.own_process import MAKIMA_GROUPS

WATCHES = b"watch=true"
"""In the request of every watch."""


@dataclass
class Line:
    """One client's connection: what it said last, and whether anything still comes through."""

    said: bytes = b""
    silent: bool = False


class SilentProxy:
    """Stands between a client and a server on loopback; with two TLS contexts it can read what it passes on."""

    def __init__(
        self, host: str, port: int, outside: ssl.SSLContext | None = None, inside: ssl.SSLContext | None = None
    ) -> None:
        self._target, self._outside, self._inside = (host, port), outside, inside
        self._lines: dict[asyncio.Task[None], Line] = {}
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._outside)
        self.port = self._server.sockets[0].getsockname()[1]

    def go_silent(self, saying: bytes = b"") -> None:
        """Connections that are open now carry nothing from here on; new ones work.

        Args:
            saying: only those whose last request holds this.
        """
        for line in self._lines.values():
            line.silent = line.silent or saying in line.said

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        pumps = list(self._lines)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the loop's next turn

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._target, ssl=self._inside)
        except OSError:
            writer.close()
            return
        line = Line()
        for source, sink in ((reader, upstream_writer), (upstream_reader, writer)):
            pump = asyncio.create_task(self._pump(line, source, sink, asked=source is reader))
            self._lines[pump] = line
            pump.add_done_callback(self._lines.pop)

    async def _pump(self, line: Line, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, asked: bool) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    line.said = data if asked else line.said
                    if line.silent:
                        continue  # swallowed
                    sink.write(data)
                    await sink.drain()
        finally:
            sink.close()


@contextlib.asynccontextmanager
async def through_proxy(
    sandbox: Sandbox, folder: Path, *, reading: bool = False
) -> AsyncIterator[tuple[SilentProxy, Path]]:
    """A proxy before the API server, and a kubeconfig of the operator's account that goes through it.

    Args:
        sandbox: whose API server.
        folder: for the kubeconfig.
        reading: whether the proxy can tell requests apart. If not, silence takes TLS's own goodbyes too, as a firewall
            that drops packets does.
    """
    account = sandbox.cluster.kubeconfig_for(OPERATOR_USER, MAKIMA_GROUPS)
    config = yaml.safe_load(account.read_text())
    host, _, port = sandbox.cluster.server_url.removeprefix("https://").partition(":")
    proxy = SilentProxy(host, int(port), *(_contexts(sandbox, config["users"][0]["user"]) if reading else ()))
    await proxy.start()
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
    kubeconfig = folder / "through-proxy.yaml"
    kubeconfig.write_text(yaml.safe_dump(config))
    try:
        yield proxy, kubeconfig
    finally:
        await proxy.stop()


def _contexts(sandbox: Sandbox, user: dict[str, Any]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """To be taken for the API server by the user, and for the user by the API server."""
    authority = Authority(sandbox.folder / "pki", "ca")
    serving = authority.server("kube-apiserver")
    outside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    outside.load_cert_chain(serving.certificate, serving.key)
    inside = ssl.create_default_context(cafile=authority.certificate)
    inside.load_cert_chain(user["client-certificate"], user["client-key"])
    return outside, inside
