"""Heartbeats against one `makima api` process: how many a second, durable, authenticated and fenced; makima only.

The measurement fails if a single answer was wrong, if a row is there that was refused, or if the rows are not exactly
those that were acknowledged.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import psycopg

from bench.beats.exchanges import Plan
from bench.beats.fleet import CURRENT, FIRST_SEQUENCE, PHASE
from bench.beats.place import accounts, api_process, register_all
from bench.beats.twins import Work
from bench.cluster import NAMESPACE, BenchCluster, bench_cluster
from bench.contenders.processes import Contender
from bench.deadlines import BenchError
from bench.own_processes import told
from bench.results import Results, Run
from makima.adapters.postgres.database import Database
from makima.adapters.postgres.heartbeats import PostgresHeartbeats

KINDS = {"single": (64, 1), "batch": (16, 200), "stream": (16, 200)}
"""Sockets, and heartbeats in one exchange; one exchange is under way on each socket."""

ROOM = 20_000_000
"""Sequences of one part of the run."""

PATCHED = 200
"""Supervisors on the API server for the status patches."""


async def measure(run: Run, name: str, results: Results) -> None:
    """Single requests, batches, stream; then what else could write the same."""
    if name != "makima":
        return
    async with bench_cluster(run.scratch) as cluster:
        await _service(run, cluster, results)
        await _twins(run, cluster, results)
    for kind in KINDS:
        for twin in ("copy", "insert", "patch"):
            rate = results.figures[name][f"beats.{kind}.rate"]
            results.put(name, **{f"beats.{kind}.{twin}": rate / results.figures[name][f"beats.{twin}"]})


async def _service(run: Run, cluster: BenchCluster, results: Results) -> None:
    url = await cluster.fresh_database()
    await asyncio.to_thread(register_all, url, run.supervisors)
    tokens, foreign = await accounts(cluster.admin)
    async with api_process(cluster, url) as (api, port):
        for place, (kind, (sockets, size)) in enumerate(KINDS.items()):
            run.tell(f"heartbeats of {run.supervisors:,} supervisors for {run.beat_seconds:g} s: {kind}")
            sequence = FIRST_SEQUENCE + place * ROOM
            warm_up = min(5.0, run.beat_seconds / 3)
            plan = Plan(
                kind, port, tokens, foreign, run.supervisors, sockets, size, sequence, run.beat_seconds, warm_up
            )
            await _part(run, url, api, plan, results)
        results.put("makima", **{"beats.peak": api.peak_mib()})


async def _part(run: Run, url: str, api: Contender, plan: Plan, results: Results) -> None:
    before = await asyncio.to_thread(_rows, url)
    await asyncio.to_thread(_settle, url)
    used = api.cpu_seconds()
    sent = await _process(run, "bench.beats.sender", plan, plan.warm_up + plan.seconds)
    spent = api.cpu_seconds() - used
    api.check()
    _require_right(plan.kind, sent, await asyncio.to_thread(_rows, url) - before)
    strays = sum(sent["refused"].values())
    results.put(
        "makima",
        **{
            f"beats.{plan.kind}.rate": sent["rate"],
            f"beats.{plan.kind}.p50": sent["p50"],
            f"beats.{plan.kind}.p99": sent["p99"],
            f"beats.{plan.kind}.cpu": spent / sent["stored"] * 1e6,
            f"beats.{plan.kind}.load": sent["cpu"] / (plan.seconds + plan.warm_up),
            f"beats.{plan.kind}.strays": 100 * strays / (strays + sent["stored"]),
        },
    )


def _require_right(kind: str, sent: dict[str, Any], rows: int) -> None:
    if sent["wrong"]:
        raise BenchError(f"{kind}: {sent['wrong']} answers were wrong, such as {sent['shown']}")
    if rows != sent["stored"]:
        raise BenchError(f"{kind}: {sent['stored']} heartbeats were acknowledged, {rows} were stored")
    for code in ("SUPERSEDED", "FORBIDDEN"):
        if not sent["refused"].get(code):
            raise BenchError(f"{kind}: no stray was refused as {code}, so the run shows nothing about it")


def _rows(url: str) -> int:
    """Heartbeats that are stored.

    Raises:
        BenchError: one of them must not be there, or there twice.
    """
    query = (
        "SELECT count(*), count(*) FILTER (WHERE phase <> %s OR incarnation <> %s),"
        " count(*) - count(DISTINCT (contract_id, sequence)) FROM supervisor_heartbeats"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET work_mem = '512MB'")
        found = connection.execute(query.encode(), (PHASE, CURRENT)).fetchone()
    rows, strays, twice = found or (0, 0, 0)
    if strays or twice:
        raise BenchError(f"{strays} heartbeats were stored that had to be refused, and {twice} twice")
    return int(rows)


def _settle(url: str) -> None:
    """Each part begins with nothing left to be written of the one before."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


async def _twins(run: Run, cluster: BenchCluster, results: Results) -> None:
    url = await cluster.fresh_database()
    database = Database(url)
    await database.open()
    await PostgresHeartbeats(database).keep_partitions(datetime.now(UTC))
    await database.close()
    names = await _supervisors(cluster, min(PATCHED, run.supervisors))
    kubeconfig = str(cluster.twin_kubeconfig)  # makima's own accounts may not patch
    for work in (
        Work("copy", url, run.supervisors, run.twin_seconds),
        Work("insert", url, run.supervisors, run.twin_seconds),
        Work("patch", kubeconfig, run.supervisors, run.twin_seconds, NAMESPACE, names),
    ):
        run.tell(f"beside it for {run.twin_seconds:g} s: {work.kind}")
        await asyncio.to_thread(_settle, url)
        rate = await _process(run, "bench.beats.twins", work, work.seconds)
        results.put("makima", **{f"beats.{work.kind}": float(rate)})


async def _supervisors(cluster: BenchCluster, number: int) -> tuple[str, ...]:
    names = tuple(f"s{index:05d}" for index in range(number))
    path = f"/apis/makima.dev/v1alpha1/namespaces/{NAMESPACE}/supervisors"
    for name in names:
        body = {"apiVersion": "makima.dev/v1alpha1", "kind": "Supervisor", "metadata": {"name": name}, "spec": {}}
        await cluster.admin.request("POST", path, body=body)
    return names


async def _process(run: Run, module: str, plan: Plan | Work, seconds: float) -> Any:
    return await told(module, run.scratch / f"{module}-{plan.kind}.json", plan, seconds + 90)
