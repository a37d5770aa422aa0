"""The leader is killed: how long until a change is reacted to. makima only: the twins have no second process."""

from __future__ import annotations

import asyncio
import time

from bench.cluster import bench_cluster
from bench.contenders.processes import running
from bench.deadlines import until
from bench.load import create_all, names, suspend
from bench.observer import observing
from bench.results import Results, Run


async def measure(run: Run, name: str, results: Results) -> None:
    """Two processes; SIGKILL to the one that leads, and a change at the same moment."""
    if name != "makima":
        return
    run.tell(f"the leader is killed, {run.failover_size} contracts wait: {name}")
    async with bench_cluster(run.scratch) as cluster:
        database_url = await cluster.fresh_database()
        async with observing(cluster.admin) as observer, running(name, cluster, database_url) as leader:
            everything = names(run.failover_size)
            await create_all(cluster.admin, everything)
            await observer.wait_for("WaitingForInput", len(everything), 300)
            async with running(name, cluster, database_url) as standby:
                await asyncio.sleep(5)
                await standby.quiet(60)
                killed = time.perf_counter()
                await leader.kill()
                await suspend(cluster.admin, everything[0])

                def reacted() -> bool:
                    standby.check()
                    observer.check()
                    return "Paused" in observer.first[everything[0]]

                await until(reacted, 120, "the standby to react after the leader was killed")
                results.put(name, failover=observer.first[everything[0]]["Paused"] - killed)
