"""The listener for the front proxy: a real socket, real TLS, and whoever else would like to come in."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict
from starlette.types import Receive, Scope, Send

from makima.http.aggregated import Aggregated
from makima.http.bodies import respond
from makima.http.caller import VERIFIED
from makima.http.connection import HEAD_BYTES
from makima.http.front_proxy_tls import FrontProxyTls
from makima.http.kubernetes_paths import ROOT
from makima.http.problems import rendered
from makima.http.server import Server, front_proxy_server, listener, serve
from makima.models.wire.problem import Code
from makima.sandbox.certificates import Authority, Pair
from makima.services.access.front_proxy import FrontProxy
from makima.services.refusals import refusal
from makima.tls_connections import tls_connector
from tests.support.front_proxy import NAME, SERVER, client_context, front_proxy, write_serving

DANA = {"X-Remote-User": "dana", "X-Remote-Group": "people"}
CONTRACTS = f"{ROOT}/namespaces/team/contracts"
STREAM = f"{ROOT}/monitor?watch=true"


async def rest(scope: Scope, receive: Receive, send: Send) -> None:
    """In place of REST: says what it was called with, and refuses one path."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope[VERIFIED].user})
        await send({"type": "websocket.close", "code": 1000, "reason": ""})
        return
    if scope["path"].endswith("/refused"):
        refused = refusal(Code.VERSION_CONFLICT, "it moved on", hint="look again", expected=1, actual=2)
        await respond(send, *rendered(refused))
        return
    found = {
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "user": scope[VERIFIED].user,
        "groups": scope[VERIFIED].groups,
        "headers": sorted({name.decode() for name, _ in scope["headers"]}),
        "accept": [value.decode() for name, value in scope["headers"] if name == b"accept"],
        "content_type": [value.decode() for name, value in scope["headers"] if name == b"content-type"],
    }
    await respond(send, 200, json.dumps(found).encode())


@dataclass
class Listening:
    """A listener, and how to call it."""

    server: Server
    tls: FrontProxyTls
    files: Pair
    port: int
    proxy: FrontProxy | None

    def trust(self, proxy: FrontProxy | None) -> None:
        self.proxy = proxy
        if self.tls.refresh(proxy):
            self.server.shed()

    def call(self, pair: Pair | None, *, trusted: Path | None = None, **headers: str) -> aiohttp.ClientSession:
        """A session of somebody with this client certificate."""
        context = client_context(trusted or self.files.certificate, pair)
        connector = tls_connector(context)
        return aiohttp.ClientSession(f"https://localhost:{self.port}", connector=connector, headers=headers)

    async def get(self, pair: Pair | None, path: str = CONTRACTS, **headers: str) -> tuple[int, Any]:
        async with self.call(pair, **headers) as session, session.get(path, server_hostname=SERVER) as answer:
            return answer.status, await answer.json(content_type=None)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki", "front-proxy-ca")


@pytest.fixture
async def listening(tmp_path: Path, authority: Authority) -> AsyncIterator[Listening]:
    files = write_serving(tmp_path)
    tls = FrontProxyTls(files.certificate, files.key)
    found: list[Listening] = []

    def known() -> FrontProxy | None:
        return found[0].proxy

    server = front_proxy_server(Aggregated(rest, known), tls, known)
    sock = listener("127.0.0.1", 0)
    found.append(Listening(server, tls, files, sock.getsockname()[1], None))
    serving = asyncio.create_task(serve(server, sock))
    while not server.started:
        await asyncio.sleep(0.01)
    found[0].trust(front_proxy(authority))
    yield found[0]
    server.stop()
    await serving


async def test_the_front_proxy_gets_in_and_says_who_calls(listening: Listening, authority: Authority) -> None:
    status, found = await listening.get(authority.client("p", NAME), **DANA, Authorization="Bearer somebodys")
    assert status == 200
    assert (found["path"], found["query"]) == ("/api/v1/contracts", "namespace=team")
    assert (found["user"], found["groups"]) == ("dana", ["people"])
    assert not {"authorization", "x-remote-user", "x-remote-group"} & set(found["headers"])


async def test_a_body_of_no_type_is_json(listening: Listening, authority: Authority) -> None:
    """`kubectl create --raw` says nothing about what it sends."""
    path = f"{CONTRACTS}/work/check-completion"
    async with (
        listening.call(authority.client("p", NAME), **DANA) as session,
        session.post(path, data=b"{}", server_hostname=SERVER, skip_auto_headers=["Content-Type"]) as answer,
    ):
        assert (await answer.json(content_type=None))["content_type"] == ["application/json"]


async def test_nobody_gets_in_without_a_certificate(listening: Listening) -> None:
    with pytest.raises(aiohttp.ClientError):
        await listening.get(None, **DANA)


