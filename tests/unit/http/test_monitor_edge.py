"""The live monitor's edge: addresses, origins, and both ways to listen, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from makima.http import monitor, monitor_socket
from makima.http.monitor import MonitorPath
from makima.http.monitor_query import accepts_stream, parse_query
from makima.http.origins import must_be_allowed
from makima.services.access.authentication import Authentication
from makima.services.monitor import tail
from makima.services.refusals import Refused
from tests.support.fake_stream import Watched

ONE = UUID(int=1)


def scope(kind: str = "http", query: str = "", **headers: str) -> Scope:
    found = {"authorization": "Bearer ann", "host": "makima.example", **headers}
    return {
        "type": kind,
        "method": "GET",
        "path": monitor.PATH,
        "query_string": query.encode(),
        "headers": [(key.replace("_", "-").encode(), value.encode()) for key, value in found.items() if value],
    }


def test_an_address_says_what_a_message_says() -> None:
    query = (
        f"contract_id={ONE}&status=active&status=WaitingForInput&namespace=a&namespace=b"
        "&include_stale=false&include_heartbeats=1&after=7&watch=true"
    )
    found = parse_query(scope(query=query))
    assert found.watch
    assert found.says_something
    assert found.filter.model_dump(mode="json") == {
        "contract_ids": [str(ONE)],
        "statuses": ["active", "waiting_for_input"],
        "namespaces": ["a", "b"],
        "include_stale": False,
        "include_heartbeats": True,
        "after": 7,
    }


def test_a_browser_that_comes_back_goes_on_where_it_was() -> None:
    assert parse_query(scope(query="after=3", last_event_id="9")).filter.after == 9
    assert not parse_query(scope()).says_something
    assert not parse_query(scope(query="watch=true")).says_something


@pytest.mark.parametrize(
    "query", ["x=1", "after=", "after=-1", "after=1e3", "include_stale=", "after=99999999999999999"]
)
def test_what_is_no_filter_is_refused(query: str) -> None:
    with pytest.raises(Refused, match="VALIDATION_FAILED"):
        parse_query(scope(query=query))


@given(st.binary(max_size=60))
def test_any_address_is_a_filter_or_refused(query: bytes) -> None:
    found = scope()
    found["query_string"] = query
    try:
        parse_query(found)
    except (Refused, ValidationError):
        return


@pytest.mark.parametrize(
    ("accept", "wants"),
    [
        ("text/event-stream", True),
        ("application/json, text/event-stream;q=0.5", True),
        ("*/*", True),
        ("application/json", False),
        ("", True),
    ],
)
def test_whoever_accepts_a_stream_gets_one(accept: str, wants: bool) -> None:
    assert accepts_stream(scope(accept=accept)) is wants


ORIGINS = [
    ("", (), True),
    ("https://makima.example", (), True),
    ("HTTPS://MAKIMA.example", (), True),
    ("https://makima.example:8443", (), False),
    ("https://makima.example.evil.example", (), False),
    ("https://evil.example", (), False),
    ("https://evil.example/makima.example", (), False),
    ("https://board.example", ("https://board.example",), True),
    ("http://board.example", ("https://board.example",), False),
    ("null", (), False),
    ("https://[", (), False),
]


@pytest.mark.parametrize(("origin", "allowed", "may"), ORIGINS)
def test_only_the_apis_own_pages_and_listed_ones_may_listen(origin: str, allowed: tuple[str, ...], may: bool) -> None:
    found = scope("websocket", origin=origin)
    if may:
        must_be_allowed(found, allowed)
    else:
        with pytest.raises(Refused, match="FORBIDDEN"):
            must_be_allowed(found, allowed)


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(tail, "POLL_SECONDS", 0.02)
    found = Watched()
    found.monitor.start()
    yield found
    await found.monitor.stop()


class Wire:
    """The server's side of one connection."""

    def __init__(self, watched: Watched, found: Scope) -> None:
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        if found["type"] == "websocket":
            self.said.put_nowait({"type": "websocket.connect"})
        app = MonitorPath(_nowhere, watched.monitor, Authentication(watched.reviews))
        self.task = asyncio.create_task(app(found, self.said.get, self._send))

    async def _send(self, message: Message) -> None:
        self.sent.put_nowait(message)

    async def next(self) -> Message:
        async with asyncio.timeout(20):
            return await self.sent.get()

    async def frame(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self.next())["text"])
        return found

    def say(self, text: str) -> None:
        self.said.put_nowait({"type": "websocket.receive", "text": text})

    async def leave(self) -> None:
        self.said.put_nowait({"type": "websocket.disconnect"})
        async with asyncio.timeout(20):
            await self.task


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("not for anybody else")


