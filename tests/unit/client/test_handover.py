"""Events while makima's API is away, and from its stream once it answers: nothing twice, nothing in between lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from makima.client import following, handover, streams
from makima.client import stream as stream_module
from makima.client.api import Api, ApiError, ApiUnreachable
from makima.client.api_transport import DirectTransport
from makima.client.handover import Handover
from makima.client.stream import Filter, Frame, Monitor
from makima.errors import Denied, MakimaError
from tests.support.bearer import bearer
from tests.support.monitor_contracts import a_body, a_supervisor
from tests.support.played_cluster import PlayedCluster


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_WAIT", 0.001)
    for name in ("FIRST_WAIT", "LONGEST_WAIT"):
        monkeypatch.setattr(stream_module, name, 0.01)
    monkeypatch.setattr(streams, "API_AGAIN", 0.01)
    monkeypatch.setattr(streams, "Monitor", PlayedMonitor)


class PlayedApi(Api):
    """An API that is away until it is told to be there, then tells what it is given, and breaks off when told to."""

    def __init__(self, session: aiohttp.ClientSession, *, aggregated: bool = False) -> None:
        way = DirectTransport(session, "http://127.0.0.1:9", bearer(None))
        super().__init__(way, aggregated=aggregated, where="there")
        self.there: bool | ApiError = False
        self.asked_after: list[int | None] = []
        self._tells: dict[str | None, asyncio.Queue[Frame | ApiError]] = {}

    def queue(self, namespace: str | None = None) -> asyncio.Queue[Frame | ApiError]:
        """What the stream of this namespace tells, or is broken off by."""
        return self._tells.setdefault(namespace, asyncio.Queue())

    def cut(self, namespace: str | None = None) -> None:
        self.there = False
        self.queue(namespace).put_nowait(ApiUnreachable("the stream was cut"))


class PlayedMonitor(Monitor):
    """Connections of `PlayedApi`; that they are opened again is the real one's work."""

    async def _one(self) -> AsyncGenerator[Frame, None]:
        api = self.api
        assert isinstance(api, PlayedApi)
        if isinstance(api.there, ApiError):
            raise api.there
        if not api.there:
            raise ApiUnreachable("nobody answers")
        api.asked_after.append(self.after)
        yield {"type": "Subscribed", "seq": self.after or 5}
        while True:
            told = await api.queue(self.namespace).get()
            if isinstance(told, ApiError):
                raise told
            yield told


REFUSAL = ApiError("FORBIDDEN: no", code="FORBIDDEN", status=403)


@dataclass
class Scene:
    """A flow, with what plays the two that tell, and what is said of them."""

    api: PlayedApi
    cluster: PlayedCluster
    said: list[str]
    body: dict[str, Any]
    frames: asyncio.Queue[Frame | MakimaError] = field(default_factory=asyncio.Queue)

    async def read(self, frames: AsyncGenerator[Frame, None]) -> None:
        try:
            async with aclosing(frames):
                async for frame in frames:
                    self.frames.put_nowait(frame)
        except MakimaError as error:
            self.frames.put_nowait(error)

    async def any(self) -> Frame:
        """The next frame."""
        frame = await self.frames.get()
        if isinstance(frame, MakimaError):
            raise frame
        return frame

    @property
    def uid(self) -> str:
        return str(self.body["metadata"]["uid"])

    def move(self) -> int:
        """The watch sees it in another state; the version that it has then."""
        self.body = moved_on(self.body)
        self.cluster.tell("contracts", {"type": "MODIFIED", "object": self.body})
        return int(self.body["status"]["version"])

    def told(self, version: int, seq: int) -> Frame:
        """How the stream tells of that."""
        name, at = self.body["metadata"]["name"], self.body["status"]["lastActivityTime"]
        head = {"namespace": "team-a", "name": name, "at": at, "contract_id": self.uid}
        return {"type": "StatusChanged", **head, "version": version, "seq": seq}

    async def next(self) -> Frame:
        """The next frame that is no control frame."""
        while True:
            frame = await self.any()
            if frame["type"] not in ("Subscribed", "Reconnecting"):
                return frame

    async def until_said(self, text: str) -> list[Frame]:
        """What comes until this is said."""
        while not any(text in line for line in self.said):
            await asyncio.sleep(0.001)
        return [self.frames.get_nowait() for _ in range(self.frames.qsize())]  # type: ignore[misc]


