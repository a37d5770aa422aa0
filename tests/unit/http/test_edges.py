"""The edge itself: bodies, errors and limits, without a server."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from makima.errors import Denied, HistoryUnavailable, OutOfSequence, Superseded
from makima.http.app import Guarded
from makima.http.bodies import NEW_CONTRACT_BYTES, limit_of
from makima.http.caller import CALLING, VERIFIED, Authenticated, calling, person_of
from makima.http.hot_path import Bounded
from makima.http.large_bodies import LargeBodies
from makima.http.problems import rendered
from makima.http.read_whole import ReadWhole
from makima.models.wire.message import MESSAGE_BYTES, STATE_BYTES
from makima.models.wire.problem import HTTP_STATUS, Code
from makima.services.access.authentication import Authentication
from makima.services.access.identity import Identity
from makima.services.access.person import Person
from tests.support.rest_world import RestWorld


async def call(app: Any, path: str = "/x", *parts: bytes, method: str = "POST") -> tuple[int, Any]:
    """One request through an ASGI application."""
    messages = [{"type": "http.request", "body": part, "more_body": n + 1 < len(parts)} for n, part in enumerate(parts)]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "root_path": "",
        "scheme": "http",
        "server": ("x", 80),
        CALLING: Person(Identity("ann", key="ann")),
    }
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return (sent[0]["status"], json.loads(body)) if sent else (0, None)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body."""
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(len(message["body"])).encode()})


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/v1/contracts/x/supervisor/state", STATE_BYTES),
        ("/api/v1/contracts/x/supervisor/messages", STATE_BYTES),
        ("/api/v1/contracts/x/supervisor/checkpoints", STATE_BYTES),
        ("/api/v1/supervisors/heartbeats", STATE_BYTES),
        ("/api/v1/supervisors/stream", STATE_BYTES),
        ("/api/v1/contracts/monitor", MESSAGE_BYTES),
        ("/api/v1/contracts", NEW_CONTRACT_BYTES),
        ("/api/v1/contracts/x/phase", MESSAGE_BYTES),
        ("/api/v1/contracts/x/supervisor/heartbeat", MESSAGE_BYTES),
        ("/api/v1/contracts/x/supervisor/tasks", MESSAGE_BYTES),
    ],
)
def test_calls_that_carry_more_may_be_longer(path: str, limit: int) -> None:
    assert limit_of(path) == limit


