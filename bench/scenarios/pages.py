"""Every page of a list of 100,000 contracts, newest first, against COUNT and OFFSET, while heartbeats come in.

The measurement fails if a contract is missing from the pages, or in them twice.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import aiohttp
import psycopg

from bench.beats.place import accounts, api_process, register_all
from bench.board.beats import Steady
from bench.board.beside import beating
from bench.board.filling import Size, fill
from bench.board.looking import Looker, figures, viewer
from bench.board.plain import PAGE, asked
from bench.cluster import bench_cluster
from bench.deadlines import BenchError
from bench.results import Results, Run

LIMIT = 100
PATH = f"/api/v1/contracts?limit={LIMIT}"
DEEP = 0.9
"""From this share of the list on, a page counts as deep."""


async def measure(run: Run, name: str, results: Results) -> None:
    """All pages in order, then as many seconds of plain pages at random depths."""
    if name != "makima":
        return
    size = Size(run.contracts, min(run.supervisors, run.contracts // 3), 0)
    async with bench_cluster(run.scratch) as cluster:
        url = await cluster.fresh_database()
        await asyncio.to_thread(fill, url, size)
        await asyncio.to_thread(register_all, url, size.carried)
        carriers, _ = await accounts(cluster.admin)
        token = await viewer(cluster.admin, "sees-all", namespace=None)
        async with api_process(cluster, url) as (api, port):
            rate = size.carried / run.round_seconds
            run.tell(f"every page of {size.contracts:,} contracts, {rate:,.0f} heartbeats/s")
            async with beating(run, Steady(port, carriers[0], size.carried, rate, 2 * run.look_seconds)):
                pages = await _walked(port, token, size.contracts)
                plain = await asyncio.to_thread(_plain, url, run.look_seconds, size.contracts)
            api.check()
    deep = pages[round(len(pages) * DEEP) :]
    for key, seconds in (("list.all", pages), ("list.deep", deep), ("list.plain", plain)):
        results.put(name, **figures(key, sorted(seconds)))
    figure = results.figures[name]
    results.put(name, **{"list.faster": figure["list.plain.p50"] / figure["list.all.p50"]})


async def _walked(port: int, token: str, contracts: int) -> list[float]:
    """How long each page took, in order of depth."""
    async with aiohttp.ClientSession() as session:
        looker, seen, took, cursor = Looker(session, port, token), set[str](), [], ""
        await looker.get(PATH)
        while True:
            seconds, page = await looker.get(PATH + cursor)
            took.append(seconds)
            found = [item["id"] for item in page["contracts"]]
            if seen & set(found):
                raise BenchError("a contract is in two pages")
            seen.update(found)
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
    if len(seen) != contracts:
        raise BenchError(f"{len(seen)} of {contracts} contracts are in the pages")
    return took


def _plain(url: str, seconds: float, contracts: int) -> list[float]:
    """Pages at random depths, each with the number of all."""
    chance, found = random.Random(3), []
    with psycopg.connect(url, autocommit=True) as connection:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            values: dict[str, Any] = {"limit": LIMIT, "skip": chance.randrange(contracts)}
            found.append(asked(connection, PAGE, **values)[0])
    return found
