"""Which values the chart takes, and what it says of those that it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.helm import CHART, EVERYTHING, EXTERNAL, Helm

GOOD: dict[str, dict[str, Any]] = {
    "the least": EXTERNAL,
    "everything": EVERYTHING,
    "an address": {"database": {"url": "postgresql://u:p@db:5432/makima"}},
    "only the cluster's part": {"operator": {"enabled": False}, "api": {"enabled": False}},
    "Roles only": {**EXTERNAL, "rbac": {"namespaces": ["team-a", "team-b"]}},
    "without CRDs": {**EXTERNAL, "crds": {"install": False}},
    "a digest": {**EXTERNAL, "image": {"digest": f"sha256:{'0' * 64}"}},
    "settings": {**EXTERNAL, "config": {"feature_flags": {"monitoring_dashboard": False}, "api": {"streams": 10}}},
    "TLS": {**EXTERNAL, "api": {"tls": {"existingSecret": "certificate"}}},
    "no aggregated API": {**EXTERNAL, "aggregatedApi": {"enabled": False}},
    "no memory limit": {**EXTERNAL, "operator": {"resources": {"limits": None}}},
}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown value": ({"opertor": {}}, "opertor"),
    "an unknown value further down": ({"api": {"autoscaling": {"min": 2}}}, "min"),
    "a number as a text": ({"operator": {"replicas": "two"}}, "replicas"),
    "replicas below none": ({"operator": {"replicas": -1}}, "replicas"),
    "a pull policy of no kind": ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
    "a digest that is none": ({"image": {"digest": "sha256:1"}}, "digest"),
    "a namespace that can't be one": ({"rbac": {"namespaces": ["Team A"]}}, "namespaces"),
    "one namespace twice": ({"rbac": {"namespaces": ["a", "a"]}}, "namespaces"),
    "a database of another kind": ({"database": {"url": "mysql://db"}}, "url"),
    "memory of no unit": ({"api": {"resources": {"limits": {"memory": "1 GB"}}}}, "memory"),
    "a setting of no name": ({"config": {"contracts": {"stale_minutes": 5}}}, "stale_minutes"),
    "a setting out of bounds": ({"config": {"contracts": {"stale_threshold_minutes": 0}}}, "stale_threshold_minutes"),
    "a setting that the chart makes": ({"config": {"api": {"port": 1}}}, "port"),
    "a release without its namespace": ({"rbac": {"releases": [{"name": "makima"}]}}, "namespace"),
    "an interval of no unit": ({"monitoring": {"serviceMonitor": {"interval": "30"}}}, "interval"),
    "Postgres as root": ({"postgres": {"userId": 0}}, "userId"),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_values_pass_the_strict_linter(helm: Helm, name: str) -> None:
    helm.run("lint", "--strict", str(CHART), values=GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_bad_values_are_refused_and_named(newest_helm: Helm, name: str) -> None:
    values, named = BAD[name]
    code, said = newest_helm.call("template", "makima", str(CHART), values={**EXTERNAL, **values})
    assert code != 0, "taken"
    assert "schema" in said
    assert named in said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "none is named"),
        ({**EXTERNAL, "postgres": {"enabled": True}}, "existingSecret.name and postgres.enabled are all set"),
    ],
    ids=["none", "two"],
)
def test_exactly_one_database_has_to_be_named(helm: Helm, values: dict[str, Any], said: str) -> None:
    code, answer = helm.call("template", "makima", str(CHART), values=values)
    assert code != 0
    assert said in answer
    assert "postgres.enabled=true" in answer, "what to do is said"
