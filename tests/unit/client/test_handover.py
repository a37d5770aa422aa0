"""Events while makima's API is away, and from its stream once it answers: nothing twice, nothing in between lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from makima.client import following, handover
from makima.client import stream as stream_module
from makima.client.api import Api, ApiError, ApiUnreachable
from makima.client.api_transport import DirectTransport
from makima.client.handover import Handover
from makima.client.stream import Filter, Frame
from tests.support.bearer import bearer
from tests.support.monitor_contracts import a_body
from tests.support.played_cluster import PlayedCluster


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(stream_module, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(handover, "API_AGAIN", 0.01)


class PlayedApi(Api):
    """An API that is away until it is told to be there, and then tells what was given to it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__(DirectTransport(session, "http://127.0.0.1:9", bearer(None)), aggregated=False, where="there")
        self.tells: list[Frame] | ApiError | None = None
        self.asked_after: list[int | None] = []
        self.refused = asyncio.Event()


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Monitor streams of `PlayedApi`."""

    class Monitors:
        def __init__(self, api: PlayedApi, wanted: Filter, after: int | None, namespaces: Any) -> None:
            self._api, self._after = api, after

        async def frames(self) -> AsyncGenerator[Frame, None]:
            told = self._api.tells
            if told is None:
                raise ApiUnreachable("nobody answers")
            if isinstance(told, ApiError):
                raise told
            self._api.asked_after.append(self._after)
            yield {"type": "Subscribed", "seq": 5}
            for frame in told:
                yield frame
            await self._api.refused.wait()
            raise ApiError("FORBIDDEN: no more", code="FORBIDDEN", status=403)

    monkeypatch.setattr(handover, "Monitors", Monitors)


def paused(body: dict[str, Any]) -> dict[str, Any]:
    """The contract, paused at its next version."""
    status = body["status"]
    version, at = status["version"] + 1, status["lastActivityTime"]
    moved = {
        "version": version,
        "time": at,
        "fromState": status["state"],
        "toState": "Paused",
        "fromPhase": status["phase"],
        "toPhase": status["phase"],
        "reason": "Paused",
        "message": "paused",
    }
    return {**body, "status": {**status, "state": "Paused", "version": version, "transitions": [moved]}}


async def test_the_stream_takes_over_once_it_is_there_and_tells_nothing_again(stream: None) -> None:
    body = a_body("pay")
    uid, version = body["metadata"]["uid"], body["status"]["version"] + 1
    cluster, said = PlayedCluster(body), list[str]()
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        api = PlayedApi(session)
        flow = Handover(api, cluster, Filter(), after=3, namespaces=None, say=said.append)  # type: ignore[arg-type]
        async with aclosing(flow.frames()) as frames:
            cluster.tell("contracts", {"type": "MODIFIED", "object": paused(body)})
            first = await anext(frames)
            assert (first["type"], first["version"], first.get("seq")) == ("StatusChanged", version, None)
            assert said[0] == "nobody answers" and "until it answers" in said[1]
            known = {"type": "StatusChanged", "contract_id": uid, "version": version, "seq": 6}
            older = {"type": "StatusChanged", "contract_id": uid, "version": version - 1, "seq": 4}
            newer = {"type": "PhaseChanged", "contract_id": uid, "version": version + 1, "new_phase": "b", "seq": 7}
            api.tells = [older, known, newer]
            got = [await anext(frames) for _ in range(3)]
            assert [frame.get("seq") for frame in got] == [5, 4, 7], "what the watch told does not come again"
            assert "goes on from here" in said[2]
            assert api.asked_after == [3]


async def test_a_stream_that_refuses_is_said_and_the_watch_goes_on(stream: None) -> None:
    body = a_body("pay")
    cluster, said = PlayedCluster(body), list[str]()
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        api = PlayedApi(session)
        flow = Handover(api, cluster, Filter(), after=None, namespaces=("a",), say=said.append)  # type: ignore[arg-type]
        async with aclosing(flow.frames()) as frames:
            cluster.tell("contracts", {"type": "MODIFIED", "object": paused(body)})
            assert (await anext(frames))["type"] == "StatusChanged"
            api.tells = ApiError("FORBIDDEN: no", code="FORBIDDEN", status=403)
            while len(said) < 3:
                await asyncio.sleep(0.001)
            assert said[2] == "FORBIDDEN: no; the Kubernetes API is watched further"
            cluster.tell("contracts", {"type": "DELETED", "object": paused(body)})
            assert (await anext(frames))["type"] == "ContractDeleted"


async def test_a_stream_that_refuses_after_it_took_over_is_an_error(stream: None) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        api = PlayedApi(session)
        flow = Handover(api, PlayedCluster(), Filter(), after=None, namespaces=None, say=list[str]().append)  # type: ignore[arg-type]
        async with aclosing(flow.frames()) as frames:
            begun = asyncio.ensure_future(anext(frames))
            await asyncio.sleep(0)
            api.tells = []
            api.refused.set()
            assert (await begun)["type"] == "Subscribed"
            with pytest.raises(ApiError, match="no more"):
                await anext(frames)


async def test_a_stream_that_refuses_at_once_is_an_error(stream: None) -> None:
    async with aiohttp.ClientSession() as session:
        api = PlayedApi(session)
        api.tells = ApiError("FORBIDDEN: no", code="FORBIDDEN", status=403)
        flow = Handover(api, PlayedCluster(), Filter(), after=None, namespaces=None, say=print)  # type: ignore[arg-type]
        async with aclosing(flow.frames()) as frames:
            with pytest.raises(ApiError, match="FORBIDDEN"):
                await anext(frames)


class Door:
    """An API that knows one token."""

    def __init__(self, known: str) -> None:
        self.known, self.seen = known, list[str]()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request.headers.get("Authorization", ""))
        if self.seen[-1] != f"Bearer {self.known}":
            raise web.HTTPUnauthorized
        if request.headers.get("Upgrade") == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await socket.close()
            return socket
        return web.json_response({})


@pytest.mark.parametrize("upgraded", [False, True], ids=["call", "WebSocket"])
@pytest.mark.parametrize(
    ("tokens", "seen"),
    [
        (("old", "new"), ["old", "new"]),
        (("new", "newer"), ["new"]),
        (("old",), ["old"]),
        (("old", "bad"), ["old", "bad"]),
    ],
)
async def test_a_token_that_is_known_no_more_is_renewed_once(
    tokens: tuple[str, ...], seen: list[str], upgraded: bool
) -> None:
    door = Door("new")
    app = web.Application()
    app.router.add_get("/x", door.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        way = DirectTransport(session, f"http://127.0.0.1:{runner.addresses[0][1]}", bearer(*tokens))
        with nullcontext() if seen[-1] == "new" else pytest.raises(aiohttp.ClientResponseError, match="401"):
            if upgraded:
                await (await way.websocket("/x", {})).close()
            else:
                async with await way.open("GET", "/x", query={}, headers={}, body=None) as response:
                    response.raise_for_status()
    await runner.cleanup()
    assert door.seen == [f"Bearer {token}" for token in seen]
