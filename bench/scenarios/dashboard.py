"""The dashboard over a large projection, while heartbeats come in and contracts change, against plain COUNT SQL.

The measurement fails if the counts are not those of the rows at its end, or if a heartbeat was lost.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from bench.beats.fleet import contract_id
from bench.beats.place import accounts, api_process, output_of, register_all
from bench.board.beats import Steady
from bench.board.filling import PHASES, Size, fill, hear, status_of
from bench.board.looking import Looker, figures, viewer
from bench.board.plain import DASHBOARD, asked
from bench.cluster import NAMESPACE, BenchCluster, bench_cluster
from bench.deadlines import BenchError
from bench.results import Results, Run
from makima.adapters.postgres.counts import ContractCounts
from makima.adapters.postgres.history import PostgresHistory
from makima.models.history import ContractRow, HistoryBatch

BEAT_SECONDS = 30.0
"""Between two heartbeats of a supervisor."""

CHANGES = 5
CHANGE_PAUSE = 0.1
PATH = "/api/v1/contracts/dashboard"


async def measure(run: Run, name: str, results: Results) -> None:
    """Everything, then one namespace, then plain SQL; heartbeats and changes all the while."""
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
            seconds = 3 * run.look_seconds + 5
            rate = size.carried / BEAT_SECONDS
            run.tell(f"dashboard for {seconds:g} s, {rate:,.0f} heartbeats/s and {CHANGES / CHANGE_PAUSE:g} changes/s")
            async with beating(run, Steady(port, carriers[0], size.carried, rate, seconds)), changing(url, size):
                await _looked_at(run, cluster, url, port, results)
            api.check()


async def _looked_at(run: Run, cluster: BenchCluster, url: str, port: int, results: Results) -> None:
    everything = await viewer(cluster.admin, "sees-all", namespace=None)
    one = await viewer(cluster.admin, "sees-one", namespace=NAMESPACE)
    async with aiohttp.ClientSession() as session:
        for key, token in (("dashboard.all", everything), ("dashboard.one", one)):
            looker = Looker(session, port, token)
            await looker.get(PATH)  # RBAC is asked, statements are prepared
            found = await looker.for_seconds(run.look_seconds, lambda: PATH)
            results.put("makima", **figures(key, found))
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


@asynccontextmanager
async def beating(run: Run, plan: Steady) -> AsyncIterator[None]:
    """Heartbeats during the block, and until their time is over.

    Raises:
        BenchError: one was not stored.
    """
    file = await asyncio.to_thread(_written, run.scratch / "steady.json", asdict(plan))
    sender = asyncio.create_task(output_of([sys.executable, "-m", "bench.board.beats", str(file)], plan.seconds + 120))
    try:
        yield
        sent = json.loads(await sender)
    finally:
        sender.cancel()
    if sent["stored"] != sent["sent"] or not sent["sent"]:
        raise BenchError(f"{sent['sent']} heartbeats were sent, {sent['stored']} stored")


@asynccontextmanager
async def changing(url: str, size: Size) -> AsyncIterator[None]:
    """Contracts change during the block, as the operator records it.

    Raises:
        BenchError: at the end the counts are not those of the rows.
    """
    history = PostgresHistory(url)
    await history.open()
    changes = asyncio.create_task(_change(history, size))
    try:
        yield
        changes.cancel()
        await asyncio.gather(changes, return_exceptions=True)
        wrong = await ContractCounts(history.database).wrong()
    finally:
        changes.cancel()
        await history.close()
    if wrong:
        raise BenchError(f"counts are wrong: {wrong[:3]}")


async def _change(history: PostgresHistory, size: Size) -> None:
    chance, version = random.Random(5), 1000
    while True:
        version += 1
        rows = {
            number: _changed(number, version, chance, size) for number in chance.sample(range(size.contracts), CHANGES)
        }
        await history.record(HistoryBatch(rows=tuple(rows.values())))
        await asyncio.sleep(CHANGE_PAUSE)


def _changed(number: int, version: int, chance: random.Random, size: Size) -> ContractRow:
    now = datetime.now(UTC)
    return ContractRow(
        uid=contract_id(number),
        namespace="",  # a row that is there keeps its own
        name="",
        type="specification",
        status=status_of(chance.randrange(size.contracts), size),
        phase=chance.choice(PHASES),
        phases=PHASES,
        version=version,
        resource_version=str(version),
        generation=1,
        created_at=now,
        updated_at=now,
        status_changed_at=now,
        last_activity_at=now,
    )


def _written(file: Path, what: dict[str, Any]) -> Path:
    """For this user's eyes only: it has a token in it."""
    file.touch(mode=0o600)
    file.write_text(json.dumps(what))
    return file
