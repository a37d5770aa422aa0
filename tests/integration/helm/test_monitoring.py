"""Alerts, ServiceMonitors and dashboard as those take them who use them: the Prometheus operator's CRDs, and promtool.

The CRDs come from that operator's Go module. promtool is a package of Debian (`apt-get install prometheus`).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from makima.sandbox import Sandbox
from makima.sandbox.folders import SandboxError
from makima.sandbox.go_build import Progress
from makima.sandbox.go_toolchain import go_command
from tests.support.helm import CHART, EVERYTHING, EXTERNAL, Helm
from tests.support.yaml_documents import documents

# One at a time: the CRDs are there for a test and gone after it, and all workers share one API server.
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("monitoring")]

MODULE = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
OURS = {"ServiceMonitor": "servicemonitors", "PrometheusRule": "prometheusrules"}
MONITORED = {**EXTERNAL, "monitoring": EVERYTHING["monitoring"]}
OPERATOR = 'namespace="makima-system", service="makima-operator-metrics"'
API = 'namespace="makima-system", service="makima-api-metrics"'
BUCKETS = (("0.5", "0+{fast}x60"), ("5", "0+100x60"), ("+Inf", "0+100x60"))


@pytest.fixture(scope="module")
def crds(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The Prometheus operator's CRDs of what the chart makes."""
    try:
        go = go_command(Progress())
    except SandboxError as error:
        pytest.skip(f"no Go that could fetch {MODULE}: {error}")
    command = [go, "mod", "download", "-json", MODULE]
    done = subprocess.run(
        command, cwd=tmp_path_factory.mktemp("go"), capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"{MODULE} can't be fetched: {done.stdout[-300:]}{done.stderr[-300:]}")
    folder = Path(json.loads(done.stdout)["Dir"]) / "example" / "prometheus-operator-crd"
    files = [folder / f"monitoring.coreos.com_{plural}.yaml" for plural in OURS.values()]
    return [item for file in files for item in documents(file.read_text())]


@pytest.fixture
def monitored(sandbox: Sandbox, crds: list[dict[str, Any]]) -> Iterator[Sandbox]:
    """An API server that knows them; they are taken away again, for tests that don't."""
    names = [crd["metadata"]["name"] for crd in crds]
    kubectl(sandbox, "apply", "--server-side", "-f", "-", given=crds)
    for name in names:
        kubectl(sandbox, "wait", "--for=condition=Established", f"crd/{name}", "--timeout=60s")
    yield sandbox
    kubectl(sandbox, "delete", "crd", *names, "--timeout=300s")  # see Cluster.until in test_install.py


def kubectl(sandbox: Sandbox, *arguments: str, given: list[dict[str, Any]] | None = None) -> str:
    done = call(sandbox, *arguments, given=given)
    assert done.returncode == 0, done.stderr
    return done.stdout


def call(
    sandbox: Sandbox, *arguments: str, given: list[dict[str, Any]] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [str(sandbox.cluster.programs / "kubectl"), f"--kubeconfig={sandbox.cluster.kubeconfig}", *arguments]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": given or []})
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=330, check=False)


def objects(helm: Helm) -> list[dict[str, Any]]:
    """What the chart makes for the Prometheus operator, into a namespace that is there."""
    found = helm.render(MONITORED, namespace="default")
    return [item for (kind, _), item in found.items() if kind in OURS]


def test_the_prometheus_operators_crds_take_them_to_the_letter(monitored: Sandbox, newest_helm: Helm) -> None:
    made = objects(newest_helm)
    assert sorted(item["kind"] for item in made) == ["PrometheusRule", "ServiceMonitor", "ServiceMonitor"]
    said = kubectl(monitored, "create", "--dry-run=server", "--validate=strict", "-f", "-", given=made)
    assert said.count("created (server dry run)") == len(made)


def test_and_would_not_take_a_misspelt_one(monitored: Sandbox, newest_helm: Helm) -> None:
    for item in objects(newest_helm):
        item["spec"]["misspelt"] = 1
        done = call(monitored, "create", "--dry-run=server", "--validate=strict", "-f", "-", given=[item])
        assert done.returncode != 0
        assert "misspelt" in done.stderr


