"""The stream goes on after what was seen, by WebSocket or by Server-Sent Events, and says when it is cut."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from makima.client import stream as stream_module
from makima.client.api import Api, ApiError, ApiUnreachable
from makima.client.api_transport import DirectTransport
from makima.client.stream import Filter, Frame, Monitor
from tests.support.bearer import bearer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(stream_module, "LONGEST_WAIT", 0.01)


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[Api]:
    app = web.Application()
    app.router.add_get("/api/v1/contracts/monitor", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    async with AsyncExitStack() as ends:
        ends.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        session = await ends.enter_async_context(aiohttp.ClientSession())
        url = f"http://127.0.0.1:{port}"
        yield Api(DirectTransport(session, url, bearer("token")), aggregated=False, where=url)


async def first(monitor: Monitor, number: int) -> list[Frame]:
    got: list[Frame] = []
    async with asyncio.timeout(30):
        async for frame in monitor.frames():
            got.append(frame)
            if len(got) == number:
                break
    return got


async def test_a_cut_stream_is_resumed_after_the_last_event_seen() -> None:
    filters: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert request.headers["Authorization"] == "Bearer token"
        filters.append(dict(request.query))
        after = int(filters[-1].get("after", 6))
        for seq in (after + 1, after + 2):
            await socket.send_json({"type": "StatusChanged", "seq": seq})
        await socket.close()
        return socket

    async with served(handler) as api:
        wanted = Filter(statuses=("active",), include_heartbeats=True)
        got = await first(Monitor(api, wanted), 5)
    assert [frame.get("seq") for frame in got] == [7, 8, None, 9, 10]
    assert got[2]["type"] == "Reconnecting"
    first_query = {"status": "active", "include_stale": "true", "include_heartbeats": "true", "watch": "true"}
    assert filters[:2] == [first_query, {**first_query, "after": "8"}]


async def test_what_was_missed_is_not_asked_for_again() -> None:
    afters: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        afters.append(request.query.get("after"))
        await socket.send_json({"type": "Missed", "from_seq": 3, "to_seq": 90, "heartbeats": 0})
        await socket.close()
        return socket

    async with served(handler) as api:
        await first(Monitor(api), 3)
    assert afters[:2] == [None, "90"]


async def test_server_sent_events_where_no_websocket_gets_through() -> None:
    queries: list[dict[str, str]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade"):
            raise web.HTTPBadRequest
        queries.append(dict(request.query))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        seq = 5 + len(queries)
        await response.write(f"id: {seq}\ndata: {json.dumps({'type': 'PhaseChanged', 'seq': seq})}\n\n".encode())
        return response

    async with served(handler) as api:
        got = await first(Monitor(api, Filter(contract_ids=("a", "b"))), 3)
    assert [frame.get("seq") for frame in got] == [6, None, 7]
    assert queries[0]["watch"] == "true" and "after" not in queries[0]
    assert queries[1]["after"] == "6"


async def test_a_refusal_ends_it_with_the_code_and_what_to_do() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        problem = {"code": "VALIDATION_FAILED", "message": "no such status", "hint": "see the docs"}
        await socket.send_json({"error": problem})
        await socket.close()
        return socket

    async with served(handler) as api:
        with pytest.raises(ApiError, match="no such status") as caught:
            await first(Monitor(api), 1)
    assert (caught.value.code, caught.value.hint) == ("VALIDATION_FAILED", "see the docs")


async def test_a_caller_who_may_not_is_told_by_the_answer_to_the_event_stream() -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        told = {"error": {"code": "FORBIDDEN", "message": "no"}}
        raise web.HTTPForbidden(text=json.dumps(told), content_type="application/json")

    async with served(handler) as api:
        with pytest.raises(ApiError) as caught:
            await first(Monitor(api), 1)
    assert caught.value.code == "FORBIDDEN"


async def test_nobody_there_at_the_beginning_is_said_at_once() -> None:
    async with aiohttp.ClientSession() as session:
        api = Api(DirectTransport(session, "http://127.0.0.1:9", bearer(None)), aggregated=False, where="there")
        with pytest.raises(ApiUnreachable):
            await first(Monitor(api), 1)