async def test_a_certificate_of_another_authority_gets_nobody_in(listening: Listening, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", "front-proxy-ca")
    with pytest.raises(aiohttp.ClientError):
        await listening.get(other.client("p", NAME), **DANA)


async def test_a_certificate_of_another_name_gets_nobody_in(listening: Listening, authority: Authority) -> None:
    with pytest.raises(aiohttp.ClientError):
        await listening.get(authority.client("other", "somebody"), **DANA)


async def test_nobody_gets_in_before_the_cluster_has_said_whom_to_believe(
    listening: Listening, authority: Authority
) -> None:
    listening.trust(None)
    with pytest.raises(aiohttp.ClientError):
        await listening.get(authority.client("p", NAME), **DANA)


async def test_a_rotated_authority_is_believed_and_its_predecessor_is_not(
    listening: Listening, authority: Authority, tmp_path: Path
) -> None:
    old, fresh = authority.client("p", NAME), Authority(tmp_path / "fresh", "front-proxy-ca")
    listening.trust(front_proxy(authority, fresh))
    for pair in (old, fresh.client("p", NAME)):
        assert (await listening.get(pair, **DANA))[0] == 200
    listening.trust(front_proxy(fresh))
    assert (await listening.get(fresh.client("p", NAME), **DANA))[0] == 200
    with pytest.raises(aiohttp.ClientError):
        await listening.get(old, **DANA)


async def test_a_connection_by_the_old_trust_ends_with_it(
    listening: Listening, authority: Authority, tmp_path: Path
) -> None:
    context = client_context(listening.files.certificate, authority.client("p", NAME))
    reader, writer = await asyncio.open_connection(
        "localhost", listening.port, ssl=context, server_hostname=SERVER, limit=2**20
    )
    writer.write(f"GET {CONTRACTS} HTTP/1.1\r\nhost: x\r\nx-remote-user: dana\r\n\r\n".encode())
    assert b"200" in await reader.readline()
    listening.trust(front_proxy(Authority(tmp_path / "fresh", "front-proxy-ca")))
    await asyncio.wait_for(reader.read(), 60)  # to its end
    writer.close()


async def test_the_listeners_own_certificate_is_replaced_while_it_serves(
    listening: Listening, authority: Authority, tmp_path: Path
) -> None:
    pair = authority.client("p", NAME)
    before = tmp_path / "before.crt"
    before.write_bytes(listening.files.certificate.read_bytes())
    write_serving(tmp_path)
    assert not listening.tls.refresh(listening.proxy)  # the same are trusted
    assert (await listening.get(pair, **DANA))[0] == 200
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        async with (
            listening.call(pair, trusted=before) as session,
            session.get("/healthz", server_hostname=SERVER),
        ):
            pass


async def test_a_certificate_that_is_half_written_changes_nothing(listening: Listening, authority: Authority) -> None:
    whole = listening.files.certificate.read_bytes()
    listening.files.certificate.write_bytes(whole[:100])
    assert not listening.tls.refresh(listening.proxy)
    listening.files.certificate.write_bytes(whole)
    assert (await listening.get(authority.client("p", NAME), **DANA))[0] == 200


async def test_sessions_are_not_resumed(listening: Listening, authority: Authority) -> None:
    context = client_context(listening.files.certificate, authority.client("p", NAME))
    reader, writer = await asyncio.open_connection("localhost", listening.port, ssl=context, server_hostname=SERVER)
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    await reader.readline()
    connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
    assert connection.version() == "TLSv1.3"
    assert connection.session is None or not connection.session.has_ticket
    writer.close()


async def test_errors_are_statuses_that_kubectl_shows_with_the_envelope_inside(
    listening: Listening, authority: Authority
) -> None:
    status, found = await listening.get(authority.client("p", NAME), f"{CONTRACTS}/work/refused", **DANA)
    assert status == 409
    assert (found["kind"], found["apiVersion"], found["status"], found["code"]) == ("Status", "v1", "Failure", 409)
    assert found["message"] == "VERSION_CONFLICT: it moved on\n  next: look again"
    assert found["error"]["details"] == {"expected": 1, "actual": 2}


REFUSED = [
    ("GET", f"{ROOT}/nodes", DANA, 404, "NOT_FOUND"),
    ("GET", "/api/v1/contracts", DANA, 404, "NOT_FOUND"),
    ("GET", "/openapi/v2", DANA, 404, "NOT_FOUND"),
    ("GET", CONTRACTS, {}, 401, "UNAUTHENTICATED"),
    ("GET", ROOT, {}, 401, "UNAUTHENTICATED"),
    ("GET", CONTRACTS, {"X-Remote-Group": "system:masters"}, 401, "UNAUTHENTICATED"),
    ("POST", f"{CONTRACTS}/work/supervisor/heartbeat", DANA, 403, "FORBIDDEN"),
    ("PUT", f"{CONTRACTS}/work/supervisor/state", DANA, 403, "FORBIDDEN"),
    ("GET", f"{ROOT}/monitor", DANA, 400, "VALIDATION_FAILED"),
    ("GET", f"{ROOT}/contracts/monitor?watch=true", DANA, 400, "VALIDATION_FAILED"),
    ("GET", CONTRACTS, {**DANA, "X-Remote-Extra-A": "x" * 5000} | {f"X-A-{n}": "y" * 7000 for n in range(9)}, 413, ""),
]


@pytest.mark.parametrize(("method", "path", "headers", "status", "code"), REFUSED)
async def test_what_is_not_passed_on(
    listening: Listening,
    authority: Authority,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    async with (
        listening.call(authority.client("p", NAME), **headers) as session,
        session.request(method, path, server_hostname=SERVER) as answer,
    ):
        found = await answer.json()
    assert answer.status == status
    assert found["error"]["code"] == code or not code
    assert found["error"].get("hint")


@pytest.mark.parametrize("path", ["/apis", "/apis/monitor.makima.dev", ROOT, f"{ROOT}/", "/openapi/v3"])
async def test_discovery_is_answered(listening: Listening, authority: Authority, path: str) -> None:
    status, found = await listening.get(authority.client("p", NAME), path, **DANA)
    assert status == 200
    assert not found.get("resources")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
async def test_health_needs_no_caller(listening: Listening, authority: Authority, path: str) -> None:
    assert await listening.get(authority.client("p", NAME), path) == (200, "ok")


async def test_a_watch_without_a_websocket_becomes_an_event_stream(listening: Listening, authority: Authority) -> None:
    path = f"{ROOT}/namespaces/team/monitor?watch=true"
    status, found = await listening.get(authority.client("p", NAME), path, **DANA, Accept="application/json")
    assert status == 200
    assert (found["path"], found["query"]) == ("/api/v1/contracts/monitor", "namespace=team&watch=true")
    assert found["accept"] == ["text/event-stream"]


async def test_websockets_pass(listening: Listening, authority: Authority) -> None:
    async with (
        listening.call(authority.client("p", NAME), **DANA) as session,
        session.ws_connect(f"{ROOT}/monitor?watch=true", server_hostname=SERVER) as stream,
    ):
        assert await stream.receive_str() == "dana"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [(f"{ROOT}/monitor", DANA, 400), (f"{ROOT}/monitor?watch=true", {}, 401), ("/api/v1/contracts/monitor", DANA, 404)],
)
async def test_websockets_that_are_refused(
    listening: Listening, authority: Authority, path: str, headers: dict[str, str], status: int
) -> None:
    async with listening.call(authority.client("p", NAME), **headers) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(path, server_hostname=SERVER)
    assert refused.value.status == status


async def test_a_head_that_does_not_end_is_cut_off(listening: Listening, authority: Authority) -> None:
    context = client_context(listening.files.certificate, authority.client("p", NAME))
    reader, writer = await asyncio.open_connection("localhost", listening.port, ssl=context, server_hostname=SERVER)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-remote-user: ")
    sent = 0
    try:
        while sent < 100 * HEAD_BYTES and not reader.at_eof() and not writer.is_closing():
            writer.write(b"a" * 16384)
            sent += 16384
            await writer.drain()
            await asyncio.sleep(0)
    except OSError:
        pass  # cut off
    assert sent < 100 * HEAD_BYTES
    writer.close()


def in_groups(number: int) -> CIMultiDict[str]:
    """Each group is a header of its own."""
    many = CIMultiDict([("X-Remote-User", "dana")])
    many.extend([("X-Remote-Group", f"group-{place:04}-of-the-people") for place in range(number)])
    return many


@pytest.mark.parametrize("groups", [100, 1000])
async def test_a_websocket_for_somebody_in_many_groups(listening: Listening, authority: Authority, groups: int) -> None:
    async with (
        listening.call(authority.client("p", NAME)) as session,
        session.ws_connect(STREAM, headers=in_groups(groups), server_hostname=SERVER) as stream,
    ):
        assert await stream.receive_str() == "dana"


async def test_somebody_in_too_many_groups_is_told_so(listening: Listening, authority: Authority) -> None:
    async with listening.call(authority.client("p", NAME)) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(STREAM, headers=in_groups(3000), server_hostname=SERVER)
        assert refused.value.status == 413
        async with session.get(CONTRACTS, headers=in_groups(3000), server_hostname=SERVER) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (413, "TOO_LARGE")
