"""Long lists come in pages; one that the API server can't continue begins again, for kopf and for the comparison."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from makima.adapters.kubernetes.configuration import load_configuration
from makima.adapters.kubernetes.connection import Connection
from makima.adapters.kubernetes.contracts import KubernetesCluster
from makima.config import Config
from makima.errors import Expired
from makima.ports import ObjectKey
from makima.services.control_loop.work_queue import WorkQueue
from makima.watch_wiring import watch_session
from tests.support.kopf_alone import CONTRACTS, DISCOVERY, metadata, operator_settings, served, watch


class PagedServer:
    """An API server with contracts.

    Attributes:
        size: how many contracts.
        expires: how often it has forgotten the moment of a list when its last page is asked for.
        begun: lists that were begun.
        largest: objects in the largest page.
    """

    def __init__(self) -> None:
        self.size, self.expires, self.begun, self.largest = 1100, 0, 0, 0
        self.authorizations: set[str] = set()
        self.watched = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.authorizations.add(request.headers["Authorization"])
        if request.path != CONTRACTS:
            return web.json_response(DISCOVERY[request.path])
        return await self._watch(request) if "watch" in request.query else self._list(request)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        self.watched.set()
        await asyncio.sleep(60)
        return response

    def _list(self, request: web.Request) -> web.Response:
        start = int(request.query.get("continue", 0))
        self.begun += not start
        end = min(self.size, start + int(request.query["limit"]))
        if end == self.size and self.expires:
            self.expires -= 1
            return web.json_response({"kind": "Status", "code": 410, "reason": "Expired"}, status=410)
        self.largest = max(self.largest, end - start)
        more = {"continue": str(end)} if end < self.size else {}
        items = [{"metadata": metadata(number)} for number in range(start, end)]
        return web.json_response({"kind": "List", "metadata": {"resourceVersion": "9", **more}, "items": items})


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PagedServer]:
    played = PagedServer()
    async with served(played.answer, tmp_path):
        yield played


@pytest.fixture
def config(server: PagedServer, tmp_path: Path) -> Config:
    del server
    return Config(kubeconfig=tmp_path / "kubeconfig")


class Told(WorkQueue):
    """A queue that remembers what it was told of listings."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[bool] = []

    def listed(self, *, all_of_it: bool) -> None:
        self.pages.append(all_of_it)


async def test_kopf_lists_in_pages_and_begins_again_where_a_page_came_too_late(
    server: PagedServer, config: Config
) -> None:
    server.size, server.expires = 12, 2
    seen: list[str] = []
    settings, stop, told = operator_settings(), threading.Event(), Told()
    assert settings.watching.chunk_size == 250
    settings.watching.chunk_size = 5
    running = asyncio.create_task(asyncio.to_thread(watch, config, settings, told, seen, stop))
    await asyncio.wait_for(server.watched.wait(), 20)
    stop.set()
    await asyncio.wait_for(running, 20)
    assert set(seen) == {f"c{number}" for number in range(12)}
    assert (server.begun, server.largest) == (3, 5)
    assert server.authorizations == {"Bearer t"}
    assert told.pages == [False, False] * 2 + [False, False, False, True]


async def test_sessions_are_equal_where_their_credentials_are_so_kopf_refuses_those_that_were_refused(
    config: Config, tmp_path: Path
) -> None:
    before, same = await watch_session(config, WorkQueue()), await watch_session(config, WorkQueue())
    file = tmp_path / "kubeconfig"
    file.write_text(file.read_text().replace('"token": "t"', '"token": "renewed"'))
    renewed = await watch_session(config, WorkQueue())
    for found in (before, same, renewed):
        await found.aiohttp_session.close()
    assert before == same
    assert before != renewed


async def test_versions_are_listed_in_pages_and_once_more_where_a_page_came_too_late(
    server: PagedServer, config: Config
) -> None:
    async with Connection(await load_configuration(config.kubeconfig)) as connection:
        server.expires = 1
        found = await KubernetesCluster(connection).list_contract_versions()
        assert found == {ObjectKey("ns", f"c{number}", f"u{number}"): "1" for number in range(1100)}
        assert (server.begun, server.largest) == (2, 250)
        server.expires = 2
        with pytest.raises(Expired):
            await KubernetesCluster(connection).list_contract_versions()
