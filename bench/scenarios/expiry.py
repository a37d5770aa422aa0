"""An hour of heartbeats goes: as a partition, the way the API service does it, and as rows by DELETE; makima only."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import psycopg

from bench.beats.fleet import ACTIVITY, CURRENT, PHASE
from bench.cluster import bench_cluster
from bench.deadlines import BenchError
from bench.results import Results, Run
from makima.adapters.postgres.database import Database, Limits
from makima.adapters.postgres.heartbeat_partitions import HOUR, drop_old, make_hours, name_of, start_of

OLD = timedelta(hours=26)
FILL = """
INSERT INTO supervisor_heartbeats (supervisor_task_id, contract_id, incarnation, sequence, state, phase,
    current_activity, progress, timestamp)
SELECT md5('task' || number %% %(fleet)s)::uuid, md5('contract' || number %% %(fleet)s)::uuid, %(life)s, number,
    'working', %(phase)s, %(activity)s, 40, %(from)s::timestamptz + number * interval '1 hour' / %(rows)s
FROM generate_series(0, %(rows)s - 1) AS number
"""
DELETE = "DELETE FROM supervisor_heartbeats WHERE timestamp >= %(from)s AND timestamp < %(until)s"


async def measure(run: Run, name: str, results: Results) -> None:
    """The same hour twice: dropped, then deleted."""
    if name != "makima":
        return
    run.tell(f"an hour of {run.hour_rows:,} heartbeats expires")
    async with bench_cluster(run.scratch) as cluster:
        url = await cluster.fresh_database()
        database = Database(url, Limits(operation=120, statement=120))
        await database.open()
        try:
            now = datetime.now(UTC)
            dropped = await _dropped(run, url, database, now)
            deleted = await _deleted(run, url, database, now)
        finally:
            await database.close()
    results.put(name, **{f"expiry.drop.{key}": value for key, value in dropped.items()})
    results.put(name, **{f"expiry.delete.{key}": value for key, value in deleted.items()})
    results.put(name, **{"expiry.faster": deleted["seconds"] / dropped["seconds"]})


async def _dropped(run: Run, url: str, database: Database, now: datetime) -> dict[str, float]:
    await _fill(run, url, database, now - OLD)
    began, wal = time.perf_counter(), await asyncio.to_thread(_wal, url)
    await drop_old(database, now)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, **await asyncio.to_thread(_left, url, wal)}


async def _deleted(run: Run, url: str, database: Database, now: datetime) -> dict[str, float]:
    await _fill(run, url, database, now - OLD)
    wal = await asyncio.to_thread(_wal, url)
    seconds = await asyncio.to_thread(_delete, url, start_of(now - OLD), run.hour_rows)
    return {"seconds": seconds, **await asyncio.to_thread(_left, url, wal)}


async def _fill(run: Run, url: str, database: Database, moment: datetime) -> None:
    await make_hours(database, [moment])
    values = {
        "fleet": run.supervisors,
        "rows": run.hour_rows,
        "from": start_of(moment),
        "life": CURRENT,
        "phase": PHASE,
        "activity": ACTIVITY,
    }

    def fill() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FILL.encode(), values)
            connection.execute(f"VACUUM (ANALYZE) {name_of(moment)}".encode())
            connection.execute("CHECKPOINT")

    await asyncio.to_thread(fill)


def _delete(url: str, start: datetime, rows: int) -> float:
    with psycopg.connect(url, autocommit=True) as connection:
        began = time.perf_counter()
        deleted = connection.execute(DELETE.encode(), {"from": start, "until": start + HOUR}).rowcount
        seconds = time.perf_counter() - began
    if deleted != rows:
        raise BenchError(f"{deleted} of {rows} heartbeats were deleted")
    return seconds


def _wal(url: str) -> int:
    return _number(url, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")


def _left(url: str, wal_before: int) -> dict[str, float]:
    """MiB written to the log since then, and on disk now.

    Raises:
        BenchError: heartbeats are left.
    """
    wal = _wal(url) - wal_before
    rows = _number(url, "SELECT count(*) FROM supervisor_heartbeats")
    if rows:
        raise BenchError(f"{rows} heartbeats of the expired hour are left")
    on_disk = _number(
        url,
        "SELECT COALESCE(sum(pg_total_relation_size(relid)), 0)::bigint"
        " FROM pg_partition_tree('supervisor_heartbeats') WHERE isleaf",
    )
    return {"wal": wal / 2**20, "disk": on_disk / 2**20}


def _number(url: str, query: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(query.encode()).fetchone()
    return int(found[0]) if found is not None else 0
