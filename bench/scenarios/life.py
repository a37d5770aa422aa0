"""Whole lives: contracts of five guarded phases, from creation to Completed, confirmations sent 16 at a time."""

from __future__ import annotations

import asyncio
import time

from bench.cluster import BenchCluster, bench_cluster
from bench.contenders.processes import Contender, running
from bench.counters import Writes, settled_writes
from bench.deadlines import until
from bench.load import IN_FLIGHT, Confirmations, create_all, names
from bench.observer import Observer, observing
from bench.results import Results, Run


async def measure(run: Run, name: str, results: Results) -> None:
    """Create all, wait until all wait; then confirm whatever waits until all are Completed."""
    run.tell(f"{run.lives} lives of five guarded phases: {name}")
    async with bench_cluster(run.scratch) as cluster:
        database_url = await cluster.fresh_database()
        async with running(name, cluster, database_url) as contender:
            await _warm_up(cluster)
            before = await settled_writes(cluster.admin)
            async with observing(cluster.admin) as observer:
                sent = await _live(run.lives, cluster, contender, observer, results)
            writes = await settled_writes(cluster.admin) - before
            results.put(name, **{"life.peak": contender.peak_mib()})
    _put_writes(name, run.lives, observer, writes - Writes(objects=run.lives + sent), results)


async def _warm_up(cluster: BenchCluster) -> None:
    async with observing(cluster.admin) as observer:
        await create_all(cluster.admin, ["warm-up"])
        await observer.wait_for("WaitingForInput", 1, 60)


async def _live(number: int, cluster: BenchCluster, contender: Contender, observer: Observer, results: Results) -> int:
    name, began = contender.name, time.perf_counter()
    await create_all(cluster.admin, names(number))
    await observer.wait_for("WaitingForInput", number, 600)
    active, waiting = observer.last_first("Active") - began, time.perf_counter() - began
    confirmations = Confirmations(cluster.admin)
    for item in list(observer.status):
        confirmations.see(item, observer.status[item])
    observer.on_status = confirmations.see
    workers = [asyncio.create_task(confirmations.work()) for _ in range(IN_FLIGHT)]

    def completed() -> bool:
        contender.check()
        observer.check()
        for worker in workers:
            if worker.done():
                worker.result()  # raises what ended it
        return observer.ever("Completed") >= number

    try:
        await until(completed, 1200, f"{name} to complete {number} contracts", pause=0.05)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    total = observer.last_first("Completed") - began
    results.put(name, **{"life.active": active, "life.waiting": waiting, "life.total": total})
    return confirmations.sent


def _put_writes(name: str, number: int, observer: Observer, writes: Writes, results: Results) -> None:
    transitions = sum(status["version"] for status in observer.status.values())
    results.put(
        name,
        **{
            "life.status": writes.status / number,
            "life.objects": (writes.status + writes.objects) / number,
            "life.events": writes.events / number,
            "life.refused": writes.refused / number,
            "life.per_transition": writes.status / transitions,
        },
    )
