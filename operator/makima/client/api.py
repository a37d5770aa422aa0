"""makima's own API, by the same kubeconfig (aggregated) or by an address and a bearer token."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from makima.client.place import Place
from makima.errors import MakimaError
from makima.models.bounds import UUID_PATTERN

if TYPE_CHECKING:
    import aiohttp

    from makima.adapters.kubernetes.connection import Connection

AGGREGATED = "/apis/monitor.makima.dev/v1alpha1"
DIRECT = "/api/v1"

Query = Mapping[str, str] | Sequence[tuple[str, str]]
"""Query parameters; pairs where one is repeated."""


class ApiError(MakimaError):
    """makima's API did not do what was asked.

    Attributes:
        code: the plan's code, or one of ours; "" where somebody else answered in its place.
        status: HTTP status; 0 where there was no answer.
        details: for programs.
    """

    def __init__(
        self, message: str, hint: str | None = None, *, code: str = "", status: int = 0, details: Any = None
    ) -> None:
        super().__init__(message, hint)
        self.code, self.status, self.details = code, status, details or {}


class ApiUnreachable(ApiError):
    """Nobody answers there: not installed, down, or no way to it. What Kubernetes alone gives still works."""


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


UNAUTHORIZED = 401

API_AGAIN = 10.0
"""Seconds until an API that did not answer is asked again."""

Token = Callable[[bool], Awaitable[str | None]]
"""Gives the bearer token of now; told True, another one if it can: the last one was refused."""

NEWEST = 2**53
"""A number beyond that of every event: `before` it are the newest."""


class Api:
    """Calls by their meaning; the paths differ between the two ways.

    Attributes:
        where: the way, for people.
    """

    def __init__(self, transport: Transport, *, aggregated: bool, where: str) -> None:
        self.transport, self.aggregated, self.where = transport, aggregated, where

    def collection(self, rest: str = "", namespace: str | None = None) -> str:
        """Path of a call about many contracts: `""` (list), `dashboard`, `batch`, `monitor`."""
        if not self.aggregated:
            return "/".join([DIRECT, "contracts", *([rest] if rest else [])])
        place = [] if namespace is None else ["namespaces", quote(namespace, safe="")]
        return "/".join([AGGREGATED, *place, rest or "contracts"])

    def contract(self, namespace: str, name: str, rest: str = "") -> str:
        """Path of a call about one contract: the newest of that name, or the one with that UID."""
        space, one = quote(namespace, safe=""), quote(name, safe="")
        tail = [rest] if rest else []
        if self.aggregated:
            return "/".join([AGGREGATED, "namespaces", space, "contracts", one, *tail])
        return "/".join([DIRECT, "contracts", one if re.match(UUID_PATTERN, name) else f"{space}:{one}", *tail])

    async def get(self, path: str, **query: str) -> Any:
        """A read.

        Raises:
            ApiError: by what was answered; `ApiUnreachable` where nobody did.
        """
        return await self.call("GET", path, query=query)

    async def call(self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None) -> Any:
        """Any call.

        Raises:
            ApiError: by what was answered; `ApiUnreachable` where nobody did.
        """
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        response = await self.open(method, path, query=query or {}, headers=headers, body=data)
        async with response:
            payload = await response.read()
        if response.status >= 400:
            raise api_error(response.status, payload, self.where)
        return json.loads(payload) if payload else {}

    async def open(
        self,
        method: str,
        path: str,
        *,
        query: Query,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> aiohttp.ClientResponse:
        """A call whose answer the caller reads, of any status.

        Raises:
            ApiUnreachable: nobody answers.
        """
        import aiohttp  # noqa: PLC0415  # heavy

        try:
            return await self.transport.open(method, path, query=query, headers=headers, body=body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self.where, str(error) or type(error).__name__) from None


def unreachable(where: str, why: str) -> ApiUnreachable:
    """Nobody answers."""
    hint = "see whether it runs: kubectl -n makima-system get deploy makima-api; or name it: --api URL"
    return ApiUnreachable(f"makima's API ({where}) can't be reached: {why}"[:400], hint)


def api_error(status: int, payload: bytes, where: str) -> ApiError:
    """The error in an answer: makima's envelope, or a Status of the API server in between."""
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = {}
    told = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(told, dict):
        code, text = str(told.get("code", "")), str(told.get("message", ""))
        return ApiError(f"{code}: {text}", told.get("hint"), code=code, status=status, details=told.get("details"))
    text = str(answer.get("message", "")) if isinstance(answer, dict) else ""
    return _by_status(status, text or payload[:200].decode(errors="replace"), where)


def _by_status(status: int, text: str, where: str) -> ApiError:
    if status == 401:
        return ApiError(
            f"{where} does not know you: {text}", "renew the credentials", code="UNAUTHENTICATED", status=401
        )
    if status == 403:
        hint = "ask an administrator for the role makima-view in this namespace"
        return ApiError(f"FORBIDDEN: {text}", hint, code="FORBIDDEN", status=status)
    if status == 404 or status >= 500:
        found = unreachable(where, text.strip() or f"HTTP {status}")
        found.status = status
        return found
    return ApiError(f"{where} answered {status}: {text}", status=status)


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


async def open_api(place: Place, connection: Connection, ends: AsyncExitStack) -> Api:
    """The way to makima's API that the place names.

    Raises:
        MakimaError: the token file can't be read.
    """
    url = place.api_url
    if url is None:
        return Api(AggregatedTransport(connection), aggregated=True, where="the aggregated API of the cluster")
    import aiohttp  # noqa: PLC0415  # heavy

    session = await ends.enter_async_context(aiohttp.ClientSession())
    token = token_of(place, connection)
    await token(False)  # a file that can't be read is said before anything is done
    return Api(DirectTransport(session, url, token), aggregated=False, where=url)


def token_of(place: Place, connection: Connection) -> Token:
    """Where the bearer token comes from: the named file, the environment, else the kubeconfig.

    Its calls raise MakimaError: the file can't be read, or the plugin gives none.
    """
    named = place.token_file or os.environ.get("MAKIMA_TOKEN_FILE")
    given = os.environ.get("MAKIMA_TOKEN")

    async def token(refused: bool) -> str | None:
        if named:
            return _read_token(Path(named))
        return given or await connection.bearer_token(refused=refused)

    return token


def _read_token(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise MakimaError(f"the token can't be read: {error}", "see --token-file and MAKIMA_TOKEN_FILE") from None
