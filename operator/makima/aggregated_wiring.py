"""The listener of the aggregated API, put together: a part of the API service that has a port and a certificate."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.types import ASGIApp

from makima.adapters.kubernetes.connection import Connection, load_configuration
from makima.adapters.kubernetes.front_proxy_config import FrontProxyConfig
from makima.config import Config, ConfigInvalid
from makima.http.aggregated import Aggregated
from makima.http.front_proxy_tls import FrontProxyTls
from makima.http.server import front_proxy_server, listener, serve
from makima.services.front_proxy import FrontProxy
from makima.services.front_proxy_follow import FrontProxyFollow


class AggregatedApi:
    """Serves an application to the front proxy.

    Attributes:
        port: where it listens.
    """

    def __init__(self, config: Config, connection: Connection, app: ASGIApp, certificate: Path, key: Path) -> None:
        self._connection, self._tls = connection, FrontProxyTls(certificate, key)
        self._follow = FrontProxyFollow(FrontProxyConfig(connection), config.api.front_proxy_seconds, self._refresh)
        self._server = front_proxy_server(Aggregated(app, self._front_proxy), self._tls, self._front_proxy)
        self._sock = listener(config.api.bind_address, config.api.aggregated_port)
        self.port: int = self._sock.getsockname()[1]
        self._serving: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Serve; who the front proxy is may become known later."""
        self._serving = asyncio.create_task(serve(self._server, self._sock))
        self._follow.start()

    def end(self) -> None:
        """Accept nothing more, and let calls under way end."""
        self._server.stop()

    async def stop(self) -> None:
        """End, and wait for it."""
        self.end()
        await self._follow.stop()
        if self._serving is not None:
            await self._serving
        self._sock.close()
        await self._connection.close()

    def _front_proxy(self) -> FrontProxy | None:
        return self._follow.current

    def _refresh(self, proxy: FrontProxy | None) -> None:
        if self._tls.refresh(proxy) and self._server.started:
            self._server.shed()  # who came in by the old trust comes in again, or not


async def aggregated_api(config: Config, app: ASGIApp) -> AggregatedApi | None:
    """The listener as configured; None where no certificate is.

    Raises:
        ConfigInvalid: only one of certificate and key is there, or they can't be used.
        NoCluster: no API server to ask for its front proxy.
    """
    certificate, key = config.api.aggregated_certificate, config.api.aggregated_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigInvalid("[api] aggregated_certificate and aggregated_key belong together", "set both, or neither")
    connection = Connection(await load_configuration(config.kubeconfig, config.context), "makima-api-front-proxy")
    try:
        return AggregatedApi(config, connection, app, certificate, key)
    except OSError as error:
        await connection.close()
        raise ConfigInvalid(
            f"the aggregated API can't be served: {error}",
            "look at aggregated_port, aggregated_certificate and aggregated_key in [api]",
        ) from None
