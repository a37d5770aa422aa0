"""HTTP validators: which Services are called at all, and what a Service may do to the operator with its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from makima.adapters.validators import GateValidators
from makima.adapters.validators.answer import LONGEST_ITEM, MOST_ITEMS, Answer, ValidatorFailed
from makima.adapters.validators.http import LARGEST_ANSWER, Address, address_of, call, resolve, time_limit
from makima.domain.reconcile.validation import Question
from makima.errors import ClusterUnavailable, NotFound
from makima.models.gate import HttpValidator, Validator

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUESTION = {"contract": {"metadata": {"name": "a"}}, "phase": "plan"}
PORTS = [{"port": 80}, {"port": 53, "protocol": "UDP"}]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeApiServer:
    """Services by path."""

    def __init__(self, services: dict[str, dict[str, Any]], error: Exception | None = None) -> None:
        self.services, self.error = services, error

    async def request(self, method: str, path: str) -> dict[str, Any]:
        assert method == "GET"
        if self.error is not None:
            raise self.error
        if path not in self.services:
            raise NotFound("services not found")
        return {"kind": "Service", "spec": self.services[path]}


@asynccontextmanager
async def service(handler: Handler) -> AsyncIterator[Address]:
    """A validator on loopback."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Address("127.0.0.1", runner.addresses[0][1], "check.ns.svc")
    finally:
        await runner.cleanup()


def answering(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(text=text, status=status, headers=headers)

    return handler


async def failure(handler: Handler, seconds: float = 10) -> str:
    async with service(handler) as address:
        with pytest.raises(ValidatorFailed) as caught:
            async with time_limit(seconds):
                await call(address, "/", QUESTION)
    return str(caught.value)


async def test_the_question_is_posted_as_json_to_the_path_and_under_the_services_name() -> None:
    seen: list[tuple[str, str, str, Any]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.path_qs, request.headers["Host"], await request.json()))
        assert "Authorization" not in request.headers
        return web.json_response({"ready": True})

    async with service(handler) as address:
        assert await call(address, "/check?strict=1", QUESTION) == Answer(ready=True)
    assert seen == [("POST", "/check?strict=1", "check.ns.svc", QUESTION)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"ready": true, "missing": []}', Answer(ready=True)),
        ('{"ready": true, "missing": ["ignored"]}', Answer(ready=True)),
        ('{"ready": false, "missing": ["tests", "a\\nb"]}', Answer(ready=False, missing=("tests", "a b"))),
        ('{"ready": false}', Answer(ready=False, missing=("validator http: not ready",))),
        ('{"ready": false, "missing": ["", " "]}', Answer(ready=False, missing=("validator http: not ready",))),
    ],
)
async def test_a_good_answer_is_taken(text: str, expected: Answer) -> None:
    async with service(answering(text)) as address:
        assert await call(address, "/", QUESTION) == expected


async def test_what_is_missing_is_bounded() -> None:
    async with service(answering('{"ready": false, "missing": [' + '"' + "x" * 999 + '"]}')) as address:
        (item,) = (await call(address, "/", QUESTION)).missing
    assert len(item) == LONGEST_ITEM
    async with service(answering('{"ready": false, "missing": [' + '"x",' * 99 + '"x"]}')) as address:
        assert len((await call(address, "/", QUESTION)).missing) == MOST_ITEMS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>", "Invalid JSON"),
        ("", "Invalid JSON"),
        ("[]", "the answer"),
        ("{}", "ready: Field required"),
        ('{"ready": "true"}', "ready"),
        ('{"ready": 1}', "ready"),
        ('{"ready": false, "missing": "tests"}', "missing"),
        ('{"ready": false, "missing": [1]}', "missing.0"),
        ('{"ready": false, "mising": []}', "mising"),
        ("[" * 50_000, "recursion"),
    ],
)
async def test_an_answer_of_another_shape_fails(text: str, said: str) -> None:
    found = await failure(answering(text))
    assert said in found
    assert 'answer {"ready": bool, "missing": [string]}' in found


@pytest.mark.parametrize("status", [204, 301, 404, 500, 503])
async def test_only_200_is_an_answer(status: int) -> None:
    text = "" if status == 204 else '{"ready": true}'
    assert f"HTTP {status}" in await failure(answering(text, status))


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    assert "redirects are not followed" in await failure(handler)
    assert asked == ["/"]


async def test_a_slow_service_is_given_up() -> None:
    never = asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    assert "no answer after 0.1 s" in await failure(handler, seconds=0.1)


async def test_a_service_that_trickles_is_given_up() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    assert "no answer after 0.2 s" in await failure(handler, seconds=0.2)


async def test_a_huge_answer_is_not_read_to_its_end() -> None:
    written = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100_000):
            await response.write(b" " * 10_000)
            written += 10_000
        return response

    assert f"more than {LARGEST_ANSWER // 1024} KiB" in await failure(handler)
    assert written < 100_000_000


async def test_a_compressed_answer_is_not_unpacked() -> None:
    async def handler(_: web.Request) -> web.Response:
        response = web.Response(text='{"ready": true}' + " " * 10_000_000)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    assert "Invalid JSON" in await failure(handler)