@pytest.fixture(scope="module")
def promtool() -> str:
    """promtool; skipped, with the reason, where there is none."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not on PATH: apt-get install prometheus, or Prometheus' own release")
    return found


@pytest.fixture
def rules(newest_helm: Helm, tmp_path: Path) -> Path:
    """The rules as a file of Prometheus."""
    found = newest_helm.render(MONITORED)
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps(found["PrometheusRule", "makima"]["spec"]))
    return file


def run(promtool: str, *arguments: str) -> str:
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def series(name: str, labels: str, values: str) -> dict[str, str]:
    return {"series": f"{name}{{{labels}}}", "values": values}


def lag(fast: int) -> list[dict[str, str]]:
    """Heartbeats of which so many of 100 are stored within half a second, the others within five."""
    name = "supervisor_ingest_lag_seconds_bucket"
    return [series(name, f'{API}, le="{le}"', values.format(fast=fast)) for le, values in BUCKETS]


LOUD: Mapping[str, list[dict[str, str]]] = {
    "MakimaContractsStale": [series("contracts_stale_count", OPERATOR, "3x60")],
    "MakimaSupervisorsDead": [series("supervisor_restarts_total", f'{OPERATOR}, reason="TimedOut"', "0+1x60")],
    "MakimaRestartStorm": [series("supervisor_restarts_total", f'{OPERATOR}, reason="Exited"', "0+20x60")],
    "MakimaRestartBudgetSpent": [series("supervisor_restart_budgets_spent_total", OPERATOR, "0+1x60")],
    "MakimaIngestLag": lag(fast=50),
    "MakimaOperatorWithoutLeader": [series("makima_operator_leading", f'{OPERATOR}, pod="a"', "0x60")],
}
LEADS = series("makima_operator_leading", f'{OPERATOR}, pod="b"', "1x60")
QUIET = [
    series("contracts_stale_count", OPERATOR, "0x60"),
    series("supervisor_restarts_total", f'{OPERATOR}, reason="Exited"', "0+1x60"),
    series("supervisor_restart_budgets_spent_total", OPERATOR, "7x60"),
    *lag(fast=100),
    LEADS,
]


def firing(promtool: str, rules: Path, given: list[dict[str, str]]) -> set[str]:
    """Which alerts fire after half an hour."""
    fired = set()
    for alert in LOUD:
        check = {"eval_time": "30m", "alertname": alert, "exp_alerts": []}
        tests = [{"interval": "1m", "input_series": given, "alert_rule_test": [check]}]
        file = rules.with_name("tests.yaml")
        file.write_text(json.dumps({"rule_files": [str(rules)], "tests": tests}))
        done = subprocess.run(
            [promtool, "test", "rules", str(file)], capture_output=True, text=True, timeout=60, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0 or "got:" in said, said
        fired |= {alert} if done.returncode else set()
    return fired


def test_the_rules_are_rules_of_prometheus(promtool: str, rules: Path) -> None:
    assert f"SUCCESS: {len(LOUD)} rules found" in run(promtool, "check", "rules", str(rules))


@pytest.mark.parametrize("alert", LOUD)
def test_an_alert_fires_when_it_has_to_and_alone(promtool: str, rules: Path, alert: str) -> None:
    given = LOUD[alert] if alert == "MakimaOperatorWithoutLeader" else [*LOUD[alert], LEADS]
    assert firing(promtool, rules, given) == {alert}


def test_no_alert_fires_when_all_is_well(promtool: str, rules: Path) -> None:
    assert firing(promtool, rules, QUIET) == set()


def test_without_any_metrics_the_operator_is_missed(promtool: str, rules: Path) -> None:
    assert firing(promtool, rules, []) == {"MakimaOperatorWithoutLeader"}


def test_the_dashboard_asks_what_prometheus_understands(promtool: str, tmp_path: Path) -> None:
    dashboard = json.loads((CHART / "dashboards" / "makima.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(asked) > 10
    recorded = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(asked)]
    file = tmp_path / "dashboard.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": recorded}]}))
    assert f"SUCCESS: {len(asked)} rules found" in run(promtool, "check", "rules", str(file))
