"""The API service's metrics: `makima.services.ingest.group_storing.IngestMetrics`, and how calls fare."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

LAG = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)


class ApiMetrics:
    """Counters and histograms of one API process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._heartbeats = Counter(
            "supervisor_heartbeats", "Heartbeats, by what became of them.", ["result"], registry=registry
        )
        self._lag = Histogram(
            "supervisor_ingest_lag_seconds",
            "From the arrival of a group's oldest heartbeat to its commit.",
            buckets=LAG,
            registry=registry,
        )
        self._size = Histogram(
            "supervisor_ingest_batch_size", "Heartbeats of one commit.", buckets=SIZES, registry=registry
        )
        self._restores = Counter("supervisor_restores", "Lives that began, by outcome.", ["outcome"], registry=registry)
        self._transitions = Counter("phase_transitions", "Moves of contracts from phase to phase.", registry=registry)
        self._batches = Counter(
            "batch_operations", "Bulk operations, by what became of them.", ["operation", "result"], registry=registry
        )
        self._streams = Gauge("makima_streams", "Open heartbeat streams.", registry=registry)
        ProcessCollector(registry=registry)

    def heartbeats(self, result: str, number: int) -> None:
        """So many more `supervisor_heartbeats_total`."""
        self._heartbeats.labels(result).inc(number)

    def group(self, size: int, seconds: float) -> None:
        """A group was committed."""
        self._size.observe(size)
        self._lag.observe(seconds)

    def restored(self, outcome: str) -> None:
        """One more `supervisor_restores_total`."""
        self._restores.labels(outcome).inc()

    def batch_operation(self, operation: str, result: str) -> None:
        """One more `batch_operations_total`."""
        self._batches.labels(operation, result).inc()

    def moved(self, _left: str, _entered: str) -> None:
        """One more `phase_transitions_total`: a move that a supervisor asked for."""
        self._transitions.inc()

    def count_streams(self, number: Callable[[], int]) -> None:
        """Where the number of open streams is to be had."""
        self._streams.set_function(number)

    def render(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
