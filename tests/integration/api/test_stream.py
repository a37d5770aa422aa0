"""The stream: many supervisors on one WebSocket, commands pushed, and clients that misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from makima.http.stream import OF_ONE_CALLER
from makima.models.enums import CommandKind
from makima.models.supervision import StoredCommand
from tests.support.api_process import ApiUnderTest, StartApi
from tests.support.carried_world import CarriedWorld, address, beat
from tests.support.unread_websocket import unread_websocket

REGISTER = "/api/v1/supervisors/register"
STREAM = "/api/v1/supervisors/stream"
Life = dict[str, Any]


async def _life(world: CarriedWorld, api: ApiUnderTest, token: str, name: str) -> Life:
    await world.contract(name, supervisor={})
    life: Life = await world.caller(api, token).good("POST", REGISTER, world.registration(name))
    return life


@asynccontextmanager
async def stream(world: CarriedWorld, api: ApiUnderTest, token: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    headers = {"Authorization": f"Bearer {token}"}
    async with world.http.ws_connect(api.url + STREAM, headers=headers) as socket_:
        yield socket_


async def test_frames_carry_many_supervisors_and_are_answered_by_number(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    lives = [await _life(world, api, agent, name) for name in ("one", "two")]
    async with stream(world, api, agent) as ws:
        await ws.send_json({"frame": 7, "heartbeats": [beat(life) for life in lives]})
        first = await ws.receive_json(timeout=10)
        assert (first["frame"], first["stored"], first["refused"]) == (7, 2, 0)
        await ws.send_json({"frame": 8, "heartbeats": [beat(lives[0]), beat(lives[1], 2, progress=101)]})
        second = await ws.receive_json(timeout=10)
        assert (second["frame"], second["stored"], second["refused"]) == (8, 0, 1)
        assert [entry.get("result") for entry in second["entries"]] == ["duplicate", None]
    for life, expected in zip(lives, ([1], [1]), strict=True):
        kept = await world.store.heartbeats.recent(UUID(life["contract_id"]), 10)
        assert [item.sequence for item in kept] == expected


async def test_a_command_is_pushed_without_being_asked_for(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    life = await _life(world, api, agent, "work")
    contract_id = UUID(life["contract_id"])
    async with stream(world, api, agent) as ws:
        await ws.send_json({"frame": 1, "heartbeats": [beat(life)]})
        await ws.receive_json(timeout=10)
        began = asyncio.get_running_loop().time()
        command = StoredCommand(uuid4(), contract_id, CommandKind.PAUSE, datetime.now(UTC), {"reason": "lunch"})
        await world.store.commands.put([command])
        pushed = await ws.receive_json(timeout=10)
        assert asyncio.get_running_loop().time() - began < 1
        assert pushed["frame"] == 0
        assert pushed["entries"][0]["contract_id"] == str(contract_id)
        assert pushed["entries"][0]["commands"][0]["payload"] == {"reason": "lunch"}
        await ws.send_json({"frame": 2, "heartbeats": [beat(life, 2, acknowledged=[str(command.id)])]})
        assert (await ws.receive_json(timeout=10))["entries"] == []
    assert list(await world.store.commands.unacknowledged([contract_id])) == []


FRAMES: dict[str, str | bytes] = {
    "no JSON": "{",
    "no heartbeats": '{"frame": 3}',
    "too many": json.dumps({"frame": 3, "heartbeats": [{}] * 1001}),
    "bytes that are no text": b"\xff\xfe",
}


@pytest.mark.parametrize("name", FRAMES)
async def test_a_bad_frame_is_answered_and_the_stream_goes_on(
    world: CarriedWorld, api: ApiUnderTest, agent: str, name: str
) -> None:
    life = await _life(world, api, agent, "work")
    async with stream(world, api, agent) as ws:
        text = FRAMES[name]
        await (ws.send_bytes(text) if isinstance(text, bytes) else ws.send_str(text))
        answer = await ws.receive_json(timeout=10)
        assert answer["error"]["code"] == "VALIDATION_FAILED"
        assert answer["frame"] in (0, 3)
        await ws.send_json({"frame": 4, "heartbeats": [beat(life)]})
        assert (await ws.receive_json(timeout=10))["stored"] == 1


async def test_a_frame_that_is_too_long_ends_the_stream(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    async with stream(world, api, agent) as ws:
        with suppress(ConnectionError):  # the server may close before all of it is sent
            await ws.send_str("x" * 5_000_000)
        message = await ws.receive(timeout=10)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert ws.close_code in (1006, 1009)


@pytest.mark.parametrize("token", ["", "nonsense"])
async def test_nobody_opens_a_stream_without_a_token(world: CarriedWorld, api: ApiUnderTest, token: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with stream(world, api, token):
            pass
    assert refused.value.status == 401


async def test_at_most_so_many_streams_are_open(world: CarriedWorld, start_api: StartApi, agent: str) -> None:
    api = start_api(api__streams=2)
    async with stream(world, api, agent), stream(world, api, agent):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with stream(world, api, agent):
                pass
        assert refused.value.status == 503
    await _until(lambda: "makima_streams 0.0" in api.get("metrics", "/metrics")[1])


async def test_one_token_has_its_share_of_streams(world: CarriedWorld, api: ApiUnderTest, agent: str) -> None:
    async with AsyncExitStack() as opened:
        for _ in range(OF_ONE_CALLER):
            await opened.enter_async_context(stream(world, api, agent))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await opened.enter_async_context(stream(world, api, agent))
        assert refused.value.status == 503
        other = await world.account("other", "makima-supervise")
        await opened.enter_async_context(stream(world, api, other))


async def test_a_client_that_never_reads_is_closed_and_costs_bounded_memory(
    world: CarriedWorld, api: ApiUnderTest, agent: str
) -> None:
    life = await _life(world, api, agent, "work")
    before = api.memory()
    bad = [{"contract_id": life["contract_id"], "padding": "x"}] * 1000
    frame = _masked(json.dumps({"frame": 1, "heartbeats": bad}).encode())
    peak = before

    async def flood(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(frame)
            await writer.drain()

    async with unread_websocket(api, STREAM, agent) as writer, asyncio.timeout(60):
        task = asyncio.create_task(flood(writer))
        while not task.done():
            peak = max(peak, api.memory())
            await asyncio.sleep(0.05)
        assert isinstance(task.exception(), ConnectionError)
    assert peak - before < 100_000_000
    await _until(lambda: "makima_streams 0.0" in api.get("metrics", "/metrics")[1])
    assert (await world.caller(api, agent).good("POST", address(life), beat(life)))["result"] == "stored"


def _masked(payload: bytes) -> bytes:
    """A text frame; a mask of zeros leaves the text as it is."""
    return b"\x81\xff" + len(payload).to_bytes(8, "big") + bytes(4) + payload


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.05)
