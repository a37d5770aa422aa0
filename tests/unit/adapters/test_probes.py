"""The probe server over real sockets on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from makima.adapters.probes import LONGEST_REASON, Check, ProbeServer

LOOPBACK = "127.0.0.1"


class Serving:
    """A running probe server, and a client."""

    def __init__(self, session: aiohttp.ClientSession, health: int, metrics: int) -> None:
        self.session, self.health, self.metrics = session, health, metrics

    async def get(self, port: int, path: str) -> tuple[int, str]:
        async with self.session.get(f"http://{LOOPBACK}:{port}{path}") as response:
            return response.status, await response.text()


@asynccontextmanager
async def serving(
    healthz: dict[str, Check] | None = None, readyz: dict[str, Check] | None = None
) -> AsyncIterator[Serving]:
    server = ProbeServer(healthz or {}, readyz or {}, lambda: b"a_metric 1.0\n")
    health, metrics = await server.start(LOOPBACK, 0, 0)
    async with aiohttp.ClientSession() as session:
        yield Serving(session, health, metrics)
    await server.stop()


def well() -> str | None:
    return None


def raising() -> str | None:
    raise RuntimeError("no lease yet")


async def test_all_well_is_200_with_a_line_per_check() -> None:
    async with serving(healthz={"lease": well, "watch": well}) as probe:
        assert await probe.get(probe.health, "/healthz") == (200, "[+]lease ok\n[+]watch ok\n")


async def test_a_failed_check_is_503_and_says_why() -> None:
    async with serving(readyz={"leader": well, "watch": lambda: "no event for 90 s"}) as probe:
        assert await probe.get(probe.health, "/readyz") == (503, "[+]leader ok\n[-]watch failed: no event for 90 s\n")
        assert await probe.get(probe.health, "/healthz") == (200, "")


async def test_a_check_that_raises_has_failed() -> None:
    async with serving(healthz={"lease": raising}) as probe:
        assert await probe.get(probe.health, "/healthz") == (503, "[-]lease failed: RuntimeError: no lease yet\n")


async def test_a_reason_is_one_short_line() -> None:
    async with serving(healthz={"lease": lambda: "a\nb " + "x" * 9999}) as probe:
        _, text = await probe.get(probe.health, "/healthz")
    assert text.startswith("[-]lease failed: a b xxx")
    assert len(text) < LONGEST_REASON + 50


async def test_metrics_are_on_their_own_port_with_prometheus_type() -> None:
    async with serving() as probe:
        async with probe.session.get(f"http://{LOOPBACK}:{probe.metrics}/metrics") as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=")
            assert await response.read() == b"a_metric 1.0\n"
        assert (await probe.get(probe.health, "/metrics"))[0] == 404
        assert (await probe.get(probe.metrics, "/healthz"))[0] == 404
        assert (await probe.get(probe.health, "/"))[0] == 404


async def test_checks_are_asked_anew_each_time() -> None:
    answers = iter(["not yet", None])
    async with serving(readyz={"leader": lambda: next(answers)}) as probe:
        assert [(await probe.get(probe.health, "/readyz"))[0] for _ in range(2)] == [503, 200]


async def test_a_stopped_server_listens_no_more_and_stops_twice() -> None:
    server = ProbeServer({}, {}, lambda: b"")
    health, _ = await server.start(LOOPBACK, 0, 0)
    await server.stop()
    await server.stop()
    with pytest.raises(OSError):  # noqa: PT011  # refused, in the words of the platform
        await asyncio.open_connection(LOOPBACK, health)


async def test_a_taken_port_is_an_error_that_leaves_nothing_open() -> None:
    first, second = ProbeServer({}, {}, lambda: b""), ProbeServer({}, {}, lambda: b"")
    health, metrics = await first.start(LOOPBACK, 0, 0)
    with pytest.raises(OSError, match="address already in use"):
        await second.start(LOOPBACK, 0, metrics)
    await first.stop()
    assert await second.start(LOOPBACK, health, metrics) == (health, metrics)
    await second.stop()
