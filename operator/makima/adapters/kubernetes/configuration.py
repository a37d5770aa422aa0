"""Which cluster is talked to, by which way and with which credential: a kubeconfig's, or the pod's own account."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config

from makima.adapters.kubernetes.kubeconfig import Renewal, loader_of
from makima.errors import MakimaError

IN_POD = "KUBERNETES_SERVICE_HOST"


class NoCluster(MakimaError):
    """There is no kubeconfig that could be used."""


async def load_configuration(kubeconfig: Path | None = None, context: str | None = None) -> Configuration:
    """The connection settings of a kubeconfig and context, or of the pod that this runs in.

    Raises:
        NoCluster: neither is to be had.
    """
    configuration = Configuration()
    try:
        if kubeconfig is None and context is None and IN_POD in os.environ and not os.environ.get("KUBECONFIG"):
            load_incluster_config(client_configuration=configuration)
        else:
            loader = loader_of(kubeconfig, context)
            await loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
            # It travels with the configuration: who makes the connection knows nothing of where that came from.
            configuration.makima_renewal = Renewal(loader) if loader.has_plugin else None
    except (ConfigException, OSError) as error:
        hint = 'name a kubeconfig (KUBECONFIG), or start a trial cluster: eval "$(makima sandbox env)"'
        raise NoCluster(f"no cluster to talk to: {error}", hint=hint) from None
    configuration.connection_pool_maxsize = 64
    configuration.retries = None
    configuration.proxy = configuration.proxy or environment_proxy(str(configuration.host))
    return configuration


def environment_proxy(url: str) -> str | None:
    """The proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for this address."""
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)
