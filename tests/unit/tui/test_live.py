"""The source by a kubeconfig: what it tells when the watch or makima's API breaks, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import aiohttp
import pytest
from aiohttp import web

from makima.client import Person, following, stream, streams
from makima.client.api import Api
from makima.client.api_transport import DirectTransport
from makima.errors import ClusterUnavailable, Denied
from makima.tui.feed import feed_line
from makima.tui.frames import happening_of, missed_text
from makima.tui.live import LiveSource
from makima.tui.source import LinkState
from makima.tui.world import World
from tests.support.bearer import bearer
from tests.support.monitor_contracts import NOW, a_body, uid_of

KEY = ("team-a", "pay")
EVENT = {
    "type": "PhaseChanged",
    "seq": 7,
    "at": "2026-03-02T14:00:00Z",
    "contract_id": uid_of(*KEY),
    "namespace": "team-a",
    "name": "pay",
    "old_phase": "plan",
    "new_phase": "execute",
}


@dataclass
class PlayedCluster:
    """A cluster with what is in `contracts`; `down` is why it does not answer, `forbidden` what nobody may list."""

    contracts: list[dict[str, Any]]
    down: Exception | None = None
    changes: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    patches: list[Any] = field(default_factory=list)
    forbidden: tuple[str, ...] = ()

    async def page(self, plural: str, namespace: str | None, **_: Any) -> dict[str, Any]:
        if self.down is not None:
            raise self.down
        if plural in self.forbidden:
            raise Denied(f"{plural} is forbidden", status=403)
        return {"items": self.contracts if plural == "contracts" else [], "metadata": {"resourceVersion": "1"}}

    async def watch(self, plural: str, namespace: str | None, version: str, **_: Any) -> AsyncIterator[Any]:
        while True:
            change = await self.changes.get() if plural == "contracts" else await asyncio.Event().wait()
            if isinstance(change, Exception):
                raise change
            yield change

    async def merge(self, plural: str, namespace: str, name: str, patch: Any, **_: Any) -> dict[str, Any]:
        self.patches.append((plural, namespace, name, patch))
        return a_body("pay")


@dataclass
class PlayedApi:
    """makima's API: sends `frames` to each connection, and cuts it where a frame is None."""

    frames: list[dict[str, Any] | None]
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def monitor(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.asked.append(dict(request.query))
        await socket.send_json({"type": "Subscribed", "seq": 1})
        while self.frames:
            frame = self.frames.pop(0)
            if frame is None:
                await socket.close()
                return socket
            await socket.send_json(frame)
        async for _ in socket:
            pass
        return socket

    async def events(self, request: web.Request) -> web.Response:
        """Five events, numbered 1 to 5, read back."""
        before, limit = int(request.query["before"]), int(request.query["limit"])
        known = {name: value for name, value in EVENT.items() if name not in ("old_phase", "new_phase")}
        payload = {"old_phase": "a", "new_phase": "b"}
        every = [{**known, "seq": seq, "version": seq + 1, "payload": payload} for seq in range(1, 6) if seq < before]
        return web.json_response({"events": every[-limit:], "next_after": 5, "more": len(every) > limit})


@asynccontextmanager
async def followed(cluster: PlayedCluster, api: PlayedApi | None) -> AsyncIterator[tuple[World, LiveSource]]:
    """A world that follows the source."""
    app = web.Application()
    if api is not None:
        app.router.add_get("/api/v1/contracts/monitor", api.monitor)
        app.router.add_get("/api/v1/contracts/team-a:pay/events", api.events)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        way = Api(DirectTransport(session, url, bearer(None)), aggregated=False, where=url)
        source, world = LiveSource(Person(cluster, way, "team-a"), ("team-a",)), World()  # type: ignore[arg-type]

        async def follow() -> None:
            async for change in source.changes():
                world.apply(change, NOW)

        following_task = asyncio.create_task(follow())
        try:
            yield world, source
        finally:
            following_task.cancel()
            await asyncio.gather(following_task, return_exceptions=True)
    await runner.cleanup()


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not what():
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (following, stream):
        monkeypatch.setattr(module, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(streams, "API_AGAIN", 0.05)


async def test_watch_and_stream_together_are_live_and_events_and_heartbeats_arrive() -> None:
    beat = {**EVENT, "type": "Heartbeat", "state": "working", "activity": "types", "progress": 5}
    beat.pop("seq")
    gap = {"type": "Missed", "from_seq": 2, "to_seq": 5, "heartbeats": 3}
    async with followed(PlayedCluster([a_body("pay")]), PlayedApi([EVENT, beat, gap])) as (world, _):
        await until(lambda: world.feed.missed)
        assert (world.feed.kube.state, world.feed.api.state) == (LinkState.LIVE, LinkState.LIVE)
        assert [(event.type, event.seq) for event in world.events] == [("PhaseChanged", 7)]
        assert world.rows[KEY].activity == "types"
        assert "events 2 to 5 and 3 heartbeats were left out" in world.feed.missed


async def test_a_stream_that_is_cut_goes_on_after_the_last_event() -> None:
    later = {**EVENT, "seq": 8, "old_phase": "execute", "new_phase": "review"}
    api = PlayedApi([EVENT, None, later])
    async with followed(PlayedCluster([a_body("pay")]), api) as (world, _):
        await until(lambda: len(world.events) == 2)
        assert [asked.get("after") for asked in api.asked] == [None, "7"]
        assert api.asked[0]["namespace"] == "team-a" and api.asked[0]["include_heartbeats"] == "true"


async def test_without_the_api_the_watch_goes_on_and_says_why_and_later_finds_it() -> None:
    async with followed(PlayedCluster([a_body("pay")]), None) as (world, _):
        await until(lambda: world.feed.api.state is LinkState.DOWN)
        assert world.feed.kube.state is LinkState.LIVE
        assert "404" in world.feed.api.why or "reached" in world.feed.api.why


async def test_a_watch_that_is_cut_is_stale_until_it_is_back_and_what_is_gone_by_then_goes() -> None:
    cluster = PlayedCluster([a_body("pay"), a_body("web")])
    async with followed(cluster, PlayedApi([])) as (world, _):
        await until(lambda: len(world.rows) == 2 and world.feed.kube.state is LinkState.LIVE)
        cluster.contracts = [a_body("web", "Paused")]
        cluster.down = ClusterUnavailable("connection refused")
        cluster.changes.put_nowait({"type": "ERROR", "object": {}})
        cluster.changes.put_nowait(ClusterUnavailable("connection refused"))
        await until(lambda: world.feed.kube.state is LinkState.DOWN)
        assert "connection refused" in world.feed.kube.why
        cluster.down = None
        cluster.changes.put_nowait({"type": "DELETED", "object": a_body("pay")})
        await until(lambda: world.feed.kube.state is LinkState.LIVE and KEY not in world.rows)


async def test_changes_and_deletions_of_the_watch_arrive_and_what_cannot_be_read_is_left_out() -> None:
    cluster = PlayedCluster([a_body("pay"), {"metadata": {"name": "odd", "namespace": "team-a"}, "spec": {"type": 7}}])
    async with followed(cluster, PlayedApi([])) as (world, _):
        await until(lambda: KEY in world.rows)
        cluster.changes.put_nowait({"type": "ADDED", "object": a_body("new")})
        cluster.changes.put_nowait({"type": "DELETED", "object": a_body("pay")})
        await until(lambda: set(world.rows) == {("team-a", "new")})


async def test_who_may_not_look_is_told_so() -> None:
    cluster = PlayedCluster([], down=Denied("contracts is forbidden", "ask an administrator"))
    source = LiveSource(Person(cluster, Api(NoWay(), aggregated=False, where="x"), "team-a"), ("team-a",))  # type: ignore[arg-type]
    with pytest.raises(Denied, match="forbidden"):
        async for _ in source.changes():
            pass


async def test_supervisors_that_may_not_be_seen_are_said_and_done_without() -> None:
    cluster = PlayedCluster([a_body("pay")], forbidden=("supervisors",))
    async with followed(cluster, PlayedApi([])) as (world, _):
        await until(lambda: world.feed.kube.state is LinkState.LIVE and world.feed.api.state is LinkState.LIVE)
        assert KEY in world.rows
        assert feed_line(world.feed, NOW).detail == "you may not see supervisors in team-a"


class NoWay:
    """No API at all."""

    async def open(self, *_: Any, **__: Any) -> Any:
        raise OSError("no way")

    async def websocket(self, path: str) -> Any:
        raise OSError("no way")


async def test_the_history_is_read_back_from_its_end_and_a_restart_names_the_life_that_was_seen() -> None:
    cluster = PlayedCluster([a_body("pay")])
    async with followed(cluster, PlayedApi([])) as (world, source):
        await until(lambda: KEY in world.rows)
        contract = world.contracts[KEY]
        past = await source.past_events(contract, 2)
        assert [(event.seq, event.version, event.fields["new_phase"]) for event in past] == [(4, 5, "b"), (5, 6, "b")]
        assert [event.seq for event in await source.past_events(contract, 2, 4)] == [2, 3]
        assert [event.seq for event in await source.past_events(contract, 2, 2)] == [1]
        await source.restart_supervisor(contract, 4)
        await source.suspend(contract, True, "lunch")
        await source.retry(contract)
    restart, pause, retry = (patch[3]["spec"] for patch in cluster.patches)
    assert restart == {"restartSupervisor": {"expectedIncarnation": 4}}
    assert pause == {"suspend": True, "suspendReason": "lunch"}
    assert retry == {"retry": {"expectedVersion": 3}}


@pytest.mark.parametrize("frame", [{}, {"type": "X"}, {**EVENT, "at": "yesterday"}])
def test_a_frame_without_what_every_event_has_is_none(frame: dict[str, Any]) -> None:
    assert happening_of(frame) is None


def test_a_frame_has_the_fields_of_its_type_and_a_time_with_a_zone() -> None:
    event = happening_of({**EVENT, "at": "2026-03-02T14:00:00"})
    assert event is not None and event.at.tzinfo is not None
    assert dict(event.fields) == {"old_phase": "plan", "new_phase": "execute"}
    assert event.at.replace(tzinfo=None) == datetime(2026, 3, 2, 14, 0)  # noqa: DTZ001  # that is the point
    assert "events were left out" in missed_text({})
    assert "slow: 3 heartbeats were left out" in missed_text({"from_seq": None, "to_seq": None, "heartbeats": 3})


async def test_labels_choose_contracts_and_nothing_else() -> None:
    """The API server chooses: a supervisor has not the labels of its contract."""

    class Noting(PlayedCluster):
        selectors: ClassVar[dict[str, str]] = {}

        async def page(self, plural: str, namespace: str | None, **chosen: Any) -> dict[str, Any]:
            self.selectors[plural] = chosen["selector"]
            return await super().page(plural, namespace)

    cluster = Noting([])
    person = Person(cluster, Api(NoWay(), aggregated=False, where="x"), "team-a")  # type: ignore[arg-type]
    async with aclosing(LiveSource(person, None, "team=a").changes()) as changes:  # type: ignore[type-var]
        async for _ in changes:
            if len(cluster.selectors) == 2:
                break
    assert cluster.selectors == {"contracts": "team=a", "supervisors": ""}
