"""How kopf talks to the API server: its session, and what becomes of silence and of lists that are too old."""

from __future__ import annotations

import dataclasses
from typing import cast

import aiohttp
import kopf

from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.kopf_listing import begin_again, lists
from makima.adapters.kubernetes.silence import SilenceNoticed
from makima.config import Config
from makima.services.control_loop.work_queue import WorkQueue
from makima.tls_connections import tls_connector


@dataclasses.dataclass(frozen=True, kw_only=True)
class WatchSession(kopf.AiohttpSession):
    """A session of our own for kopf. Equal is what has equal credentials: kopf takes none again that were refused."""

    aiohttp_session: aiohttp.ClientSession = dataclasses.field(compare=False)
    credentials: kopf.ConnectionInfo


async def watch_session(config: Config, queue: WorkQueue) -> WatchSession:
    """The operator's own credentials as they are now, and a session with them; kopf closes it.

    Args:
        config: says where the credentials are, and after which silence a watch is opened again.
        queue: of contracts; it is told how far their listing is.
    """

    async def came(response: aiohttp.ClientResponse) -> None:
        await begin_again(response)
        page = lists(response, "contracts")
        if page is not None:
            queue.listed(all_of_it=not page)

    credentials = await _credentials(config)
    session = aiohttp.ClientSession(
        connector=tls_connector(credentials.as_ssl_context(), limit=0),
        headers=credentials.as_http_headers(),
        raise_for_status=came,
    )
    noticed = cast("aiohttp.ClientSession", SilenceNoticed(session, config.operator.watch_inactivity_seconds))
    return WatchSession(server=credentials.server, aiohttp_session=noticed, credentials=credentials)


async def _credentials(config: Config) -> kopf.ConnectionInfo:
    found = await load_configuration(config.kubeconfig, config.context)
    header = await found.get_api_key_with_prefix("BearerToken", alias="authorization")
    scheme, _, token = (header or "").rpartition(" ")
    return kopf.ConnectionInfo(
        server=found.host,
        ca_path=found.ssl_ca_cert,
        insecure=not found.verify_ssl,
        scheme=scheme or None,
        token=token or None,
        certificate_path=found.cert_file,
        private_key_path=found.key_file,
    )