@asynccontextmanager
async def scene(
    *, there: bool | ApiError = False, after: int | None = None, namespaces: tuple[str, ...] | None = None
) -> AsyncIterator[Scene]:
    body, said = a_body("pay"), list[str]()
    cluster = PlayedCluster(body)
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        api = PlayedApi(session, aggregated=namespaces is not None)
        api.there = there
        flow = Handover(api, cluster, Filter(), after=after, namespaces=namespaces, say=said.append)  # type: ignore[arg-type]
        found = Scene(api, cluster, said, body)
        reading = asyncio.create_task(found.read(flow.frames()))
        try:
            yield found
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def moved_on(body: dict[str, Any]) -> dict[str, Any]:
    """The contract, paused at its next version; or active again."""
    status = body["status"]
    version, at = status["version"] + 1, status["lastActivityTime"]
    to = "Paused" if status["state"] == "Active" else "Active"
    moved = {
        "version": version,
        "time": at,
        "fromState": status["state"],
        "toState": to,
        "fromPhase": status["phase"],
        "toPhase": status["phase"],
        "reason": to,
        "message": to,
    }
    return {**body, "status": {**status, "state": to, "version": version, "transitions": [moved]}}


async def test_the_stream_takes_over_once_it_is_there_and_tells_nothing_again() -> None:
    async with scene(after=3) as at:
        version = at.move()
        first = await at.next()
        assert (first["type"], first["version"], first.get("seq")) == ("StatusChanged", version, None)
        assert at.said == ["nobody answers", handover.ALONE]
        at.api.there = True
        for seq in (0, 1, 2):
            at.api.queue().put_nowait(at.told(version - 1 + seq, 4 + seq))
        assert [(await at.next()).get("seq") for _ in range(2)] == [4, 6], "what the watch told does not come again"
        assert at.said[2:] == [handover.BACK]
        assert at.api.asked_after == [3]


async def test_a_state_of_a_supervisor_that_the_watch_told_does_not_come_again() -> None:
    idle = a_supervisor("pay", "Idle").model_dump(mode="json", by_alias=True, exclude_none=True)
    async with scene(after=3) as at:
        at.move()
        await at.next()
        while "supervisors" not in {plural for plural, *_ in at.cluster.asked}:
            await asyncio.sleep(0.001)
        at.cluster.tell("supervisors", {"type": "MODIFIED", "object": idle})
        by_watch = await at.next()
        assert (by_watch["type"], by_watch["new_state"]) == ("SupervisorStateChanged", "idle")
        at.api.there = True
        for seq, state in enumerate(("idle", "working"), 4):
            at.api.queue().put_nowait({**by_watch, "new_state": state, "seq": seq})
        assert (await at.next()).get("seq") == 5


async def test_a_stream_that_is_away_for_longer_is_taken_over_by_the_watch_and_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handover, "PATIENCE", 0.05)
    async with scene(there=True) as at:
        at.api.queue().put_nowait(at.told(7, 9))
        assert (await at.next())["seq"] == 9
        at.api.cut()
        got = await at.until_said(handover.ALONE)
        assert got and {frame["type"] for frame in got} == {"Reconnecting"}, "said for as long as it is waited for"
        version = at.move()
        told = await at.any()
        assert (told["version"], "seq" in told) == (version, False)
        at.api.there = True
        for seq, moved in enumerate((version, version + 1), 10):
            at.api.queue().put_nowait(at.told(moved, seq))
        assert (await at.next())["seq"] == 11, "10 was told by the watch"
        assert at.said[-2:] == [handover.ALONE, handover.BACK]
        assert at.api.asked_after == [None, 9]
        at.move()
        at.api.queue().put_nowait(at.told(99, 12))
        assert (await at.next())["seq"] == 12, "the watch is over"


