"""The chart beside its sources: settings, versions, words on every value, and metrics that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from makima import __version__
from makima.adapters.prometheus import PrometheusMetrics
from makima.adapters.prometheus_api import ApiMetrics
from makima.adapters.prometheus_supervision import SupervisionMetrics
from makima.config import Config
from makima.models.markers import API_GROUP
from makima.schema.chart import CHART_SETS, chart_files
from makima.schema.chart_page import chart_page
from makima.schema.crds import render_crds
from makima.schema.rbac import api_rules, needs_cluster_scope, operator_rules

CHART = Path(__file__).parents[3] / "helm" / "makima"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = (CHART / "values.yaml").read_text()
MEASURED = re.compile(r"\b((?:contracts|phase|completion|supervisor|makima|process)_[a-z_]+)\s*\{")


def metadata() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text())
    return found


def test_the_chart_has_the_version_of_makima() -> None:
    assert (metadata()["version"], metadata()["appVersion"]) == (__version__, __version__)


def test_artifact_hub_is_told_of_every_kind() -> None:
    told = {item["kind"]: item["name"] for item in yaml.safe_load(metadata()["annotations"]["artifacthub.io/crds"])}
    assert told == {crd["spec"]["names"]["kind"]: crd["metadata"]["name"] for crd in render_crds()}


def test_every_setting_of_makima_is_a_value_or_made_by_the_chart() -> None:
    sections = SCHEMA["properties"]["config"]["properties"]
    for name, field in Config.model_fields.items():
        keys = set(getattr(field.annotation, "model_fields", ()))
        if keys:
            assert set(sections[name]["properties"]) == keys - set(CHART_SETS.get(name, ()))


def test_the_charts_page_has_every_value_with_its_words() -> None:
    about = (CHART / "Chart.yaml").read_text()
    page = (CHART / "README.md").read_text()
    assert page == chart_page(VALUES, about), "run `make generate`"
    listed = dict(re.findall(r"^\| `([\w.]+)` \| \w+ \| `.*?` \| (.+) \|$", page, re.MULTILINE))
    assert len(listed) > 80
    assert listed["crds.keep"].startswith("Leave them, their policies")
    assert listed["rbac.releases"].endswith("and to read CRDs and policies."), "words of two lines"


def test_every_value_has_its_words_and_its_place_in_the_schema() -> None:
    lines = VALUES.splitlines()
    for number, line in enumerate(lines):
        found = re.match(r"^( *)([A-Za-z]\w*):(.*)$", line)
        if found and found[3].strip() and not _within_a_value(lines, number):
            assert lines[number - 1].lstrip().startswith("#"), f"values.yaml:{number + 1} says nothing about {found[2]}"
    _described(yaml.safe_load(VALUES), SCHEMA, "")


def _within_a_value(lines: list[str], number: int) -> bool:
    """Requests and limits below `resources:` may be told of at the first of them."""
    return bool(re.match(r"^ *(requests|limits):", lines[number]))


def _described(values: dict[str, Any], schema: dict[str, Any], path: str) -> None:
    for key, value in values.items():
        assert key in schema["properties"], f"{path}{key} is not in the schema"
        below = schema["properties"][key]
        if isinstance(value, dict) and "properties" in below:
            _described(value, below, f"{path}{key}.")


def test_nothing_of_a_generated_template_is_taken_for_an_action() -> None:
    for path, text in chart_files().items():
        if path.endswith(".yaml"):
            actions = re.findall(r"\{\{.*?\}\}", text)
            assert all(re.match(r'\{\{(-? ?(if|end|include)|/\*| "\{\{")', action) for action in actions), path


def test_each_rule_is_for_a_role_or_for_the_cluster_as_a_whole() -> None:
    for rules in (operator_rules(), api_rules()):
        assert any(needs_cluster_scope(rule) for rule in rules)
        assert not any(needs_cluster_scope(rule) for rule in rules if set(rule["apiGroups"]) & {"", API_GROUP, "batch"})


@pytest.fixture(scope="module")
def metrics() -> set[str]:
    registry = CollectorRegistry()
    PrometheusMetrics(registry)
    SupervisionMetrics(registry)
    operator = PrometheusMetrics(CollectorRegistry()).render()
    from prometheus_client import generate_latest

    texts = (generate_latest(registry), operator, ApiMetrics(CollectorRegistry()).render())
    families = (family for text in texts for family in text_string_to_metric_families(text.decode()))
    return {name for family in families for name in _names(family.name, family.type)}


def _names(name: str, kind: str) -> tuple[str, ...]:
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return tuple(f"{name}{ending}" for ending in endings.get(kind, ("",)))


@pytest.mark.parametrize("file", ["templates/monitoring/alerts.yaml", "dashboards/makima.json"])
def test_alerts_and_dashboard_ask_for_metrics_that_exist(file: str, metrics: set[str]) -> None:
    asked = set(MEASURED.findall((CHART / file).read_text()))
    assert len(asked) >= 5
    assert asked <= metrics
