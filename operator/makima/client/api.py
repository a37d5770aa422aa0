"""Calls of makima's own API, by their meaning, and what their answers say went wrong.

`api_transport` has the two ways there: by the same kubeconfig (aggregated), or by an address and a bearer token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from makima.client.api_transport import Query, Transport
from makima.errors import MakimaError
from makima.models.bounds import UUID_PATTERN

if TYPE_CHECKING:
    import aiohttp

AGGREGATED = "/apis/monitor.makima.dev/v1alpha1"
DIRECT = "/api/v1"


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


API_AGAIN = 10.0
"""Seconds until an API that did not answer is asked again."""

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
