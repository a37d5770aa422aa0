"""Metrics of the live monitor: `makima.services.monitor.monitor.MonitorMetrics`, and what it counts by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

LAG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Counted(Protocol):
    """What counts by itself."""

    @property
    def clients(self) -> int:
        """How many are connected."""
        ...

    @property
    def delivered(self) -> int:
        """Frames that clients took."""
        ...

    @property
    def missed(self) -> int:
        """Frames that found no room."""
        ...


class MonitorMetrics:
    """How the live monitor fares."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._lag = Histogram(
            "makima_monitor_lag_seconds",
            "From an event to its being handed to the clients of the live monitor.",
            buckets=LAG,
            registry=registry,
        )

    def told(self, ages: Iterable[float]) -> None:
        """Events were handed to the clients, so many seconds after they happened."""
        for age in ages:
            self._lag.observe(age)

    def count(self, found: Counted) -> None:
        """Where the rest is to be had."""
        self._registry.register(_Counts(found))


class _Counts(Collector):
    def __init__(self, found: Counted) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("makima_monitor_clients", "Clients of the live monitor.", self._found.clients)
        yield CounterMetricFamily(
            "makima_monitor_frames_delivered", "Frames that clients of the live monitor took.", self._found.delivered
        )
        yield CounterMetricFamily(
            "makima_monitor_frames_missed", "Frames that slow clients did not get.", self._found.missed
        )
