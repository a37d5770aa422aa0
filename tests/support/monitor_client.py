"""Clients of the live monitor over real sockets, and a history to be told to them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from makima.adapters.postgres.history import PostgresHistory
from makima.models.history import HistoryBatch, HistoryEvent
from tests.support.api_process import ApiUnderTest
from tests.support.history_values import START, contract

MONITOR = "/api/v1/contracts/monitor"
Frame = dict[str, Any]


@asynccontextmanager
async def watching(
    http: aiohttp.ClientSession, api: ApiUnderTest, token: str, query: str = "", **headers: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket to the monitor."""
    every = {"Authorization": f"Bearer {token}", **headers}
    async with http.ws_connect(f"{api.url}{MONITOR}{query}", headers=every) as socket:
        yield socket


async def next_frame(socket: aiohttp.ClientWebSocketResponse, seconds: float = 60) -> Frame:
    """The next frame."""
    found: Frame = await socket.receive_json(timeout=seconds)
    return found


async def subscribed(socket: aiohttp.ClientWebSocketResponse, **wanted: Any) -> Frame:
    """Say what is wanted; the answer, past whatever still comes before it."""
    await socket.send_json(wanted)
    while (frame := await next_frame(socket))["type"] != "Subscribed":
        pass
    return frame


async def events(socket: aiohttp.ClientWebSocketResponse, until: int) -> list[Frame]:
    """Frames with a number, up to and with this one."""
    got: list[Frame] = []
    while not got or got[-1]["seq"] < until:
        frame = await next_frame(socket)
        if frame["type"] != "Subscribed":
            assert "seq" in frame, frame
            got.append(frame)
    return got


async def happens(
    history: PostgresHistory, namespace: str, contract_id: UUID | None = None, status: str = "active", **fields: Any
) -> int:
    """One event of a contract in this state; its number."""
    uid = contract_id or uuid4()
    fields = {"type": "ContractTouched", "payload": {}, **fields}
    event = HistoryEvent(
        id=uuid4(), contract_id=uid, namespace=namespace, contract_name="c", version=None, at=START, **fields
    )
    row = contract(uid, int(fields.get("number", 1)), namespace=namespace, name="c", status=status)
    await history.record(HistoryBatch(rows=(row,), events=(event,)))
    found = await history.events(uid, limit=10_000)
    return found[-1].seq


async def server_sent(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str | None, Frame]]:
    """Server-Sent Events as (id, data)."""
    place: str | None = None
    async for line in answer.content:
        text = line.decode().rstrip("\n")
        if text.startswith("id: "):
            place = text[4:]
        elif text.startswith("data: "):
            yield place, json.loads(text[6:])
            place = None


async def within(seconds: float, work: Any) -> Any:
    """The result, in time."""
    async with asyncio.timeout(seconds):
        return await work
