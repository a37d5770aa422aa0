"""Start with many contracts that are there already: the very first start, and a restart.

First start: the contracts were created while no operator ran; each has to be accepted, made Active, and waits.
Restart: all wait, nothing is to be done. In both, a few random contracts are suspended the moment the process is
started, and the reaction to that is waited for (the median of them counts).
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from dataclasses import dataclass

from bench.cluster import NAMESPACE, BenchCluster, bench_cluster
from bench.contenders.processes import running
from bench.counters import Writes, read_writes, settled_writes
from bench.deadlines import until
from bench.load import create_all, names, suspend
from bench.observer import observing
from bench.results import Results, Run
from bench.watching import contract_path, list_all

CHANGES = 5
LISTS = 3


@dataclass(frozen=True, slots=True)
class Started:
    """One start, measured from just before the process was made."""

    reaction: float
    all_waiting: float
    peak_mib: float
    writes: Writes


async def measure(run: Run, name: str, results: Results) -> None:
    """Both starts, for every size."""
    for label, size in run.start_sizes.items():
        run.tell(f"start, {size} contracts: {name}")
        async with bench_cluster(run.scratch) as cluster:
            await _measure_size(cluster, name, label, size, results)


async def _measure_size(cluster: BenchCluster, name: str, label: str, size: int, results: Results) -> None:
    database_url = await cluster.fresh_database()
    everything = names(size)
    chosen = random.Random(size).sample(everything, 2 * CHANGES)  # the same for every contender
    await create_all(cluster.admin, everything)
    first = await _start(cluster, name, database_url, chosen[:CHANGES], waiting=size - CHANGES)
    bare = await bare_list(cluster)
    again = await _start(cluster, name, database_url, chosen[CHANGES:], waiting=0)
    results.put(
        name,
        **{
            f"{label}.first.reaction": first.reaction,
            f"{label}.first.all": first.all_waiting,
            f"{label}.first.writes": (first.writes.status + first.writes.objects) / size,
            f"{label}.list": bare,
            f"{label}.reaction": again.reaction,
            f"{label}.peak": again.peak_mib,
            f"{label}.writes": again.writes.status + again.writes.objects - CHANGES,
        },
    )


async def _start(cluster: BenchCluster, name: str, database_url: str, changed: list[str], *, waiting: int) -> Started:
    before = await settled_writes(cluster.admin)
    async with observing(cluster.admin) as observer, running(name, cluster, database_url) as contender:
        for contract in changed:
            await suspend(cluster.admin, contract)

        def reacted() -> bool:
            contender.check()
            observer.check()
            return all("Paused" in observer.first.get(contract, {}) for contract in changed)

        await until(reacted, 1200, f"{name} to pause {len(changed)} contracts after its start")
        times = [observer.first[contract]["Paused"] - contender.began for contract in changed]
        await observer.wait_for("WaitingForInput", waiting, 1200)
        done = time.perf_counter() - contender.began
        await contender.quiet(300)
        peak = contender.peak_mib()
        writes = await read_writes(cluster.admin) - before
    own = Writes(objects=len(changed))  # the load generator's changes themselves
    return Started(statistics.median(times), done, peak, writes - own)


async def bare_list(cluster: BenchCluster) -> float:
    """Seconds for one GET of all contracts, parsed: what no operator can be faster than."""
    taken = []
    for _ in range(LISTS):
        began = time.perf_counter()
        await list_all(cluster.admin, contract_path(NAMESPACE))
        taken.append(time.perf_counter() - began)
        await asyncio.sleep(0.2)
    return statistics.median(taken)
