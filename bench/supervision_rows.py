"""The rows about supervisors: heartbeats, deadlines, expiry."""

from __future__ import annotations

from bench.rows import Row

TITLES = {
    "single": "single requests, 64 in flight",
    "batch": "batches of 200, 16 in flight",
    "stream": "16 streams, frames of 200",
}
AIMS = {"single": 3000, "batch": 25_000, "stream": 25_000}


def beat_rows(supervisors: int) -> list[list[Row]]:
    """Heartbeats, and what else could write them; measured in the same run."""
    beside = [
        Row("plain COPY in batches of 1,000", "/s", "beats.copy", 0),
        Row("INSERT each, 8 connections", "/s", "beats.insert", 0),
        Row("status patch each, 64 in flight", "/s", "beats.patch", 0),
        Row("API process: peak memory", "MiB", "beats.peak", 0),
    ]
    return [*(_ways(kind, supervisors) for kind in TITLES), beside]


def _ways(kind: str, supervisors: int) -> list[Row]:
    single = kind == "single"
    return [
        Row(f"{supervisors:,} beat, {TITLES[kind]}", "/s", f"beats.{kind}.rate", 0, least=AIMS[kind], sized=True),
        Row("  p50", "ms", f"beats.{kind}.p50"),
        Row("  p99", "ms", f"beats.{kind}.p99", most=60 if single else None, sized=True),
        Row("  times plain COPY", "×", f"beats.{kind}.copy", 2, least=None if single else 0.25, sized=True),
        Row("  times an INSERT each", "×", f"beats.{kind}.insert", 2),
        Row("  times a status patch each", "×", f"beats.{kind}.patch", 1),
        Row("  CPU of the API process for each", "µs", f"beats.{kind}.cpu", 0),
        Row("  CPU of the load generator", "cores", f"beats.{kind}.load", 2),
        Row("  refused as they had to be", "%", f"beats.{kind}.strays", 2),
    ]


def deadline_rows(supervisors: int, timers: int) -> list[Row]:
    """Silence of a fleet; kopf's figures come from `timers` objects."""
    return [
        Row(f"{supervisors:,} deadlines (kopf: {timers:,}), 1 % silent", "s", "deadlines.last", 2, most=1),
        Row("  CPU for one look at one of them", "µs", "deadlines.cpu", 1),
        Row("  found where only Postgres heard the living", "s", "deadlines.untold", 2),
        Row("  CPU for one look then", "µs", "deadlines.untold_cpu", 1),
        Row("  CPU with nothing to find (kopf: scaled)", "cores", "deadlines.cores", 3),
        Row("  memory for each", "KiB", "deadlines.memory", 1),
        Row("  memory for all (kopf: scaled)", "MiB", "deadlines.fleet", 0),
    ]


def expiry_rows(rows: int) -> list[Row]:
    """An hour of heartbeats goes."""
    return [
        Row(f"an hour of {rows:,} is dropped", "s", "expiry.drop.seconds", 3),
        Row("  written to the log", "MiB", "expiry.drop.wal", 2),
        Row("  left on disk", "MiB", "expiry.drop.disk", 0),
        Row("  times faster than DELETE", "×", "expiry.faster", 0),
        Row("the same by DELETE", "s", "expiry.delete.seconds", 2),
        Row("  written to the log", "MiB", "expiry.delete.wal", 0),
        Row("  left on disk", "MiB", "expiry.delete.disk", 0),
    ]