@pytest.mark.parametrize(("size", "status"), [(MESSAGE_BYTES, 200), (MESSAGE_BYTES + 1, 413)])
@pytest.mark.parametrize("pieces", [1, 7])
async def test_a_body_is_as_long_as_it_may_be(size: int, status: int, pieces: int) -> None:
    body = b"x" * size
    step = -(-size // pieces)
    parts = [body[start : start + step] for start in range(0, size, step)]
    found, answer = await call(ReadWhole(echo, LargeBodies()), "/x", *parts)
    assert found == status
    assert answer == size if status == 200 else answer["error"]["code"] == "TOO_LARGE"


async def test_a_client_that_leaves_in_the_middle_of_its_body_is_not_answered() -> None:
    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("called with half a body")

    messages: list[Message] = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError("answered")

    scope: Scope = {"type": "http", "method": "POST", "path": "/x", "headers": []}
    scope[CALLING] = Person(Identity("ann", key="ann"))
    await ReadWhole(never, LargeBodies())(scope, receive, send)


async def test_an_unexpected_error_is_logged_whole_and_answered_without_a_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("the secret inside")

    with caplog.at_level(logging.ERROR):
        status, answer = await call(Guarded(broken))
    assert (status, answer["error"]["code"]) == (500, "INTERNAL")
    assert "secret" not in json.dumps(answer)
    assert "the secret inside" in caplog.text


@pytest.mark.parametrize("error", [RuntimeError("the secret inside"), TimeoutError("the secret inside")])
async def test_an_unexpected_error_of_a_route_is_answered_in_the_envelope_and_logged_once(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise error

    world = RestWorld()
    monkeypatch.setattr(world.lists, "page", broken)
    status, answer = await world.call("ann", "GET", "?namespace=ns")
    assert (status, answer["error"]["code"]) == (500, "INTERNAL")
    assert "secret" not in json.dumps(answer)
    logged = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert [one.exc_info and one.exc_info[1] for one in logged] == [error]


async def test_a_call_that_takes_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stuck(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("makima.http.app.ANSWER_SECONDS", 0.02)
    status, answer = await call(Guarded(stuck))
    assert (status, answer["error"]["code"]) == (503, "UNAVAILABLE")


class Tokens:
    """Knows one token."""

    async def review(self, token: str) -> Identity | None:
        return Identity("ann", key="ann") if token == "good" else None


PATHS = ["/", "/openapi.json", "/api/v1/contracts", "/api/v1/supervisors/register", "/nothing"]


@pytest.mark.parametrize("path", PATHS)
async def test_nobody_is_answered_without_a_token(path: str) -> None:
    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("called by nobody")

    status, answer = await call(Authenticated(never, Authentication(Tokens())), path, b"{")
    assert (status, answer["error"]["code"]) == (401, "UNAUTHENTICATED")


async def test_a_listener_that_verified_the_caller_needs_no_token() -> None:
    seen: list[Person] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(await calling(Request(scope)))
        await echo(scope, receive, send)

    async def front_proxy(scope: Scope, receive: Receive, send: Send) -> None:
        scope[VERIFIED] = Identity("bob", key="bob")
        await Authenticated(app, Authentication(Tokens()))(scope, receive, send)

    assert (await call(front_proxy, "/x", b"abc")) == (200, 3)
    assert seen[0].identity.user == "bob" and seen[0].credential is None


async def test_the_callers_token_is_carried_along_and_never_shown() -> None:
    scope: Scope = {"type": "http", "headers": [(b"authorization", b"Bearer good")]}
    found = await person_of(scope, Authentication(Tokens()))
    assert found.credential is not None and found.credential.authorization() == "Bearer good"
    assert "good" not in f"{found!r} {found.credential} {found.credential!r}"
    with pytest.raises(TypeError):
        pickle.dumps(found.credential)


async def test_calls_beyond_the_bound_are_turned_away_and_counted() -> None:
    turned: list[int] = []
    busy = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await busy.wait()
        await echo(scope, receive, send)

    app = Bounded(slow, 1, lambda: turned.append(1))
    first = asyncio.create_task(call(app, "/x", b"abc"))
    await asyncio.sleep(0)
    status, answer = await call(app, "/x", b"abc")
    assert (status, answer["error"]["code"], turned) == (503, "UNAVAILABLE", [1])
    busy.set()
    assert await first == (200, 3)
    assert (await call(app, "/x", b"abc")) == (200, 3)


def test_every_code_has_a_status() -> None:
    assert set(HTTP_STATUS) == set(Code)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Superseded(3), 409, "SUPERSEDED"),
        (OutOfSequence("revision", 4), 409, "CONFLICT"),
        (HistoryUnavailable("away, at postgresql://user:password@host"), 503, "UNAVAILABLE"),
        (Denied("VERSION_CONFLICT: expected 1", code="VERSION_CONFLICT"), 409, "VERSION_CONFLICT"),
        (Denied("UNAUTHORIZED: no", code="UNAUTHORIZED"), 503, "UNAVAILABLE"),
        (KeyError("x"), 500, "INTERNAL"),
    ],
)
def test_errors_become_the_plans_answers(error: Exception, status: int, code: str) -> None:
    found, body, headers = rendered(error)
    assert (found, json.loads(body)["error"]["code"]) == (status, code)
    assert "password" not in body.decode()
    assert (dict(headers).get("retry-after") is not None) == (status == 503)
