"""What /metrics says: the plan's names, every status at all times, and a bounded number of series."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from makima.adapters.prometheus import PrometheusMetrics
from makima.models.enums import ContractState
from makima.ports import Metrics


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics(CollectorRegistry())


def samples(metrics: PrometheusMetrics) -> dict[tuple[str, ...], float]:
    """Value by name and label values."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def by_status(metrics: PrometheusMetrics) -> dict[str, float]:
    return {key[1]: value for key, value in samples(metrics).items() if key[0] == "contracts_by_status" and value}


def test_it_is_the_port(metrics: PrometheusMetrics) -> None:
    port: Metrics = metrics
    assert port is metrics


def test_every_status_is_there_from_the_start_with_zero(metrics: PrometheusMetrics) -> None:
    found = {key[1]: value for key, value in samples(metrics).items() if key[0] == "contracts_by_status"}
    assert found == {state.snake: 0 for state in ContractState}
    assert "waiting_for_input" in found


def test_whether_this_process_leads_is_told_as_it_is_at_the_time_of_asking(metrics: PrometheusMetrics) -> None:
    leading = False
    metrics.leads(lambda: leading)
    assert samples(metrics)["makima_operator_leading",] == 0
    leading = True
    assert samples(metrics)["makima_operator_leading",] == 1


def test_counters_have_the_plans_names(metrics: PrometheusMetrics) -> None:
    metrics.phase_transition("plan", "execute")
    metrics.phase_transition("execute", "review")
    metrics.completion_detected()
    found = samples(metrics)
    assert found["phase_transitions_total",] == 2
    assert found["completion_detections_total",] == 1


def test_a_thousand_phase_names_are_one_series(metrics: PrometheusMetrics) -> None:
    before = len(samples(metrics))
    for number in range(1000):
        metrics.phase_transition(f"p{number}", f"p{number + 1}")
    assert len(samples(metrics)) == before


def test_a_contract_is_counted_once_in_its_latest_state(metrics: PrometheusMetrics) -> None:
    metrics.contract_state("a", "created", False)
    metrics.contract_state("a", "active", True)
    metrics.contract_state("a", "active", True)
    metrics.contract_state("b", "active", False)
    assert by_status(metrics) == {"active": 2}
    assert samples(metrics)["contracts_stale_count",] == 1


def test_a_contract_that_is_gone_is_not_counted(metrics: PrometheusMetrics) -> None:
    metrics.contract_state("a", "paused", True)
    metrics.contract_state("a", None, False)
    metrics.contract_state("never-seen", None, False)
    assert by_status(metrics) == {}
    assert samples(metrics)["contracts_stale_count",] == 0


def test_reconciles_are_counted_by_result_and_timed(metrics: PrometheusMetrics) -> None:
    metrics.reconcile_result("written", 0.002)
    metrics.reconcile_result("written", 7)
    found = samples(metrics)
    assert found["makima_reconcile_total", "written"] == 2
    assert found["makima_reconcile_duration_seconds_count",] == 2
    assert found["makima_reconcile_duration_seconds_bucket", "0.0025"] == 1


def test_the_process_itself_is_measured(metrics: PrometheusMetrics) -> None:
    assert samples(metrics)["process_resident_memory_bytes",] > 0
