"""The rows about the live monitor."""

from __future__ import annotations

from bench.rows import Row


def monitor_rows(clients: int) -> list[Row]:
    """Clients that watch, and the naive twin in the same run."""
    return [
        Row(f"{clients:,} clients watch: delivery, p99", "ms", "monitor.p99", most=250, sized=True),
        Row("  p50", "ms", "monitor.p50"),
        Row("  longest", "ms", "monitor.longest"),
        Row("  events", "/s", "monitor.events", 0),
        Row("  deliveries", "/s", "monitor.rate", 0),
        Row("  not delivered", "", "monitor.lost", 0, most=0),
        Row("  memory while it lasts", "MiB", "monitor.memory", 0, most=300),
        Row("  CPU for each delivery", "µs", "monitor.cpu", 1),
        Row("  CPU", "cores", "monitor.cores", 2),
        Row("one queue for each client, no filters: p99", "ms", "monitor.naive.p99"),
        Row("  deliveries that were wanted", "/s", "monitor.naive.rate", 0),
        Row("  not delivered", "", "monitor.naive.lost", 0),
        Row("  memory while it lasts", "MiB", "monitor.naive.memory", 0),
        Row("  CPU for each delivery, unwanted ones included", "µs", "monitor.naive.cpu", 1),
    ]
