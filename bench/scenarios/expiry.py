"""An hour of heartbeats goes: as a partition, the way the API service does it, and as rows by DELETE; makima only."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from bench.beats.fleet import ACTIVITY, CURRENT, PHASE
from bench.cluster import bench_cluster
from bench.deadlines import BenchError
from bench.results import Results, Run
from makima.adapters.postgres.database import Database, Limits
from makima.adapters.postgres.heartbeat_partitions import HOUR, drop_old, make_hours, name_of, start_of

OLD = timedelta(hours=26)
FLEET = """
CREATE TEMPORARY TABLE fleet ON COMMIT DROP AS
SELECT number, md5('task' || number)::uuid AS task_id, md5('contract' || number)::uuid AS contract_id
FROM generate_series(0, %(fleet)s - 1) AS number
"""
FILL = """
INSERT INTO {hour} (supervisor_task_id, contract_id, incarnation, sequence, state, phase, current_activity, progress,
    timestamp)
SELECT task_id, contract_id, %(life)s, beat, 'working', %(phase)s, %(activity)s, 40,
    %(from)s::timestamptz + (beat * %(fleet)s + number) * interval '1 hour' / %(rows)s
FROM generate_series(0, %(rows)s / %(fleet)s - 1) AS beat CROSS JOIN fleet
"""
ALONE = "CREATE TABLE {hour} (LIKE supervisor_heartbeats INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
INDEX = "CREATE INDEX ON {hour} (contract_id, timestamp DESC)"
"""Attaching takes it up as that of `idx_heartbeats_supervisor`; were it another one, it would make one of its own."""

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
    """An hour as it is in a database that has run for a day: full, indexed, vacuumed, flushed.

    The rows come before the index and before the hour belongs to its parent: row by row into the index takes minutes,
    and how an hour fills is what `heartbeats` measures.
    """
    await asyncio.to_thread(_rows_of, run, url, moment)
    await make_hours(database, [moment])
    await asyncio.to_thread(_settle, url, name_of(moment))


def _rows_of(run: Run, url: str, moment: datetime) -> None:
    values = {
        "fleet": run.supervisors,
        "rows": run.hour_rows,
        "from": start_of(moment),
        "life": CURRENT,
        "phase": PHASE,
        "activity": ACTIVITY,
    }
    hour = sql.Identifier(name_of(moment))
    with psycopg.connect(url) as connection:
        connection.execute(FLEET.encode(), values)
        connection.execute(sql.SQL(ALONE).format(hour=hour))
        connection.execute(sql.SQL(FILL).format(hour=hour), values)
        connection.execute(sql.SQL(INDEX).format(hour=hour))


def _settle(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("VACUUM (FREEZE, ANALYZE) {}").format(sql.Identifier(name)))
        connection.execute("CHECKPOINT")


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
