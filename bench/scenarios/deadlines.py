"""Thirty thousand deadlines at one moment, 1 % silent: makima's sweep, and kopf's timers on fewer objects.

kopf's figures are for the objects that it had; those for the whole fleet are scaled by their number, and say so.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import psycopg

from bench import own_processes
from bench.beats.fleet import CURRENT, PHASE, contract_id, task_id
from bench.beats.place import register_all
from bench.cluster import NAMESPACE, BenchCluster, bench_cluster
from bench.contenders.processes import ROOT, Contender
from bench.contenders.sweep import TIMEOUT, Fleet
from bench.deadlines import until
from bench.results import Results, Run
from makima.adapters.kubernetes.connection import MERGE_PATCH
from makima.adapters.postgres.database import Database
from makima.adapters.postgres.heartbeat_partitions import make_hours

SILENT = 100
"""One in so many."""

AHEAD = 30.0
"""Seconds in which everything is prepared, before the deadlines."""

LOOKED = 10.0
SUPERVISORS = f"/apis/makima.dev/v1alpha1/namespaces/{NAMESPACE}/supervisors"
HEARTBEATS = "supervisor_task_id, contract_id, incarnation, sequence, state, phase, timestamp"


async def measure(run: Run, name: str, results: Results) -> None:
    """One fleet for each."""
    if name not in ("makima", "plain_kopf"):
        return
    number = run.supervisors if name == "makima" else run.timers
    run.tell(f"deadlines of {number:,} supervisors, one in {SILENT} silent: {name}")
    async with bench_cluster(run.scratch) as cluster:
        if name == "makima":
            await _sweep(run, cluster, results)
        else:
            await _timers(run, cluster, results)


async def _sweep(run: Run, cluster: BenchCluster, results: Results) -> None:
    url = await cluster.fresh_database()
    await asyncio.to_thread(register_all, url, run.supervisors)
    untold = await _swept(run, url, told=False)
    found = await _swept(run, url, told=True)
    results.put(
        "makima",
        **{
            "deadlines.last": found["last"],
            "deadlines.untold": untold["last"],
            "deadlines.cpu": found["cpu"] / run.supervisors * 1e6,
            "deadlines.untold_cpu": untold["cpu"] / run.supervisors * 1e6,
            "deadlines.cores": found["idle"],
            "deadlines.memory": found["memory"] * 1024 / run.supervisors,
            "deadlines.fleet": found["memory"],
        },
    )


async def _swept(run: Run, url: str, *, told: bool) -> dict[str, float]:
    due = time.time() + AHEAD
    await _prepare(url, run.supervisors, datetime.fromtimestamp(due, UTC))
    fleet = Fleet(url, run.supervisors, due, SILENT, LOOKED, told)
    return dict(await own_processes.told("bench.contenders.sweep", run.scratch / "sweep.json", fleet, AHEAD + 120))


async def _prepare(url: str, number: int, due: datetime) -> None:
    database = Database(url)
    await database.open()
    await make_hours(database, [due - 2 * TIMEOUT, due])
    await database.close()
    await asyncio.to_thread(_fill, url, number, due)


def _fill(url: str, number: int, due: datetime) -> None:
    """Two heartbeats each, the second one only of those that live; and coverage for all the time."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE supervisor_heartbeats, ingest_coverage")
        with cursor.copy(f"COPY supervisor_heartbeats ({HEARTBEATS}) FROM STDIN".encode()) as copy:
            for sequence, before in ((1, TIMEOUT), (2, TIMEOUT / 4)):
                for index in range(number):
                    if sequence == 1 or index % SILENT:
                        ids = (task_id(index), contract_id(index))
                        copy.write_row((*ids, CURRENT, sequence, "working", PHASE, due - before))
        spans = "INSERT INTO ingest_coverage (instance, started_at, until_at) VALUES ('bench', %s, %s)"
        cursor.execute(spans.encode(), (due - 3 * TIMEOUT, due + timedelta(hours=1)))
        cursor.execute("ANALYZE supervisor_heartbeats")


