"""A watch that stays silent is opened again; one whose events take long to hand over goes on."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from kopf._cogs.aiokits.aiotasks import Scheduler

from makima.config import Config
from makima.config_sections import OperatorSection
from makima.services.control_loop.work_queue import WorkQueue
from tests.support.kopf_alone import CONTRACTS, DISCOVERY, metadata, operator_settings, served, watch

SILENCE, SLOW = 1.0, 1.5
"""Seconds: after which a watch is opened again, and what handing over the first objects takes."""

EVENTS = 40


class WatchedServer:
    """An API server whose watches fall silent: the first before the head of its answer, each other after what there is.

    Attributes:
        watches: since which resourceVersion each watch was to go on.
    """

    def __init__(self) -> None:
        self.watches: list[int] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path != CONTRACTS:
            return web.json_response(DISCOVERY[request.path])
        if "watch" not in request.query:
            return web.json_response({"kind": "List", "metadata": {"resourceVersion": "0"}, "items": []})
        self.watches.append(since := int(request.query["resourceVersion"]))
        response = web.StreamResponse()
        if len(self.watches) == 1:
            await asyncio.sleep(60)
        await response.prepare(request)
        await response.write(b"".join(event(number) for number in range(since + 1, EVENTS + 1)))
        await asyncio.sleep(60)
        return response


def event(number: int) -> bytes:
    told = {"type": "ADDED", "object": {"metadata": metadata(number) | {"resourceVersion": str(number)}}}
    return json.dumps(told).encode() + b"\n"


@pytest.fixture
def slow_handing_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has no time for it."""
    spawn, left = Scheduler.spawn, iter((SLOW, SLOW))

    async def slowly(self: Scheduler, *given: Any, **named: Any) -> None:
        await asyncio.sleep(next(left, 0))
        await spawn(self, *given, **named)

    monkeypatch.setattr(Scheduler, "spawn", slowly)


@pytest.mark.usefixtures("slow_handing_over")
async def test_silence_ends_a_watch_and_nothing_else_whatever_is_being_handed_over(tmp_path: Path) -> None:
    server, stop, seen = WatchedServer(), threading.Event(), list[str]()
    async with served(server.answer, tmp_path) as kubeconfig:
        config = Config(kubeconfig=kubeconfig, operator=OperatorSection(watch_inactivity_seconds=SILENCE))
        given = (config, operator_settings(), WorkQueue(), seen, stop)
        running = asyncio.create_task(asyncio.to_thread(watch, *given))
        try:
            async with asyncio.timeout(30):
                while len(set(seen)) < EVENTS or len(server.watches) < 4:
                    await asyncio.sleep(0.01)
        finally:
            stop.set()
            await asyncio.wait_for(running, 20)
    assert server.watches[:2] == [0, 0], "the first said nothing at all"
    assert server.watches[-1] == EVENTS, "each goes on where the one before ended"