async def test_nobody_listening_fails_with_what_to_do() -> None:
    async with service(answering("")) as address:
        pass
    with pytest.raises(ValidatorFailed, match="see whether its pods run"):
        await call(address, "/", QUESTION)


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with service(answering('{"ready": true}')) as address:
        assert (await call(address, "/", QUESTION)).ready


@pytest.mark.parametrize("path", ["/", "//evil.example/", "/@evil.example", "/..//x", "/%2f?a=b"])
def test_no_path_changes_where_is_called(path: str) -> None:
    url = Address("10.96.0.7", 80, "check.ns.svc").url(path)
    assert (url.host, url.port) == ("10.96.0.7", 80)


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert str(Address("fd00::7", 8080, "h").url("/x")) == "http://[fd00::7]:8080/x"


@pytest.mark.parametrize("ip", ["10.96.0.7", "172.20.1.2", "240.1.2.3", "fd00::7"])
def test_a_cluster_ip_is_called(ip: str) -> None:
    spec = {"type": "ClusterIP", "clusterIP": ip, "ports": PORTS}
    assert address_of(spec, "check.ns.svc", 80) == Address(ip, 80, "check.ns.svc")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"type": "ExternalName", "externalName": "evil.example"}, "ExternalName"),
        ({"type": "ExternalName", "clusterIP": "10.96.0.7", "ports": PORTS}, "ExternalName"),
        ({"clusterIP": "None", "ports": PORTS}, "headless"),
        ({"clusterIP": "", "ports": PORTS}, "headless"),
        ({}, "headless"),
        *(
            ({"clusterIP": ip, "ports": PORTS}, "is refused")
            for ip in (
                "127.0.0.1",
                "169.254.169.254",
                "224.0.0.1",
                "0.0.0.0",
                "::1",
                "fe80::1",
                "ff02::1",
                "::",
                "::ffff:127.0.0.1",
                "::ffff:169.254.169.254",
                "evil.example",
                "10.96.0.7@evil.example",
            )
        ),
        ({"clusterIP": "10.96.0.7", "ports": [{"port": 8080}]}, "no TCP port 80 (it has: 8080)"),
        ({"clusterIP": "10.96.0.7"}, "it has: none"),
        ({"clusterIP": "10.96.0.7", "ports": [{"port": 80, "protocol": "UDP"}]}, "no TCP port 80"),
    ],
)
def test_other_services_are_refused(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidatorFailed) as caught:
        address_of(spec, "check.ns.svc", 80)
    assert said in str(caught.value)


async def test_the_service_is_looked_up_in_the_contracts_namespace() -> None:
    api = FakeApiServer({"/api/v1/namespaces/ns/services/check": {"clusterIP": "10.96.0.7", "ports": PORTS}})
    validator = HttpValidator(service="check")
    assert await resolve(api, "ns", validator) == Address("10.96.0.7", 80, "check.ns.svc")
    with pytest.raises(ValidatorFailed, match="no such Service in namespace other"):
        await resolve(api, "other", validator)


async def test_an_api_server_that_is_away_is_told() -> None:
    api = FakeApiServer({}, ClusterUnavailable("the API server does not answer"))
    with pytest.raises(ValidatorFailed, match="can't be read: the API server does not answer"):
        await resolve(api, "ns", HttpValidator(service="check"))


async def test_a_verdict_tells_which_validator_failed_and_passes_if_ignored() -> None:
    validators = GateValidators(FakeApiServer({}), lambda: NOW)
    contract = {"metadata": {"name": "a", "namespace": "ns"}}
    for policy in ("Fail", "Ignore"):
        settings = Validator.model_validate({"http": {"service": "check", "port": 8080}, "failurePolicy": policy})
        verdict = await validators.ask(Question("fp", "plan", settings), contract)
        assert (verdict.fingerprint, verdict.at, verdict.failed) == ("fp", NOW, True)
        assert verdict.ready is (policy == "Ignore")
        assert verdict.missing[0].startswith("validator http check:8080: there is no such Service")
    await validators.close()


async def test_whatever_breaks_is_a_verdict() -> None:
    validators = GateValidators(FakeApiServer({}, RuntimeError("a bug")), lambda: NOW)
    question = Question("fp", "plan", Validator.model_validate({"http": {"service": "check"}}))
    for contract in ({"metadata": {"name": "a", "namespace": "ns"}}, {}):
        verdict = await validators.ask(question, contract)
        assert verdict.failed
        assert "in the operator; see its log" in verdict.missing[0]


async def test_an_api_server_that_hangs_counts_against_the_validators_time(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeApiServer({})

    async def hang(method: str, path: str) -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    monkeypatch.setattr(api, "request", hang)
    validators = GateValidators(api, lambda: NOW)
    settings = Validator.model_validate({"http": {"service": "check"}, "timeoutSeconds": 1})
    verdict = await validators.ask(Question("fp", "plan", settings), {"metadata": {"namespace": "ns"}})
    assert "no answer after 1 s" in verdict.missing[0]
