"""Streams outlive the API server's --request-timeout where they are watches to it; here it is 5 s instead of 60."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from starlette.types import Receive, Scope, Send

from makima.aggregated_wiring import AggregatedApi, connect_local_api
from makima.config import Config
from makima.http.caller import VERIFIED
from makima.sandbox import Own, Sandbox, attach, start
from makima.sandbox.local_cluster import LocalCluster
from makima.schema.rbac import render_namespace
from tests.conftest import RUN
from tests.support.connected import connected, http_session

pytestmark = pytest.mark.xdist_group("aggregated")

ROOT = "/apis/monitor.makima.dev/v1alpha1"
TIMEOUT = 5
TICKS = 3 * TIMEOUT
STOPPED = aiohttp.ClientTimeout(total=170)


async def ticking(scope: Scope, receive: Receive, send: Send) -> None:
    """In place of REST: tells who called, once a second, for three times as long as the API server waits."""
    line = f"data: {scope[VERIFIED].user}\n\n"
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        for _ in range(TICKS):
            await send({"type": "websocket.send", "text": line})
            await asyncio.sleep(1)
        await send({"type": "websocket.close", "code": 1000, "reason": ""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for _ in range(TICKS):
        await send({"type": "http.response.body", "body": line.encode(), "more_body": True})
        await asyncio.sleep(1)
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def impatient(sandbox: Sandbox) -> Iterator[LocalCluster]:
    """A cluster of its own whose API server ends calls after 5 s."""
    name = f"impatient-{os.environ[RUN]}"
    found = start(name, own=Own(database_url=sandbox.database.url), ends_with=int(os.environ[RUN]))
    assert isinstance(found.cluster, LocalCluster)
    server = found.cluster.apiserver
    server.stop()
    server.command = [*server.command, f"--request-timeout={TIMEOUT}s"]
    server.start()
    yield found.cluster
    again = attach(name)
    if again is not None:
        again.stop()


@pytest.fixture
async def person(impatient: LocalCluster) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody with a client certificate, talking to the API server only."""
    config = Config.model_validate(
        {"kubeconfig": impatient.kubeconfig, "api": {"aggregated_port": impatient.api_listener.port}}
    )
    pair = impatient.api_listener.pair
    connection = await connected(impatient.kubeconfig)
    api = AggregatedApi(config, connection, ticking, pair.certificate, pair.key)
    api.start()
    async with await connected(impatient.kubeconfig) as admin:
        space = render_namespace()
        path = f"/api/v1/namespaces/{space['metadata']['name']}"
        await admin.request(
            "PATCH", path, body=space, query={"fieldManager": "t"}, content_type="application/apply-patch+yaml"
        )
    await connect_local_api(impatient.kubeconfig, pair.certificate.read_bytes(), impatient.api_listener.port)
    async with await http_session(impatient.kubeconfig, timeout=STOPPED) as session:
        yield session
    await api.stop()


async def test_an_event_stream_that_is_a_watch_goes_on(person: aiohttp.ClientSession) -> None:
    async with person.get(f"{ROOT}/monitor?watch=true") as answer:
        assert answer.status == 200
        assert await answer.text() == "data: admin\n\n" * TICKS


async def test_a_websocket_that_is_a_watch_goes_on(person: aiohttp.ClientSession) -> None:
    async with person.ws_connect(f"{ROOT}/namespaces/team/monitor?watch=true") as stream:
        for _ in range(TICKS):
            assert await stream.receive_str() == "data: admin\n\n"
        assert (await stream.receive()).type is aiohttp.WSMsgType.CLOSE
        assert stream.close_code == 1000


async def test_what_is_no_watch_is_ended_by_the_api_server(person: aiohttp.ClientSession) -> None:
    """So that the two above show something."""
    got: list[bytes] = []

    async def read() -> None:
        async with person.get(f"{ROOT}/contracts") as answer:
            assert answer.status == 200
            while part := await answer.content.readany():
                got.append(part)

    with pytest.raises(aiohttp.ClientError):
        await read()
    assert b"".join(got).count(b"data:") < TICKS
