"""Somebody who may see some namespaces: one stream each through the API server, and one at the API service itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from makima.client import stream as stream_module
from makima.client.api import AGGREGATED, Api, ApiError
from makima.client.api_transport import DirectTransport
from makima.client.stream import Filter, Frame
from makima.client.streams import Monitors
from tests.support.bearer import bearer


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "FIRST_WAIT", 0.001)


@dataclass
class Played:
    """An API that tells one event on each connection, and then ends it."""

    session: aiohttp.ClientSession
    url: str
    asked: list[tuple[str, list[str], str | None]] = field(default_factory=list)
    forbidden: str = "none"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        place, query = request.match_info.get("namespace", ""), request.query
        if place == self.forbidden:
            raise web.HTTPForbidden(text='{"error": {"code": "FORBIDDEN", "message": "no"}}')
        self.asked.append((place, query.getall("namespace", []), query.get("after")))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "StatusChanged", "seq": len(self.asked), "namespace": place})
        await socket.close()
        return socket

    def api(self, *, aggregated: bool) -> Api:
        return Api(DirectTransport(self.session, self.url, bearer(None)), aggregated=aggregated, where=self.url)


@pytest.fixture
async def played() -> AsyncIterator[Played]:
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    async with aiohttp.ClientSession() as session:
        found = Played(session, "")
        app.router.add_get(f"{AGGREGATED}/namespaces/{{namespace}}/monitor", found.answer)
        app.router.add_get(f"{AGGREGATED}/monitor", found.answer)
        app.router.add_get("/api/v1/contracts/monitor", found.answer)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield found
        await runner.cleanup()


async def events(monitors: Monitors, number: int) -> list[Frame]:
    got: list[Frame] = []
    async with asyncio.timeout(30), aclosing(monitors.frames()) as frames:
        async for frame in frames:
            got += [frame] if "seq" in frame else []
            if len(got) == number:
                break
    return got


async def test_through_the_api_server_each_namespace_has_its_stream_which_goes_on_by_itself(played: Played) -> None:
    monitors = Monitors(played.api(aggregated=True), Filter(), None, ("a", "b"))
    await events(monitors, 2)
    assert {(place, tuple(named), after) for place, named, after in played.asked[:2]} == {
        ("a", ("a",), None),
        ("b", ("b",), None),
    }
    before = len(played.asked)
    await events(monitors, 2)
    assert all(after is not None for _, _, after in played.asked[before:]), "opened again, it goes on after what it saw"


@pytest.mark.parametrize(
    ("aggregated", "namespaces", "asked"),
    [(True, None, ("", [], None)), (False, ("a", "b"), ("", ["a", "b"], None)), (False, None, ("", [], None))],
)
async def test_else_there_is_one_stream(
    played: Played, aggregated: bool, namespaces: tuple[str, ...] | None, asked: tuple[str, list[str], None]
) -> None:
    await events(Monitors(played.api(aggregated=aggregated), Filter(), None, namespaces), 1)
    assert played.asked[0] == asked


async def test_a_namespace_that_is_refused_ends_it(played: Played) -> None:
    played.forbidden = "b"
    with pytest.raises(ApiError) as refused:
        await events(Monitors(played.api(aggregated=True), Filter(), None, ("a", "b")), 1000)
    assert refused.value.code == "FORBIDDEN"


async def test_watching_is_over_when_the_reader_leaves(played: Played) -> None:
    await events(Monitors(played.api(aggregated=True), Filter(), None, ("a",)), 1)
    assert not [task for task in asyncio.all_tasks() if ".read" in repr(task.get_coro())]