async def test_a_socket_that_says_nothing_gets_everything_from_its_beginning_on(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor_socket, "FIRST_MESSAGE_SECONDS", 0.2)
    wire = Wire(watched, scope("websocket"))
    assert (await wire.next())["type"] == "websocket.accept"
    seq = watched.stream.happens()
    assert ((await wire.frame())["type"], (await wire.frame())["seq"]) == ("Subscribed", seq)
    await wire.leave()
    assert watched.monitor.clients == 0


async def test_what_is_said_at_once_is_the_first_filter(watched: Watched) -> None:
    wire = Wire(watched, scope("websocket"))
    await wire.next()
    wire.say(json.dumps({"contract_ids": [str(ONE)], "after": 0}))
    assert (await wire.frame())["filter"]["contract_ids"] == [str(ONE)]
    watched.stream.happens()
    seq = watched.stream.happens(ONE)
    assert (await wire.frame())["seq"] == seq
    await wire.leave()


async def test_bad_messages_are_answered_until_there_were_too_many(watched: Watched) -> None:
    wire = Wire(watched, scope("websocket", "after=0"))
    await wire.next()
    await wire.frame()
    for _ in range(monitor_socket.BAD_MESSAGES):
        wire.say('{"nonsense": 1}')
        assert (await wire.frame())["error"]["code"] == "VALIDATION_FAILED"
    assert "too many" in (await wire.frame())["error"]["message"]
    assert (await wire.next()) == {"type": "websocket.close", "code": 1008}
    await wire.task


async def test_a_message_that_is_too_long_closes(watched: Watched) -> None:
    wire = Wire(watched, scope("websocket", "after=0"))
    await wire.next()
    await wire.frame()
    wire.say("x" * 70_000)
    assert (await wire.frame())["error"]["code"] == "TOO_LARGE"
    assert (await wire.next())["code"] == 1009
    await wire.task


async def test_a_client_that_never_reads_is_given_up_with_everything_it_waits_for(watched: Watched) -> None:
    found = scope("websocket", "after=0")
    stuck = asyncio.Event()
    began = asyncio.Event()

    async def send(message: Message) -> None:
        if message["type"] == "websocket.send":
            began.set()
            await stuck.wait()

    said: asyncio.Queue[Message] = asyncio.Queue()
    said.put_nowait({"type": "websocket.connect"})
    app = MonitorPath(_nowhere, watched.monitor, Authentication(watched.reviews))
    task = asyncio.create_task(app(found, said.get, send))
    async with asyncio.timeout(20):
        await began.wait()
        [client] = watched.monitor._open
        client.sending_since = asyncio.get_running_loop().time() - 3600
        await watched.monitor.sweep()
        await task
    assert watched.monitor.clients == 0


async def test_events_are_sent_with_their_place_and_silence_is_broken(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "KEEP_ALIVE_SECONDS", 0.05)
    wire = Wire(watched, scope(query="after=0", accept="text/event-stream"))
    start = await wire.next()
    assert (start["status"], dict(start["headers"])[b"content-type"]) == (200, b"text/event-stream; charset=utf-8")
    seq = watched.stream.happens()
    text = ""
    while ": nothing new" not in text or f"id: {seq}\ndata: " not in text:
        text += (await wire.next())["body"].decode()
    assert text.startswith("retry: 2000\n\nid: 0\ndata: {")
    wire.said.put_nowait({"type": "http.disconnect"})
    async with asyncio.timeout(20):
        await wire.task
    assert watched.monitor.clients == 0


REFUSED = [
    ("websocket", {"authorization": ""}, 401),
    ("websocket", {"authorization": "Bearer mallory"}, 401),
    ("websocket", {"origin": "https://evil.example"}, 403),
    ("http", {"authorization": ""}, 401),
    ("http", {"accept": "application/json"}, 400),
    ("http", {"origin": "https://evil.example"}, 403),
]


@pytest.mark.parametrize(("kind", "headers", "status"), REFUSED)
async def test_the_door_is_shut_with_a_reason(
    watched: Watched, kind: str, headers: dict[str, str], status: int
) -> None:
    wire = Wire(watched, scope(kind, **headers))
    start, body = await wire.next(), await wire.next()
    assert start["type"] == ("http.response.start" if kind == "http" else "websocket.http.response.start")
    assert start["status"] == status
    assert json.loads(body["body"])["error"]["code"]
    await wire.task
    assert watched.monitor.clients == 0
