"""How calls get to makima's API: through the Kubernetes API server, or to an address with a bearer token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

if TYPE_CHECKING:
    import aiohttp

    from makima.adapters.kubernetes.connection import Connection

Query = Mapping[str, str] | Sequence[tuple[str, str]]
"""Query parameters; pairs where one is repeated."""

Token = Callable[[bool], Awaitable[str | None]]
"""Gives the bearer token of now; told True, another one if it can: the last one was refused."""

UNAUTHORIZED = 401


class Transport(Protocol):
    """How calls get there."""

    async def open(
        self, method: str, path: str, *, query: Query, headers: Mapping[str, str], body: bytes | None
    ) -> aiohttp.ClientResponse:
        """A call; the caller reads the answer, of any status."""
        ...

    async def websocket(self, path: str, query: Query) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket."""
        ...


class AggregatedTransport:
    """Through the Kubernetes API server, as whom the kubeconfig says."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def open(
        self, method: str, path: str, *, query: Query, headers: Mapping[str, str], body: bytes | None
    ) -> aiohttp.ClientResponse:
        """A call; a stream says `watch=true`, or the API server ends it after 60 s."""
        from makima.adapters.kubernetes.connection import STREAM, TIMEOUT  # noqa: PLC0415  # a second

        limits = STREAM if dict(query).get("watch") == "true" else TIMEOUT
        return await self._connection.open(method, path, data=body, query=query, headers=headers, limits=limits)

    async def websocket(self, path: str, query: Query) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket; the API server ends it after 60 s too, unless the query says `watch=true`."""
        return await self._connection.websocket(f"{path}?{urlencode(query)}")


class DirectTransport:
    """To an address, with a bearer token: that of now, as files and plugins renew theirs."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: Token) -> None:
        self._session, self._url, self._token = session, url, token

    async def open(
        self, method: str, path: str, *, query: Query, headers: Mapping[str, str], body: bytes | None
    ) -> aiohttp.ClientResponse:
        """A call; made again with another token, if there is one, where this one is known no more."""
        from makima.adapters.kubernetes.connection import STREAM, TIMEOUT  # noqa: PLC0415  # a second

        limits = STREAM if dict(query).get("watch") == "true" else TIMEOUT

        async def once(token: str | None) -> aiohttp.ClientResponse:
            every = {**headers, **_authorization(token)}
            return await self._session.request(
                method, self._url + path, data=body, params=query, headers=every, timeout=limits
            )

        token = await self._token(False)
        response = await once(token)
        another = await self._renewed(token, response.status)
        if another is None:
            return response
        response.release()
        return await once(another)

    async def websocket(self, path: str, query: Query) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket."""
        import aiohttp  # noqa: PLC0415  # heavy

        url = f"{self._url}{path}?{urlencode(query)}"
        token = await self._token(False)
        try:
            return await self._session.ws_connect(url, headers=_authorization(token), heartbeat=20)
        except aiohttp.WSServerHandshakeError as error:
            another = await self._renewed(token, error.status)
            if another is None:
                raise
            return await self._session.ws_connect(url, headers=_authorization(another), heartbeat=20)

    async def _renewed(self, token: str | None, status: int) -> str | None:
        """Another token, where this one is known no more; None = there is none, or none is needed."""
        if status != UNAUTHORIZED:
            return None
        another = await self._token(True)
        return another if another != token else None


def _authorization(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
