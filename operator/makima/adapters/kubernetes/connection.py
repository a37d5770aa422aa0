"""One connection to the API server, and the calls that are made over it.

Requests go past the client's generated models: a status write is plain JSON in, plain JSON out, at a third of the CPU.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import aiohttp
from kubernetes.aio.client import Configuration

from makima.adapters.kubernetes.failures import failure_of
from makima.adapters.kubernetes.kubeconfig import Renewal
from makima.adapters.kubernetes.session import Sessions
from makima.errors import ClusterUnavailable

MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
STREAM = aiohttp.ClientTimeout(total=None, connect=10, sock_read=120)
"""For watches and other streams: open for as long as something comes."""

UNKNOWN = 401
"""The API server does not know the credential."""


class Connection:
    """An HTTP session with the API server that knows how to authenticate, and whose errors are makima's own."""

    def __init__(self, configuration: Configuration, user_agent: str = "makima") -> None:
        self.configuration = configuration
        self._api = Sessions(configuration)
        self._renewal: Renewal | None = getattr(configuration, "makima_renewal", None)
        self._before: Sessions | None = None
        self._number = self._renewal.number if self._renewal is not None else 0
        self._agent = user_agent

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        for api in (self._api, self._before):
            if api is not None:
                await api.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """One call.

        Raises:
            makima.errors.ClusterError: one of its kinds, by what the API server answered.
        """
        data = json.dumps(body, separators=(",", ":")).encode() if body is not None else None
        every = {"Accept": accept, "Content-Type": content_type, **(headers or {})}
        try:
            async with await self.open(method, path, data=data, query=query, headers=every) as response:
                payload = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterUnavailable(f"the API server does not answer: {error or type(error).__name__}") from error
        if response.status >= 400:
            raise failure_of(response.status, payload, f"{method} {path}")
        answer: dict[str, Any] = json.loads(payload) if payload else {}
        return answer

    async def open(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        query: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        limits: aiohttp.ClientTimeout = TIMEOUT,
    ) -> aiohttp.ClientResponse:
        """A call whose answer is read by the caller; for watches."""
        response = await self._once(method, path, data, query, headers, limits)
        if response.status != UNKNOWN or self._renewal is None:
            return response
        response.release()
        await self._renewal.renewed(self.configuration, refused=self._number)
        return await self._once(method, path, data, query, headers, limits)

    async def _once(  # noqa: PLR0917  # what a call consists of
        self,
        method: str,
        path: str,
        data: bytes | None,
        query: Mapping[str, str] | Sequence[tuple[str, str]] | None,
        headers: Mapping[str, str] | None,
        limits: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        every, extra = await self._every_call(headers)
        response: aiohttp.ClientResponse = await self._session().request(
            method, self._url(path), data=data, params=query, headers=every, timeout=limits, **extra
        )
        return response

    async def stream(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, limits: aiohttp.ClientTimeout = STREAM
    ) -> aiohttp.ClientResponse:
        """A call whose answer goes on for long; the caller reads it.

        Raises:
            makima.errors.ClusterError: one of its kinds, by what the API server answered at the beginning.
        """
        try:
            response = await self.open(method, path, query=query, limits=limits)
            if response.status < 400:
                return response
            async with response:
                payload = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterUnavailable(f"the API server does not answer: {error or type(error).__name__}") from error
        raise failure_of(response.status, payload, f"{method} {path}")

    async def websocket(self, path: str) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket through the API server, to an aggregated API."""
        every, extra = await self._every_call(None)
        found: aiohttp.ClientWebSocketResponse = await self._session().ws_connect(
            self._url(path), headers=every, heartbeat=20, **extra
        )
        return found

    async def bearer_token(self, *, refused: bool = False) -> str | None:
        """The token that calls go with, if they go with one.

        Args:
            refused: somebody did not take the last one: a plugin is asked for another.

        Raises:
            ClusterUnavailable: the plugin gives none.
        """
        if refused and self._renewal is not None:
            await self._renewal.renewed(self.configuration, refused=self._number)
        await self._renew()
        found = await self.configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        return str(found).removeprefix("Bearer ") if found else None

    def _session(self) -> Any:
        return self._api.session()

    def _url(self, path: str) -> str:
        return str(self.configuration.host).rstrip("/") + path

    async def _every_call(self, headers: Mapping[str, str] | None) -> tuple[dict[str, str], dict[str, Any]]:
        """Headers and options that every call needs."""
        await self._renew()
        every = {"User-Agent": self._agent, **(headers or {})}
        token = await self.configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        if token:
            every["Authorization"] = token
        extra: dict[str, Any] = {}
        if self.configuration.tls_server_name:
            extra["server_hostname"] = self.configuration.tls_server_name
        if self._api.proxy:
            extra["proxy"] = self._api.proxy
        return every, extra

    async def _renew(self) -> None:
        """Take up the credential of now; new connections, where it may be another certificate."""
        if self._renewal is None:
            return
        number = await self._renewal.renewed(self.configuration)
        if number != self._number:
            self._number = number
            if self.configuration.cert_file:
                # Calls and watches of the certificate before go on; those of the one before that begin anew.
                ended, self._before = self._before, self._api
                self._api = Sessions(self.configuration)
                if ended is not None:
                    await ended.close()
