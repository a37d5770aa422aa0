"""The dashboard over a large projection, while heartbeats come in and contracts change, against plain COUNT SQL.

The measurement fails if the counts are not those of the rows at its end, or if a heartbeat was lost.
"""

from __future__ import annotations

import asyncio
import time

import aiohttp
import psycopg

from bench.beats.place import accounts, api_process, register_all
from bench.board.beats import Steady
from bench.board.beside import beating, changing
from bench.board.changes import CHANGES, PAUSE, Changes
from bench.board.filling import Size, fill, hear
from bench.board.looking import Looker, figures, viewer
from bench.board.plain import DASHBOARD, asked
from bench.cluster import NAMESPACE, BenchCluster, bench_cluster
from bench.results import Results, Run

PATH = "/api/v1/contracts/dashboard"


async def measure(run: Run, name: str, results: Results) -> None:
    """Everything, also in the fleet's first round; one namespace; plain SQL; heartbeats and changes all the while."""
    if name != "makima":
        return
    size = Size(run.contracts, min(run.supervisors, run.contracts // 3), run.events)
    async with bench_cluster(run.scratch) as cluster:
        url = await cluster.fresh_database()
        run.tell(f"{size.contracts:,} contracts and {size.events:,} events are filled in")
        await asyncio.to_thread(fill, url, size)
        await asyncio.to_thread(register_all, url, size.carried)
        await asyncio.to_thread(hear, url)
        carriers, _ = await accounts(cluster.admin)
        async with api_process(cluster, url) as (api, port):
            seconds = run.round_seconds + 3 * run.look_seconds + 5
            rate = size.carried / run.round_seconds
            run.tell(f"dashboard for {seconds:g} s, {rate:,.0f} heartbeats/s and {CHANGES / PAUSE:g} changes/s")
            beats = Steady(port, carriers[0], size.carried, rate, seconds)
            changes = Changes(url, size.contracts, size.carried, seconds)
            async with beating(run, beats), changing(run, changes):
                await _looked_at(run, cluster, url, port, results)
            api.check()


async def _looked_at(run: Run, cluster: BenchCluster, url: str, port: int, results: Results) -> None:
    everything = await viewer(cluster.admin, "sees-all", namespace=None)
    one = await viewer(cluster.admin, "sees-one", namespace=NAMESPACE)
    # In the first round each heartbeat changes its supervisor's state, which is an event, and a session to be read.
    looks = (
        ("dashboard.first", everything, run.round_seconds),
        ("dashboard.all", everything, run.look_seconds),
        ("dashboard.one", one, run.look_seconds),
    )
    async with aiohttp.ClientSession() as session:
        for key, token, seconds in looks:
            looker = Looker(session, port, token)
            await looker.get(PATH)  # RBAC is asked, statements are prepared
            results.put("makima", **figures(key, await looker.for_seconds(seconds, lambda: PATH)))
    plain = await asyncio.to_thread(_plain, url, run.look_seconds)
    results.put("makima", **figures("dashboard.plain", plain))
    figure = results.figures["makima"]
    results.put("makima", **{"dashboard.faster": figure["dashboard.plain.p50"] / figure["dashboard.all.p50"]})


def _plain(url: str, seconds: float) -> list[float]:
    with psycopg.connect(url, autocommit=True) as connection:
        asked(connection, DASHBOARD)
        until, found = time.monotonic() + seconds, []
        while time.monotonic() < until:
            found.append(asked(connection, DASHBOARD)[0])
            time.sleep(0.05)
    return sorted(found)
