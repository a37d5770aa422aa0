"""One person at work: the cluster as they may use it, and makima's API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from makima.client.api import Api
from makima.client.api_opening import open_api
from makima.client.cluster import Cluster
from makima.client.place import Place, namespace_of


@dataclass(frozen=True, slots=True)
class Person:
    """What a person works with.

    Attributes:
        cluster: the Kubernetes API.
        api: makima's API; nothing is asked of it before it is used, so it may be away.
        namespace: to work in where none is named.
    """

    cluster: Cluster
    api: Api
    namespace: str


@asynccontextmanager
async def connect(place: Place) -> AsyncIterator[Person]:
    """A connection by the kubeconfig; no call is made yet.

    Raises:
        makima.adapters.kubernetes.configuration.NoCluster: there is no kubeconfig that could be used.
    """
    from makima.adapters.kubernetes.configuration import load_configuration  # noqa: PLC0415  # a second
    from makima.adapters.kubernetes.connection import Connection  # noqa: PLC0415  # a second

    configuration = await load_configuration(place.kubeconfig, place.context)
    async with AsyncExitStack() as ends:
        connection = await ends.enter_async_context(Connection(configuration, "makima-cli"))
        api = await open_api(place, connection, ends)
        yield Person(Cluster(connection), api, namespace_of(place))
