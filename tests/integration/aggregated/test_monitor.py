"""The live monitor by kubeconfig: a WebSocket and Server-Sent Events, through the API server's front proxy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from makima.sandbox import Sandbox
from tests.support.api_process import ApiUnderTest
from tests.support.carried_world import CarriedWorld, address, beat
from tests.support.connected import http_session

pytestmark = pytest.mark.xdist_group("aggregated")

ROOT = "/apis/monitor.makima.dev/v1alpha1"
SECONDS = 120


@pytest.fixture
async def admin_session(installed_cluster: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody with a client certificate, who talks to the API server only."""
    async with await http_session(installed_cluster.cluster.kubeconfig) as session:
        yield session


async def _beats(world: CarriedWorld, api: ApiUnderTest) -> asyncio.Task[None]:
    """A supervisor that reports again and again."""
    await world.contract("work", supervisor={})
    caller = world.caller(api, await world.account("agent", "makima-supervise", "makima-view"))
    life = await caller.good("POST", "/api/v1/supervisors/register", world.registration("work"))

    async def go_on() -> None:
        for sequence in range(1, 10_000):
            await caller.good("POST", address(life), beat(life, sequence))
            await asyncio.sleep(0.2)

    return asyncio.create_task(go_on())


async def test_a_websocket(api: ApiUnderTest, world: CarriedWorld, admin_session: aiohttp.ClientSession) -> None:
    task = await _beats(world, api)
    path = f"{ROOT}/namespaces/{world.namespace}/monitor?watch=true&include_heartbeats=true"
    async with admin_session.ws_connect(path) as stream:
        first = json.loads(await stream.receive_str(timeout=SECONDS))
        assert (first["type"], first["filter"]["namespaces"]) == ("Subscribed", [world.namespace])
        await asyncio.wait_for(_until_heartbeat(stream, world.namespace), SECONDS)
    task.cancel()


async def _until_heartbeat(stream: aiohttp.ClientWebSocketResponse, namespace: str) -> None:
    while True:
        frame: dict[str, Any] = json.loads(await stream.receive_str())
        assert frame["namespace"] == namespace
        if frame["type"] == "Heartbeat":
            return


async def test_server_sent_events(api: ApiUnderTest, world: CarriedWorld, admin_session: aiohttp.ClientSession) -> None:
    task = await _beats(world, api)
    path = f"{ROOT}/namespaces/{world.namespace}/monitor?watch=true&include_heartbeats=true"
    async with admin_session.get(path, headers={"Accept": "application/json"}) as answer, asyncio.timeout(SECONDS):
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        lines = b""
        while b'"Heartbeat"' not in lines:
            lines += await answer.content.readline()
    assert lines.index(b'"Subscribed"') < lines.index(b'"Heartbeat"')
    task.cancel()


async def test_who_may_not_look_gets_no_stream(
    api: ApiUnderTest, world: CarriedWorld, installed_cluster: Sandbox
) -> None:
    kubeconfig = await asyncio.to_thread(installed_cluster.cluster.kubeconfig_for, "eve", ("system:authenticated",))
    async with await http_session(kubeconfig) as session:
        for path in (f"{ROOT}/namespaces/{world.namespace}/monitor?watch=true", f"{ROOT}/monitor?watch=true"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(path)
            assert refused.value.status == 403
