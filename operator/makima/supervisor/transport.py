"""One call to the API service: made again until it is answered or its deadline is over, always with the same bytes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
from pydantic import ValidationError

from makima.domain.backoff import retry_delay
from makima.errors import Superseded
from makima.models.wire.message import Message
from makima.models.wire.problem import Code, ErrorEnvelope, Problem
from makima.supervisor.errors import Refused, Unreachable
from makima.supervisor.place import Place
from makima.tls_connections import tls_connector

Answer = TypeVar("Answer", bound=Message)

ATTEMPT_SECONDS = 15.0
"""How long one try may take before it is made anew."""

ANSWER_BYTES = 64 * 1024 * 1024
"""Largest answer that is read: a restoration with its messages."""

AGAIN = frozenset({429, 500, 502, 503, 504})
"""HTTP statuses after which the same call is made again."""


class Transport:
    """Calls of one supervisor.

    Attributes:
        ended: why no call is made any more; None while calls are made.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._session: aiohttp.ClientSession | None = None
        self.ended: Superseded | None = None
        self.incarnation = 0

    async def __aenter__(self) -> Self:
        connector = tls_connector(self._place.trust(), limit=8)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, path: str, body: Message, answer: type[Answer], *, deadline: float) -> Answer:
        """POST; see `call`."""
        return await self.call("POST", path, answer, body=body, deadline=deadline)

    async def call(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        deadline: float,
        body: Message | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call until there is an answer.

        Args:
            method: GET, POST or PUT.
            path: from the root of the API service.
            answer: what a success looks like.
            deadline: seconds for all tries together.
            body: what is sent, the same with every try.
            query: parameters of the address.

        Raises:
            Superseded: a newer life carries the contract; from then on nothing is sent any more.
            Refused: the API service will never accept the call.
            Unreachable: the deadline is over.
        """
        data = body.model_dump_json(exclude_none=True).encode() if body is not None else None
        until = time.monotonic() + deadline
        failures = 0
        while True:
            left = until - time.monotonic()
            status, payload, wait = await self._try(method, path, data, query, max(left, 0.05))
            if 200 <= status < 300:
                return self._read(answer, payload, path)
            if status and status not in AGAIN:
                raise self._refusal(status, payload, path)
            failures += 1
            spread = random.uniform(0.5, 1.0)  # noqa: S311  # parts those who failed together
            pause = max(wait, retry_delay(failures, first=0.1, longest=5.0) * spread)
            if time.monotonic() + pause >= until:
                raise Unreachable(
                    f"no answer to {method} {path} within {deadline:g} s: {_said(status, payload)}",
                    hint="the same call may be made again; it repeats nothing",
                )
            await asyncio.sleep(pause)

    async def _try(
        self, method: str, path: str, data: bytes | None, query: Mapping[str, str] | None, left: float
    ) -> tuple[int, bytes, float]:
        """HTTP status (0: none), body or what went wrong, and the seconds that the server wants to be left alone."""
        if self.ended is not None:
            raise self.ended
        assert self._session is not None, "used outside of `async with`"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token := await self._place.credential():
            headers["Authorization"] = f"Bearer {token}"
        limits = aiohttp.ClientTimeout(total=left if query else min(left, ATTEMPT_SECONDS))
        try:
            async with self._session.request(
                method, self._place.api_url + path, data=data, params=query, headers=headers, timeout=limits
            ) as response:
                payload = await response.content.read(ANSWER_BYTES)
                while not response.content.at_eof() and len(payload) < ANSWER_BYTES:
                    payload += await response.content.read(ANSWER_BYTES)
                return response.status, payload, _retry_after(response.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return 0, f"{type(error).__name__}: {error}".encode(), 0.0

    def _read(self, answer: type[Answer], payload: bytes, path: str) -> Answer:
        try:
            return answer.model_validate_json(payload or b"{}")
        except ValidationError as error:
            problem = Problem(
                code=Code.VALIDATION_FAILED,
                message=f"{self._place.api_url}{path} does not answer as makima's API does: {error.errors()[0]['msg']}",
                hint="look at the address, and at the versions of both sides",
            )
            raise Refused(problem) from None

    def _refusal(self, status: int, payload: bytes, path: str) -> Superseded | Refused:
        try:
            problem = ErrorEnvelope.model_validate_json(payload).error
        except ValidationError:
            unauthenticated = Code.UNAUTHENTICATED if status == 401 else Code.NOT_FOUND if status == 404 else None
            code = unauthenticated or Code.VALIDATION_FAILED
            problem = Problem(code=code, message=f"HTTP {status} from {self._place.api_url}{path}")
        if problem.code is not Code.SUPERSEDED:
            return Refused(problem)
        current = problem.details.get("current")
        self.ended = Superseded(current if isinstance(current, int) else self.incarnation + 1)
        return self.ended


def _retry_after(text: str | None) -> float:
    return min(float(text), 30.0) if text is not None and text.isascii() and text.isdigit() else 0.0


def _said(status: int, payload: bytes) -> str:
    text = payload[:300].decode("utf-8", "replace")
    return f"HTTP {status} {text}" if status else text