async def _timers(run: Run, cluster: BenchCluster, results: Results) -> None:
    bare = await _bare(cluster)
    for index in range(run.timers):
        await _create(cluster, index)
    contender = await asyncio.to_thread(_kopf, cluster)
    try:
        await until(lambda: _looks(contender) >= 2 * run.timers, 600, "kopf to look at every object", pause=0.5)
        looks, used, began = _looks(contender), contender.cpu_seconds(), time.perf_counter()
        await asyncio.sleep(LOOKED)
        looked, spent = _looks(contender) - looks, contender.cpu_seconds() - used
        cores = spent / (time.perf_counter() - began)
        last = await _find(contender, cluster, run.timers)
        memory = contender.peak_mib() - bare
    finally:
        await contender.stop()
    results.put(
        "plain_kopf",
        **{
            "deadlines.last": last,
            "deadlines.cpu": spent / max(1, looked) * 1e6,
            "deadlines.cores": cores / run.timers * run.supervisors,
            "deadlines.memory": memory * 1024 / run.timers,
            "deadlines.fleet": memory / run.timers * run.supervisors,
        },
    )


async def _find(contender: Contender, cluster: BenchCluster, number: int) -> float:
    """Seconds from the deadline until the last silent one was found."""
    silent = range(0, number, SILENT)
    due = datetime.now(UTC) + timedelta(seconds=LOOKED)
    for index in silent:
        await _beat(cluster, index, due - TIMEOUT)
    await until(lambda: len(_silent(contender)) >= len(silent), 120, "kopf to find the silent ones", pause=0.1)
    return max(_silent(contender))


async def _bare(cluster: BenchCluster) -> float:
    """Memory of kopf with nothing to watch."""
    contender = await asyncio.to_thread(_kopf, cluster)
    try:
        await until(lambda: "looks" in _log(contender), 60, "kopf to begin")
        await asyncio.sleep(3)
        return contender.peak_mib()
    finally:
        await contender.stop()


async def _create(cluster: BenchCluster, index: int) -> None:
    metadata = {"name": f"s{index:05d}"}
    body = {"apiVersion": "makima.dev/v1alpha1", "kind": "Supervisor", "metadata": metadata, "spec": {}}
    await cluster.admin.request("POST", SUPERVISORS, body=body)
    await _beat(cluster, index, datetime.now(UTC) + timedelta(hours=1))  # nobody is silent yet


async def _beat(cluster: BenchCluster, index: int, at: datetime) -> None:
    path = f"{SUPERVISORS}/s{index:05d}/status"
    patch = {"status": {"lastHeartbeatTime": at.isoformat()}}
    await cluster.admin.request("PATCH", path, body=patch, content_type=MERGE_PATCH)


def _kopf(cluster: BenchCluster) -> Contender:
    log = cluster.scratch / f"kopf-timers-{time.time_ns()}.log"
    program = str(ROOT / "bench" / "contenders" / "kopf_timers.py")
    command = [sys.executable, "-m", "kopf", "run", "--quiet", "--all-namespaces", "--standalone", program]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MAKIMA_", "KUBE"))}
    environment = {**kept, "KUBECONFIG": str(cluster.twin_kubeconfig)}
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=ROOT)
    return Contender("kopf timers", process, log, time.perf_counter())


def _log(contender: Contender) -> str:
    contender.check()
    return contender.log.read_text()


def _said(contender: Contender, word: str) -> list[float]:
    lines = (line.split() for line in _log(contender).splitlines())
    return [float(line[1]) for line in lines if len(line) == 2 and line[0] == word]


def _looks(contender: Contender) -> float:
    return max(_said(contender, "looks"), default=0)


def _silent(contender: Contender) -> list[float]:
    return _said(contender, "silent")
