"""The live monitor: clients with different filters while events are recorded, against one queue for each client.

The measurement fails if makima loses, repeats or misdirects a single event, or if any of its clients is cut off.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from bench.beats.place import AUDIENCE, RBAC, api_process
from bench.cluster import NAMESPACE, BenchCluster, bench_cluster
from bench.contenders.processes import ROOT, Contender, inherited, launch
from bench.deadlines import BenchError, until
from bench.own_processes import environment, plan_file
from bench.results import Results, Run
from bench.watch.plan import CONTRACTS, Happening, WatchPlan, contract_id, namespace, status, watchers
from makima.adapters.postgres.history import PostgresHistory
from makima.models.history import ContractRow, HistoryBatch, HistoryEvent

RATE = 1000
"""Events a second."""

BUNDLE_SECONDS = 0.05
"""What happens within this time is one commit; the operator gathers twice as long."""

SILENT = 5


async def measure(run: Run, name: str, results: Results) -> None:
    """makima, then its naive twin, over the same database; makima only."""
    if name != "makima":
        return
    async with bench_cluster(run.scratch) as cluster:
        url = await cluster.fresh_database()
        token = await _viewer(cluster)
        history = PostgresHistory(url)
        await history.open()
        try:
            await history.record(HistoryBatch(rows=tuple(map(_row, range(CONTRACTS)))))
            here = _Place(run, cluster, url, history)
            results.put(name, **{f"monitor.{key}": value for key, value in (await _makima(here, token)).items()})
            results.put(name, **{f"monitor.naive.{key}": value for key, value in (await _twin(here)).items()})
        finally:
            await history.close()


@dataclass(frozen=True, slots=True)
class _Place:
    run: Run
    cluster: BenchCluster
    url: str
    history: PostgresHistory


async def _makima(here: _Place, token: str) -> dict[str, float]:
    run = here.run
    run.tell(f"{run.watchers:,} clients watch {RATE:,} events/s for {run.watch_seconds:g} s")
    async with api_process(here.cluster, here.url) as (api, port):
        plan = WatchPlan("makima", port, token, run.watchers, SILENT)
        figures = await _watched(here, api, plan, range(int(RATE * run.watch_seconds)))
    if figures.pop("wrong") or figures["lost"]:
        raise BenchError("events were lost, repeated or misdirected, or clients were cut off")
    return figures


async def _twin(here: _Place) -> dict[str, float]:
    run = here.run
    run.tell(f"beside it for {run.watch_twin_seconds:g} s: one queue for each client, no filters")
    async with _naive(here.cluster, here.url) as (server, port):
        plan = WatchPlan("naive", port, "", run.watchers, SILENT, filtered=False)
        first = int(RATE * run.watch_seconds)
        return await _watched(here, server, plan, range(first, first + int(RATE * run.watch_twin_seconds)))


async def _watched(here: _Place, server: Contender, plan: WatchPlan, happenings: range) -> dict[str, float]:
    """Figures of one server: times in ms, memory in MiB, CPU for each delivery in µs."""
    async with _clients(here.run, plan) as clients:
        memory, cpu = server.peak_mib(), server.cpu_seconds()
        began = time.perf_counter()
        await _happen(here.history, happenings)
        seconds = time.perf_counter() - began
        report = await _report(clients)
        server.check()
        used, peak = server.cpu_seconds() - cpu, server.peak_mib()
    lost, wrong, came = _compare(report["numbers"], happenings)
    return {
        "p50": report["p50"] * 1000,
        "p99": report["p99"] * 1000,
        "longest": report["longest"] * 1000,
        "rate": came / seconds,
        "events": len(happenings) / seconds,
        "lost": float(lost + len(report["lost"])),
        "wrong": float(wrong),
        "memory": peak - memory,
        "peak": peak,
        "cpu": used / max(1, came + report["thrown_away"]) * 1e6,
        "cores": used / seconds,
    }


def _compare(numbers: list[list[int]], happenings: Iterable[int]) -> tuple[int, int, int]:
    """What did not come, what should not have come (or came twice, or out of order), and what came."""
    by_contract: dict[int, list[int]] = {}
    for number in happenings:
        by_contract.setdefault(Happening(number).contract, []).append(number)
    lost = wrong = came = 0
    for watcher, got in zip(watchers(len(numbers)), numbers, strict=True):
        wanted = {n for contract, some in by_contract.items() if watcher.wants(contract) for n in some}
        lost += len(wanted - set(got))
        wrong += len(set(got) - wanted) + (len(got) - len(set(got))) + (got != sorted(got))
        came += len(got)
    return lost, wrong, came


async def _happen(history: PostgresHistory, happenings: range) -> None:
    """Record them at the rate, in bundles; a bundle that is late is made up for."""
    began, done = time.perf_counter(), happenings.start
    while done < happenings.stop:
        due = min(happenings.stop, happenings.start + int((time.perf_counter() - began) * RATE) + 1)
        if due > done:
            await history.record(HistoryBatch(events=tuple(_event(number) for number in range(done, due))))
            done = due
        await asyncio.sleep(BUNDLE_SECONDS)


def _event(number: int) -> HistoryEvent:
    contract = Happening(number).contract
    payload = {"number": number, "contract": contract, "sent": time.time(), "contract_status": status(contract)}
    return HistoryEvent(
        uuid4(),
        contract_id(contract),
        namespace(contract),
        f"c{contract:04d}",
        None,
        "ContractTouched",
        datetime.now(UTC),
        None,
        payload,
    )


def _row(index: int) -> ContractRow:
    now = datetime.now(UTC)
    return ContractRow(
        uid=contract_id(index),
        namespace=namespace(index),
        name=f"c{index:04d}",
        type="simple",
        status=status(index),
        phase="plan",
        phases=("plan", "execute"),
        version=1,
        resource_version="1",
        generation=1,
        created_at=now,
        updated_at=now,
    )


@asynccontextmanager
async def _clients(run: Run, plan: WatchPlan) -> AsyncIterator[asyncio.subprocess.Process]:
    """The clients' process, once all of them are connected."""
    file = await asyncio.to_thread(plan_file, run.scratch / f"watchers-{plan.kind}.json", plan)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.watch.watchers",
        str(file),
        env=environment(),
        cwd=ROOT,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        limit=512 * 1024 * 1024,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(300):
            first = await process.stdout.readline()
        if first != b"ready\n":
            raise BenchError(f"the clients could not connect: {await _last_words(process)}")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _report(process: asyncio.subprocess.Process) -> dict[str, Any]:
    try:
        async with asyncio.timeout(300):
            out, error = await process.communicate(b"")  # ends their input, which ends them
    except TimeoutError:
        raise BenchError("the clients did not report in time") from None
    if process.returncode != 0:
        raise BenchError(f"the clients failed: {error.decode()[-2000:]}")
    found: dict[str, Any] = json.loads(out)
    return found


