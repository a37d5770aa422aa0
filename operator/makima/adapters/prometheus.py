"""`makima.ports.Metrics` over prometheus_client. One registry per process, so that tests can have several."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from makima.models.enums import ContractState

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds: a look that writes nothing takes a millisecond, one that asks a validator up to half a minute."""


class PrometheusMetrics:
    """The plan's counters and gauges, and how the operator itself fares.

    A gauge counts contracts by UID, so that telling the same state twice, in any order, can't make it drift. Nothing is
    ever reset: a standby sees no contract, and who stops leading exits.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._states: dict[str, tuple[str, bool]] = {}
        self._by_status = Gauge("contracts_by_status", "Contracts, by status.", ["status"], registry=registry)
        self._stale = Gauge("contracts_stale_count", "Contracts without activity for too long.", registry=registry)
        # No labels: users choose the names of phases, and every name would be a series for ever. Moves by phase are in
        # the history, where they are rows.
        self._transitions = Counter("phase_transitions", "Moves of contracts from phase to phase.", registry=registry)
        self._completions = Counter("completion_detections", "Contracts seen to be done.", registry=registry)
        self._results = Counter("makima_reconcile", "Looks at contracts, by result.", ["result"], registry=registry)
        self._durations = Histogram(
            "makima_reconcile_duration_seconds", "How long a look takes.", buckets=BUCKETS, registry=registry
        )
        self._leading = Gauge("makima_operator_leading", "1 in the operator that leads, else 0.", registry=registry)
        ProcessCollector(registry=registry)
        self._show()

    def leads(self, leading: Callable[[], bool]) -> None:
        """Where it is to be had whether this process leads."""
        self._leading.set_function(lambda: float(leading()))

    def phase_transition(self, from_phase: str, to_phase: str) -> None:  # noqa: ARG002  # see the counter
        """One more `phase_transitions_total`."""
        self._transitions.inc()

    def completion_detected(self) -> None:
        """One more `completion_detections_total`."""
        self._completions.inc()

    def contract_state(self, uid: str, state: str | None, stale: bool) -> None:
        """State of one contract in its snake_case spelling; None when it is gone."""
        if state is None:
            self._states.pop(uid, None)
        else:
            self._states[uid] = (state, stale)

    def reconcile_result(self, result: str, seconds: float) -> None:
        """One reconcile: its result and how long it took."""
        self._results.labels(result).inc()
        self._durations.observe(seconds)

    def render(self) -> bytes:
        """Everything in Prometheus' text format."""
        self._show()
        return generate_latest(self._registry)

    def _show(self) -> None:
        """Count when asked, not on every change: asking is rarer, and every status is there, with 0 if need be."""
        counts = Tally(state for state, _ in self._states.values())
        for state in ContractState:
            self._by_status.labels(state.snake).set(counts[state.snake])
        self._stale.set(sum(stale for _, stale in self._states.values()))
