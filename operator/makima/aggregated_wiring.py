"""The aggregated API, put together: its listener in the API service, and its registration with the API server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from starlette.types import ASGIApp

from makima.adapters.kubernetes.api_registration import (
    AVAILABLE_SECONDS,
    certificate_in,
    register,
    trusted_now,
    unregister,
)
from makima.adapters.kubernetes.apply import apply_manifests
from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.front_proxy_config import FrontProxyConfig
from makima.adapters.serving_certificate import make_serving_certificate, serves
from makima.config import Config, ConfigInvalid
from makima.http.aggregated import Aggregated
from makima.http.front_proxy_tls import FrontProxyTls
from makima.http.server import front_proxy_server, listener, serve
from makima.schema.aggregated_api import (
    LOCAL_SERVICE,
    render_api_service,
    render_local_service,
    render_secret,
    render_service,
    serving_name,
)
from makima.services.access.front_proxy import FrontProxy
from makima.services.access.front_proxy_follow import FrontProxyFollow


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


async def install_aggregated_api(
    kubeconfig: Path | None = None, context: str | None = None, *, seconds: float = AVAILABLE_SECONDS
) -> list[str]:
    """Make the listener's certificate, keep it as a Secret for the API service's pods, and register the aggregated API.

    A certificate that is good for more than a year is kept. While a new one makes its way into the pods, the API server
    takes the old one too.

    Args:
        kubeconfig: of an administrator.
        context: in it.
        seconds: to wait for an answer.

    Returns:
        What was applied, as Kind/name.

    Raises:
        NotAnswering: no API service answers (yet); Secret and Service stay, for its pods to start with.
    """
    now = datetime.now(UTC)
    async with Connection(await load_configuration(kubeconfig, context), "makima-install") as connection:
        kept = await certificate_in(connection, render_secret(b"", b""))
        wanted = [render_service()]
        trusted = kept
        if not serves(kept, serving_name(), now):
            made = make_serving_certificate([serving_name()], now)
            wanted = [render_secret(made.certificate, made.key), *wanted]
            trusted = made.certificate + await trusted_now(connection, render_api_service())
        done = await apply_manifests(connection, wanted)
        await register(connection, render_api_service(trusted), seconds)
        return [*done, f"APIService/{render_api_service()['metadata']['name']}"]


async def connect_local_api(
    kubeconfig: Path, certificate: bytes, port: int, *, seconds: float = AVAILABLE_SECONDS
) -> None:
    """Register a `makima api` on the API server's own machine.

    Args:
        kubeconfig: of an administrator.
        certificate: of its listener, PEM.
        port: of its listener.
        seconds: to wait for an answer.

    Raises:
        NotAnswering: it does not answer.
    """
    api_service = render_api_service(certificate, LOCAL_SERVICE, port)
    async with Connection(await load_configuration(kubeconfig), "makima-sandbox") as connection:
        await apply_manifests(connection, [render_local_service()])
        await register(connection, api_service, seconds)


async def disconnect_api(kubeconfig: Path) -> bool:
    """Take the registration away; false where there is none."""
    async with Connection(await load_configuration(kubeconfig), "makima-sandbox") as connection:
        return await unregister(connection, render_api_service())