async def _last_words(process: asyncio.subprocess.Process) -> str:
    process.kill()
    _, error = await process.communicate()
    return error.decode()[-2000:]


@asynccontextmanager
async def _naive(cluster: BenchCluster, url: str) -> AsyncIterator[tuple[Contender, int]]:
    ports = cluster.scratch / "naive.port"
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "bench.watch.naive", url, str(ports)]
    found = launch("naive", cluster, command, {**inherited(), "PYTHONPATH": path})
    try:
        await until(lambda: found.check() is None and ports.exists() and ports.read_text() != "", 60, "the naive twin")
        yield found, int(ports.read_text())
    finally:
        await found.stop()


async def _viewer(cluster: BenchCluster) -> str:
    """The token of an account that may look everywhere."""
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    await cluster.admin.request("POST", path, body={"metadata": {"name": "watcher"}})
    binding = {
        "metadata": {"name": "bench-watcher"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "makima-view"},
        "subjects": [{"kind": "ServiceAccount", "name": "watcher", "namespace": NAMESPACE}],
    }
    await cluster.admin.request("POST", f"{RBAC}/clusterrolebindings", body=binding)
    body = {"spec": {"audiences": [AUDIENCE], "expirationSeconds": 7200}}
    return str((await cluster.admin.request("POST", f"{path}/watcher/token", body=body))["status"]["token"])
