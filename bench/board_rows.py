"""The rows about what people read: dashboard and list."""

from __future__ import annotations

from bench.rows import Row


def dashboard_rows(contracts: int, events: int) -> list[Row]:
    """The dashboard, against the same by plain SQL in the same run."""
    return [
        Row(f"dashboard, {contracts:,} contracts, {events:,} events", "ms", "dashboard.all.p99", most=25, sized=True),
        Row("  p50", "ms", "dashboard.all.p50"),
        Row("  in the first round of heartbeats: p99", "ms", "dashboard.first.p99", most=100, sized=True),
        Row("  of one namespace: p99", "ms", "dashboard.one.p99", most=25, sized=True),
        Row("  by plain COUNT SQL: p99", "ms", "dashboard.plain.p99"),
        Row("  p50", "ms", "dashboard.plain.p50"),
        Row("  times faster (p50)", "×", "dashboard.faster", least=20, sized=True),
    ]


def list_rows(contracts: int) -> list[Row]:
    """Pages of a list, against COUNT and OFFSET at random depths in the same run."""
    return [
        Row(f"a page of 100 of {contracts:,} contracts, any depth", "ms", "list.all.p99", most=50, sized=True),
        Row("  p50", "ms", "list.all.p50"),
        Row("  the deepest tenth: p99", "ms", "list.deep.p99", most=50, sized=True),
        Row("  by COUNT and OFFSET: p99", "ms", "list.plain.p99"),
        Row("  p50", "ms", "list.plain.p50"),
        Row("  times faster (p50)", "×", "list.faster"),
    ]
