"""The monitor stream of makima's API: WebSocket, or Server-Sent Events where no WebSocket gets through.

Cut, it begins again after the last sequence number that was seen: nothing is lost, nothing comes twice.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from makima.client.api import Api, ApiError, ApiUnreachable, api_error, unreachable
from makima.client.lines import lines_of

Frame = dict[str, Any]

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
"""Seconds between attempts; doubled each time, from anew after each frame."""

TRANSIENT = frozenset({"UNAVAILABLE", "INTERNAL"})
"""Codes after which the stream is opened again."""


class NoWebSocket(Exception):
    """The upgrade was refused: the event stream works, or says why."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted (the plan's filter, and our namespaces); empty = all.

    Attributes:
        contract_ids: UIDs.
        statuses: in snake_case.
    """

    contract_ids: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    include_stale: bool = True
    include_heartbeats: bool = False

    def query(self, after: int | None) -> list[tuple[str, str]]:
        """As query parameters: the stream begins with them, and nothing else comes before a first message."""
        pairs = [("contract_id", item) for item in self.contract_ids]
        pairs += [("status", item) for item in self.statuses]
        pairs += [("namespace", item) for item in self.namespaces]
        pairs += [("include_stale", str(self.include_stale).lower())]
        pairs += [("include_heartbeats", str(self.include_heartbeats).lower()), ("watch", "true")]
        return pairs if after is None else [*pairs, ("after", str(after))]


@dataclass(slots=True)
class Monitor:
    """The stream, for as long as somebody listens.

    Attributes:
        after: sequence number of the last event seen; None = only what comes from now on.
        namespace: where only this namespace may be seen, through the aggregated API.
        live: whether it has begun, and not been cut since.
    """

    api: Api
    filter: Filter = field(default_factory=Filter)
    after: int | None = None
    namespace: str | None = None
    live: bool = False
    _sse: bool = False

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Every frame of the server, and `{"type": "Reconnecting", "reason", "seconds"}` where it was cut.

        Raises:
            ApiUnreachable: nobody answered at the very first attempt.
            ApiError: the stream was refused (who, what, or the filter); trying again would not help.
        """
        connected, wait = False, FIRST_WAIT
        while True:
            try:
                async with aclosing(self._one()) as frames:
                    async for frame in frames:
                        connected, wait, self.live = True, FIRST_WAIT, True
                        self._remember(frame)
                        yield frame
                why = "the server ended the stream"
            except ApiUnreachable as error:
                if not connected:
                    raise
                why = error.message
            finally:
                self.live = False
            yield {"type": "Reconnecting", "reason": why, "seconds": wait}
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311  # not a secret
            wait = min(wait * 2, LONGEST_WAIT)

    def _remember(self, frame: Frame) -> None:
        """Where to go on: after what was seen; after what is known to be missed, as it does not come any more."""
        for key in ("seq", "to_seq"):
            if isinstance(frame.get(key), int):
                self.after = max(frame[key], self.after or 0)

    async def _one(self) -> AsyncGenerator[Frame, None]:
        """One connection's frames."""
        path = self.api.collection("monitor", self.namespace)
        if not self._sse:
            try:
                async with aclosing(self._websocket(path)) as frames:
                    async for frame in frames:
                        yield frame
                return
            except NoWebSocket:
                self._sse = True
        async with aclosing(self._events(path)) as frames:
            async for frame in frames:
                yield frame

    async def _websocket(self, path: str) -> AsyncGenerator[Frame, None]:
        import aiohttp  # noqa: PLC0415  # heavy

        try:
            socket = await self.api.transport.websocket(path, self.filter.query(self.after))
        except aiohttp.WSServerHandshakeError as error:
            raise NoWebSocket(str(error.status)) from None  # the event stream says why, or works
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self.api.where, str(error) or type(error).__name__) from None
        async with socket:
            try:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        yield _checked(json.loads(message.data))
            except (aiohttp.ClientError, OSError) as error:
                raise unreachable(self.api.where, f"the stream was cut: {error}") from None

    async def _events(self, path: str) -> AsyncGenerator[Frame, None]:
        import aiohttp  # noqa: PLC0415  # heavy

        query, headers = self.filter.query(self.after), {"Accept": "text/event-stream"}
        response = await self.api.open("GET", path, query=query, headers=headers)
        async with response:
            if response.status >= 400:
                raise api_error(response.status, await response.read(), self.api.where)
            try:
                async for line in lines_of(response.content):
                    if line.startswith(b"data:"):
                        yield _checked(json.loads(line[5:]))
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise unreachable(self.api.where, f"the stream was cut: {error}") from None


def _checked(frame: Frame) -> Frame:
    """The frame, unless it is the error that the stream ends with."""
    told = frame.get("error")
    if isinstance(told, Mapping):
        code, text = str(told.get("code", "")), str(told.get("message", ""))
        if code in TRANSIENT:
            raise ApiUnreachable(f"{code}: {text}", told.get("hint"), code=code)
        raise ApiError(f"{code}: {text}", told.get("hint"), code=code, details=told.get("details"))
    return frame