async def test_a_short_cut_leaves_no_trace_but_its_own_frames() -> None:
    async with scene(there=True) as at:
        assert (await at.any())["type"] == "Subscribed"
        at.api.cut()
        assert (await at.any())["type"] == "Reconnecting"
        version = at.move()
        for _ in range(5):
            assert (await at.any())["type"] == "Reconnecting"
        at.api.there = True
        at.api.queue().put_nowait(at.told(version, 6))
        told = await at.next()
        assert (told["seq"], told["version"]) == (6, version), "told by the stream, with its number"
        assert at.said == []


async def test_what_the_watch_sees_before_it_speaks_is_told_once_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "PATIENCE", 0.2)
    async with scene(there=True) as at:
        version = at.body["status"]["version"] + 1
        at.api.queue().put_nowait(at.told(version, 6))
        assert (await at.next())["seq"] == 6
        at.api.cut()
        while len(at.cluster.asked) < 2:
            await at.any()
        assert at.move() == version
        later = at.move()
        told = await at.next()
        assert told["version"] == later, "not what the stream told: its resource is written later than its history"


async def test_only_where_the_stream_is_cut_the_watch_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "PATIENCE", 0.02)
    async with scene(there=True, namespaces=("team-a", "team-b")) as at:
        assert [(await at.any())["type"] for _ in range(2)] == ["Subscribed"] * 2
        at.api.cut("team-b")
        await at.until_said(handover.ALONE)
        version = at.move()
        at.api.queue("team-a").put_nowait(at.told(version, 7))
        assert (await at.next())["seq"] == 7


async def test_a_stream_that_refuses_is_said_once_and_the_watch_goes_on() -> None:
    async with scene() as at:
        at.move()
        assert (await at.next())["type"] == "StatusChanged"
        at.api.there = REFUSAL
        await at.until_said("FORBIDDEN")
        assert at.said[2] == "FORBIDDEN: no; the Kubernetes API is watched further"
        at.cluster.tell("contracts", {"type": "DELETED", "object": at.body})
        assert (await at.next())["type"] == "ContractDeleted"
        await asyncio.sleep(0.05)
        assert len(at.said) == 3


@pytest.mark.parametrize("denied", [False, True])
async def test_a_stream_that_refuses_after_it_had_begun_is_an_error_for_who_may_not_watch_either(denied: bool) -> None:
    async with scene(there=True) as at:
        assert (await at.any())["type"] == "Subscribed"
        at.cluster.denied = {"contracts"} if denied else {"supervisors"}
        at.api.there = REFUSAL
        at.api.queue().put_nowait(REFUSAL)
        with pytest.raises(ApiError, match="FORBIDDEN: no") if denied else nullcontext():
            at.move()
            assert (await at.next())["type"] == "StatusChanged"
        assert at.said == ["FORBIDDEN: no", handover.ALONE]


async def test_who_may_not_watch_waits_for_the_stream_that_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "PATIENCE", 0.05)
    async with scene(there=True) as at:
        assert (await at.any())["type"] == "Subscribed"
        at.cluster.denied = {"contracts"}
        at.api.cut()
        await at.until_said("contracts is forbidden; nothing is told until makima's API answers")
        at.api.there = True
        at.api.queue().put_nowait(at.told(7, 9))
        assert (await at.next())["seq"] == 9
        assert at.said[-1] == handover.BACK


async def test_a_stream_that_refuses_at_once_is_an_error() -> None:
    async with scene(there=REFUSAL) as at:
        with pytest.raises(ApiError, match="FORBIDDEN"):
            await at.any()


async def test_nobody_who_tells_is_an_error() -> None:
    async with scene() as at:
        at.cluster.denied = {"contracts"}
        with pytest.raises(Denied):
            await at.any()


@pytest.mark.parametrize("after", [None, 3])
async def test_what_happened_just_before_the_first_stream_began_is_told_by_who_knows_it(after: int | None) -> None:
    async with scene(after=after) as at:
        at.move()
        await at.next()
        at.api.there = True
        assert (await at.any())["type"] == "Subscribed"
        version = at.move()
        if after is not None:  # the stream goes on where it was told to
            at.api.queue().put_nowait(at.told(version, 6))
        told = await at.next()
        assert (told["version"], told.get("seq")) == (version, None if after is None else 6)


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
