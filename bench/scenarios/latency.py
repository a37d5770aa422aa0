"""Create → Active: contracts created at a fixed rate, seen Active by one watch of the load generator."""

from __future__ import annotations

from bench.cluster import BenchCluster, bench_cluster
from bench.contenders.processes import running
from bench.deadlines import BenchError
from bench.load import OpenLoop, create_all, names
from bench.observer import observing
from bench.results import Results, Run, percentile

WARM_UP = 20
LATE = 0.05
"""Seconds by which the load generator may be late (p99) without a remark."""


async def measure(run: Run, name: str, results: Results) -> None:
    """Both rates, one after the other, on a process that is warm."""
    async with bench_cluster(run.scratch) as cluster:
        database_url = await cluster.fresh_database()
        async with running(name, cluster, database_url) as contender:
            await _warm_up(cluster)
            for rate in run.rates:
                run.tell(f"create → Active at {rate}/s for {run.latency_seconds} s: {name}")
                await _measure_rate(run, cluster, name, rate, results)
                contender.check()
                await contender.quiet(120)


async def _warm_up(cluster: BenchCluster) -> None:
    async with observing(cluster.admin) as observer:
        await create_all(cluster.admin, [f"warm-{name}" for name in names(WARM_UP)], in_flight=2)
        await observer.wait_for("WaitingForInput", WARM_UP, 120)


async def _measure_rate(run: Run, cluster: BenchCluster, name: str, rate: int, results: Results) -> None:
    number = rate * run.latency_seconds
    async with observing(cluster.admin) as observer:
        loop = OpenLoop(cluster.admin, rate)
        await loop.run([f"r{rate}-{item}" for item in names(number)])
        await observer.wait_for("Active", number, 300)
        taken, late = loop.latencies(observer, "Active"), percentile(sorted(loop.late), 0.99)
    results.put(name, **{f"r{rate}.p50": percentile(taken, 0.5) * 1000, f"r{rate}.p99": percentile(taken, 0.99) * 1000})
    results.put(name, **{f"r{rate}.late": late * 1000})
    if late > LATE:
        results.remarks.append(
            f"ERROR: at {rate}/s with {name} the load generator was {late * 1000:.0f} ms late (p99): "
            "the rate was not kept, so that latency does not count"
        )
    if len(taken) != number:
        raise BenchError(f"{number - len(taken)} contracts are missing from the latency at {rate}/s of {name}")
